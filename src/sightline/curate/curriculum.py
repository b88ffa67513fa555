"""The order of training rows: stage after stage by kind, or from few objects to many."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from sightline.core.errors import ConfigError

EASY_TO_HARD: tuple[tuple[str, ...], ...] = (
    ("TorF1", "TorF2"),
    ("Counting2", "Counting3"),
    ("Counting1",),
    ("planning",),
)


def staged_order(
    kinds: Sequence[Hashable], stages: Sequence[Sequence[Hashable]] = EASY_TO_HARD, seed: int = 0
) -> list[list[int]]:
    """For each stage, the numbers of its rows in a random order.

    The loader must not shuffle again: the order of the stages is what is taught.

    Args:
        kinds: of every row.
        stages: the kinds of each stage.

    Raises:
        ConfigError: a row's kind belongs to no stage, or to two.

    Example:
        >>> staged_order(["planning", "TorF1", "Counting2"])
        [[1], [2], [], [0]]

    References:
        Feng et al., RewardMap, arXiv 2510.02240, multi-stage training.
    """
    of = {kind: number for number, stage in enumerate(stages) for kind in stage}
    if len(of) < sum(map(len, stages)):
        raise ConfigError(f"a kind belongs to two stages of {[list(stage) for stage in stages]}")
    if unknown := sorted({str(kind) for kind in kinds if kind not in of}):
        raise ConfigError(f"no stage holds rows of kind {unknown}; the stages are {[list(stage) for stage in stages]}")
    rng = np.random.default_rng(seed)
    rows: list[list[int]] = [[] for _ in stages]
    for row, kind in enumerate(kinds):
        rows[of[kind]].append(row)
    return [rng.permutation(stage).tolist() for stage in rows]


def easy_first(counts: Sequence[int], least: int = 1, most: int = 30) -> list[int]:
    """The numbers of the rows that have `least` to `most` objects, those with few first; equals stay in their order.

    Args:
        counts: objects of every row.
        least, most: both included; ten objects or more make a hard set.

    Example:
        >>> easy_first([3, 0, 1, 40, 1])
        [2, 4, 0]

    References:
        Zhan et al., Vision-R1, arXiv 2503.18013, training data.
    """
    kept = [row for row, count in enumerate(counts) if least <= count <= most]
    return sorted(kept, key=lambda row: counts[row])
