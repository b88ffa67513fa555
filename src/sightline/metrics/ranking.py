"""How good an order is: gain of the first ranks, recall of the first k, and their means over questions and domains.

Orders are lists of ids, gold is a set of ids. Knows nothing of text.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def rank_gain(order: Sequence[Hashable], gold: Collection[Hashable], power: float = 3.0) -> float:
    """Discounted gain of the gold items as a share of the best possible: high ranks count most.

    sum over ranks j of 1[order_j is gold] / j^power, divided by sum_{j=1..|gold|} 1 / j^power

    An item counts at its first rank only; every item of the order takes a rank, known or not.

    Args:
        order: ids, best first.
        gold: ids that are right, counted as a set.
        power: how fast later ranks lose weight.

    Returns: range [0, 1]. Low: 0 for an empty order. Nothing is gold: 0.

    Example:
        >>> rank_gain([4, 1, 2, 3, 5], {4}), rank_gain([1, 4, 2, 3, 5], {4})
        (1.0, 0.125)
        >>> round(rank_gain([3, 4, 5, 1, 2], {1, 2}), 3)
        0.021

    References:
        Xu et al., MM-R5, arXiv 2506.12364, ranking reward. Repeats counting once is ours: its sum would exceed 1.
    """
    wanted = set(gold)
    best = sum(1.0 / rank**power for rank in range(1, len(wanted) + 1))
    gain = 0.0
    for rank, item in enumerate(order, start=1):
        if item in wanted:
            gain += 1.0 / rank**power
            wanted.discard(item)
            if not wanted:
                break
    return gain / best if best else 0.0


def recall_at(order: Sequence[Hashable], gold: Collection[Hashable], k: int) -> float:
    """Share of the gold items among the first k of an order. Range [0, 1]; nothing is gold: NaN, to be left out.

    Example:
        >>> recall_at([4, 1, 2], {4, 2}, 1), recall_at([4], set(), 1)
        (0.5, nan)
    """
    wanted = set(gold)
    return len(wanted.intersection(order[:k])) / len(wanted) if wanted else float("nan")


def micro_mean(values: Sequence[float] | NDArray[np.float64]) -> float:
    """Mean over all questions, NaN left out; NaN if nothing is left.

    Example:
        >>> micro_mean([1, 0.5, float("nan"), 0])
        0.5
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else float("nan")


def macro_mean(values: Sequence[float], domains: Sequence[Hashable]) -> float:
    """Mean over domains of each domain's mean, NaN left out; a domain without a known value does not count.

    Example:
        >>> macro_mean([1, 0.5, 0], ["a", "a", "b"])
        0.375
    """
    of: Mapping[Hashable, list[float]] = {domain: [] for domain in domains}
    for value, domain in zip(values, domains, strict=True):
        of[domain].append(value)
    return micro_mean([micro_mean(some) for some in of.values()])
