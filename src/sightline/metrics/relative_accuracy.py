"""How right a number is, averaged over tolerances: the evaluation metric of number questions on videos."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCES = np.arange(0.50, 0.951, 0.05).round(2)


def mean_relative_accuracy(value: ArrayLike, gold: ArrayLike, eps: float = 1e-8) -> NDArray[np.float64]:
    """Share of the tolerances within which a number lies.

    mean over c in 0.50, 0.55, .. 0.95 of [|value - gold| / (|gold| + eps) < 1 - c], 1 - c computed in doubles

    Args:
        value, gold: numbers, broadcast.

    Returns: range [0, 1]; 0 where a number is not finite.

    Example:
        >>> mean_relative_accuracy([10, 8.8, 13.8, float("nan")], 10)
        array([1. , 0.8, 0.3, 0. ])

    References:
        Yang et al., Thinking in Space, arXiv 2412.14171; evaluation of VideoRFT, arXiv 2505.12434.
    """
    value, gold = np.broadcast_arrays(np.asarray(value, dtype=np.float64), np.asarray(gold, dtype=np.float64))
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(value - gold) / (np.abs(gold) + eps)
        return np.asarray((error[..., None] < 1.0 - CONFIDENCES).mean(axis=-1))
