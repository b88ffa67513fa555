"""Which tokens of a rollout count, and how much a rollout counts among others, by what was measured of its tokens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def top_share(values: Floats, mask: Mask, share: float, bypass_zero: bool = True) -> Mask:
    """The ceil(share * n) tokens of each rollout with the largest values, of its n policy tokens; ties: the earliest.

    Args:
        values, mask: (B, T); values of other tokens mean nothing.
        share: in 0..1.
        bypass_zero: a rollout whose values are all 0 keeps all its tokens: its order would be arbitrary.

    Returns: (B, T); nothing for a rollout without policy tokens.

    Example:
        >>> top_share(np.array([[0.1, 2.0, 2.0, 0.3, 9.0]]), np.array([[1, 1, 1, 1, 0]], bool), 0.5)
        array([[False,  True,  True, False, False]])

    References:
        Spotlight on token perception (VPPO), arXiv 2510.09285, token-level gradient filtering.
    """
    values, mask = np.asarray(values, dtype=np.float64), np.asarray(mask, dtype=bool)
    ranked = np.where(mask, np.nan_to_num(values), -np.inf)
    rank = np.argsort(np.argsort(-ranked, axis=1, kind="stable"), axis=1, kind="stable")
    # 0.4 * 5 is 2, not the 3 that rounding errors of the product would make of it
    kept = np.ceil(share * mask.sum(1) - 1e-9)
    chosen: Mask = mask & (rank < kept[:, None])
    if not bypass_zero:
        return chosen
    silent = ~np.any(mask & (np.nan_to_num(values) != 0), axis=1)
    return np.where(silent[:, None], mask, chosen)


def masked_means(values: Floats, mask: Mask) -> Floats:
    """(B,) the mean over each rollout's policy tokens; NaN for a rollout without any.

    Example:
        >>> masked_means(np.array([[1.0, 3.0, 9.0]]), np.array([[True, True, False]]))
        array([2.])
    """
    count = mask.sum(1)
    total = np.where(mask, values, 0.0).sum(1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def trajectory_weights(scores: Floats, low: float = 0.9, spread: float = 1e-6) -> Floats:
    """Weights of rollouts around 1, growing with a score: the lowest gets `low`, their mean is 1.

    z = (s - min) / (max - min);   f = low + z * (1 - low) / (mean(z) + 1e-8)

    Args:
        scores: (B,) NaN, or infinite, for what shall not count: its weight is 1 and it is in no statistic.
        low: of the lowest score, in 0..1.
        spread: with scores closer together than this all weights are 1.

    Example:
        >>> trajectory_weights(np.array([0.200786, 0.048287, np.nan])).round(6)
        array([1.1, 0.9, 1. ])

    References:
        Spotlight on token perception (VPPO), arXiv 2510.09285, trajectory-level advantage shaping.
    """
    scores = np.asarray(scores, dtype=np.float64)
    there = np.isfinite(scores)
    if there.sum() < 2 or np.ptp(scores[there]) <= spread:
        return np.ones(len(scores))
    z = np.clip((scores - scores[there].min()) / np.ptp(scores[there]), 0.0, 1.0)
    return np.where(there, low + z * (1.0 - low) / (z[there].mean() + 1e-8), 1.0)
