"""Whether what was done to the same items made a difference: paired outcomes of 0 and 1, before and after."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sightline.core.errors import ShapeError


class Effect(NamedTuple):
    """What an intervention did to paired outcomes.

    Args:
        effect: mean after minus mean before, -1..1; negative: it hurts.
        harmed, helped: how many went from 1 to 0, and from 0 to 1.
        p: of the exact McNemar test, two-sided.
    """

    effect: float
    harmed: int
    helped: int
    p: float


def mcnemar(b: int, c: int) -> float:
    """Exact two-sided McNemar test from the discordant counts.

    p = min(1, 2 * sum_{k=0..min(b,c)} C(b+c, k) / 2^(b+c)); 1 without any

    Args:
        b, c: pairs that changed one way, and the other.

    Raises:
        ShapeError: a count is negative.

    Example:
        >>> [round(mcnemar(*counts), 4) for counts in ((1, 5), (2, 4), (2, 10), (0, 0))]
        [0.2188, 0.6875, 0.0386, 1.0]
    """
    if b < 0 or c < 0:
        raise ShapeError(f"mcnemar needs counts of at least 0, got {b} and {c}")
    n = b + c
    tail = sum(math.comb(n, k) for k in range(min(b, c) + 1))
    return min(1.0, 2 * tail / (1 << n))


def paired_effect(before: ArrayLike, after: ArrayLike) -> Effect:
    """The average effect of an intervention on paired outcomes, with its test.

    Args:
        before, after: (N,) outcomes in {0, 1} of the same items; a pair with a NaN is left out.

    Returns: effect NaN and p 1 without any pair.

    Raises:
        ShapeError: not as many of one as of the other, or an outcome is not 0 or 1.

    Example:
        >>> paired_effect([1, 1, 0, 1], [0, 0, 0, 1])
        Effect(effect=-0.5, harmed=2, helped=0, p=0.5)

    References:
        On the faithfulness of visual thinking, arXiv 2510.23482: the effect of an intervention; McNemar, 1947.
    """
    a, b = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise ShapeError(f"paired_effect needs two lists of one length, got {a.shape} and {b.shape}")
    known = ~(np.isnan(a) | np.isnan(b))
    a, b = a[known], b[known]
    if not np.isin(np.concatenate([a, b]), (0.0, 1.0)).all():
        raise ShapeError("paired_effect needs outcomes of 0 or 1")
    harmed, helped = int(np.sum((a == 1) & (b == 0))), int(np.sum((a == 0) & (b == 1)))
    effect = (helped - harmed) / len(a) if len(a) else float("nan")
    return Effect(effect, harmed, helped, mcnemar(harmed, helped))


def rate_of_users(values: ArrayLike, used: ArrayLike) -> tuple[float, float]:
    """The mean over those who used something, and the share of those who did not.

    Args:
        values: (N,) outcomes, NaN where unknown.
        used: (N,) whether at all, 0 or 1.

    Returns: the mean, NaN if nobody did; the share, NaN without anybody.

    Example:
        >>> rate_of_users([1, 0, 0, 1], [1, 1, 0, 0])
        (0.5, 0.5)
    """
    value, who = np.asarray(values, np.float64), np.asarray(used, bool)
    if value.ndim != 1 or value.shape != who.shape:
        raise ShapeError(f"rate_of_users needs two lists of one length, got {value.shape} and {who.shape}")
    counted = value[who & ~np.isnan(value)]
    mean = float(counted.mean()) if len(counted) else float("nan")
    return mean, float(np.mean(~who)) if len(who) else float("nan")
