"""The order of training rows by kind: stage after stage, shuffled inside a stage."""

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
