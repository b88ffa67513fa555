"""Which strategy suits a question, from samples of both, and how often each is used."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from sightline.core.missing import Missing
from sightline.parse.strategy import StrategyToken


def strategy_label(
    code_right: Sequence[float], direct_right: Sequence[float], tables: Sequence[float], good_table: float = 0.8
) -> str:
    """CODE if code is right more often, DIRECT if less often; a tie goes to CODE if its tables are good.

    Args:
        code_right, direct_right: 1 or 0 for each sampled answer of a strategy.
        tables: data accuracy of the code samples, 0..1.
        good_table: a mean above it is good.

    Example:
        >>> strategy_label([1, 1, 0, 1], [1, 0, 0, 0], [0.2] * 4), strategy_label([1, 0], [0, 1], [0.9, 0.5])
        ('CODE', 'DIRECT')

    References:
        Stands in for the experts' labels of Visual Programmability, arXiv 2509.09286; the rule is ours.
    """
    code, direct = float(np.mean(code_right)), float(np.mean(direct_right))
    if code == direct:
        # a mean of decimals that should be 0.8 must not exceed it by rounding
        return "CODE" if len(tables) and float(np.mean(tables)) > good_table + 1e-12 else "DIRECT"
    return "CODE" if code > direct else "DIRECT"


def strategy_usage(
    completions: Sequence[str],
    datasets: Sequence[Hashable],
    token: Callable[[str], str | Missing] = StrategyToken(),  # noqa: B008 - a value, never changed
) -> dict[Hashable, dict[str, float]]:
    """For each data set, the share of completions that announce each strategy; `none` where none is announced.

    Example:
        >>> strategy_usage(["<CODE>", "<DIRECT>", "hm"], ["a", "a", "b"])
        {'a': {'CODE': 0.5, 'DIRECT': 0.5}, 'b': {'none': 1.0}}
    """
    found: dict[Hashable, list[str]] = {dataset: [] for dataset in datasets}
    for text, dataset in zip(completions, datasets, strict=True):
        chosen = token(text)
        found[dataset].append("none" if isinstance(chosen, Missing) else chosen)
    return {
        dataset: {name: names.count(name) / len(names) for name in sorted(set(names))}
        for dataset, names in found.items()
    }
