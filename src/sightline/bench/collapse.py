"""Has a reward collapsed? How far scores spread, raw and mapped, and whether they still tell right from wrong.

A map that is monotone inside a batch leaves the area under the curve as it is; what it changes is the spread. Means of
mapped scores move with the history and are not compared between steps; raw ones are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ShapeError

FLAT = 0.01


class Spread(NamedTuple):
    """How scores of one batch lie.

    Args:
        mean, std: population standard deviation.
        quantile_range: Q.9 - Q.1.
        flat_groups: share of groups with a standard deviation below .01; NaN without groups.
        auc: probability that a right answer scores above a wrong one, ties half; NaN if one kind is missing.
    """

    mean: float
    std: float
    quantile_range: float
    flat_groups: float
    auc: float


class Collapse(NamedTuple):
    """The same batch, raw and mapped."""

    raw: Spread
    mapped: Spread


def collapse(
    raw: ArrayLike, mapped: ArrayLike, group: ArrayLike | None = None, right: ArrayLike | None = None
) -> Collapse:
    """Spread of raw and mapped scores of a batch.

    Args:
        raw, mapped: (B,) scores; NaN is left out.
        group: (B,) ids of prompts, or None.
        right: (B,) whether each answer is right, or None.

    Raises:
        ShapeError: the arrays have different lengths.

    Example:
        >>> raw, mapped = [.83, .84, .85, .86, .87], [.25, .366025, .5, .633975, .75]
        >>> found = collapse(raw, mapped, right=[0, 0, 1, 0, 1])
        >>> round(found.raw.std, 6), round(found.mapped.std, 6), round(found.raw.auc, 6) == round(found.mapped.auc, 6)
        (0.014142, 0.179387, True)

    References:
        Breaking Reward Collapse (ARMed), arXiv 2508.12957.
    """
    return Collapse(spread(raw, group, right), spread(mapped, group, right))


def spread(values: ArrayLike, group: ArrayLike | None = None, right: ArrayLike | None = None) -> Spread:
    """How the scores of one batch lie; all NaN for a batch without scores."""
    scores = np.asarray(values, dtype=np.float64)
    for name, given in (("group", group), ("right", right)):
        if given is not None and np.shape(given) != scores.shape:
            raise ShapeError(f"collapse: {name} has shape {np.shape(given)} for scores {scores.shape}")
    known = ~np.isnan(scores)
    if not known.any():
        return Spread(*[float("nan")] * 5)
    there = scores[known]
    low, high = np.quantile(there, (0.1, 0.9))
    flat = float("nan") if group is None else flat_groups(there, np.asarray(group)[known])
    area = float("nan") if right is None else auc(there, np.asarray(right)[known])
    return Spread(float(there.mean()), float(there.std()), float(high - low), flat, area)


def flat_groups(values: ArrayLike, group: ArrayLike, below: float = FLAT) -> float:
    """Share of groups whose population standard deviation is below `below`: they hardly teach.

    Example:
        >>> flat_groups([.90, .91, .2, .8], [0, 0, 1, 1])
        0.5
    """
    scores, ids = np.asarray(values, dtype=np.float64), np.asarray(group)
    return float(np.mean([scores[ids == one].std() < below for one in np.unique(ids)]))


def auc(values: ArrayLike, right: ArrayLike) -> float:
    """Area under the ROC curve: P(score of a right answer > score of a wrong one) + P(equal) / 2.

    Example:
        >>> auc([.9, .8, .8, .1], [1, 1, 0, 0]), auc([.9], [1])
        (0.875, nan)
    """
    scores = np.asarray(values, dtype=np.float64)
    good: NDArray[np.bool_] = np.asarray(right).astype(bool)
    wrong = np.sort(scores[~good])
    if not good.any() or not len(wrong):
        return float("nan")
    below = np.searchsorted(wrong, scores[good], side="left") + np.searchsorted(wrong, scores[good], side="right")
    return float(below.mean() / (2.0 * len(wrong)))
