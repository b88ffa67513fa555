"""Intervals on a line: how far two overlap, and how near a point is to the closest of some others.

Arrays of any shape, broadcast; units are the caller's, usually seconds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def interval_iou(a: ArrayLike, b: ArrayLike) -> Floats:
    """Length of the overlap of two intervals over the length from the first start to the last end.

    value = max(0, min(a1, b1) - max(a0, b0)) / (max(a1, b1) - min(a0, b0))

    Args:
        a, b: (..., 2) start and end, broadcast.

    Returns: range [0, 1]. 0 for an interval that ends before it starts, for two points, and where a number is not
    finite. Between intervals that do not touch the gap counts as union, which changes nothing: the overlap is 0.

    Example:
        >>> interval_iou([[0, 10], [0, 10], [5, 1]], [5, 10])
        array([0.5, 0.5, 0. ])
    """
    a, b = np.broadcast_arrays(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))
    valid = np.isfinite(a).all(-1) & np.isfinite(b).all(-1) & (a[..., 0] <= a[..., 1]) & (b[..., 0] <= b[..., 1])
    low, high = np.minimum(a[..., 0], b[..., 0]), np.maximum(a[..., 1], b[..., 1])
    overlap = np.minimum(a[..., 1], b[..., 1]) - np.maximum(a[..., 0], b[..., 0])
    with np.errstate(invalid="ignore", over="ignore"):
        whole = high - low
        share = np.maximum(overlap, 0.0) / np.where(whole > 0, whole, 1.0)
    return np.where(valid & (whole > 0), share, 0.0)


def time_closeness(seconds: ArrayLike, key_seconds: ArrayLike, sigma: ArrayLike = 1.0) -> Floats:
    """How near each time is to the closest key time: exp(-dt^2 / (2 sigma^2)).

    Args:
        seconds: (...,) times.
        key_seconds: (K,) key times, at least one.
        sigma: width in seconds, broadcast against `seconds`.

    Returns: (...,) range [0, 1].

    Example:
        >>> time_closeness([0.5, 3.0], [0, 1], sigma=[4.0, 1.0]).round(4)
        array([0.9922, 0.1353])

    References:
        The temporal point reward of Open-o3 Video, arXiv 2510.20579.
    """
    away = np.abs(np.asarray(seconds, dtype=np.float64)[..., None] - np.asarray(key_seconds, dtype=np.float64)).min(-1)
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(-(away**2) / (2 * np.asarray(sigma, dtype=np.float64) ** 2)))


def narrowing(progress: float, start: float = 4.0, until: float = 0.75, end: float = 1.0) -> float:
    """A width that shrinks while training goes on: start * (1 - u) for u < until, then `end`.

    Args:
        progress: u, share of the training that is done, 0..1.

    Example:
        >>> narrowing(0.0), narrowing(0.5), narrowing(0.75)
        (4.0, 2.0, 1.0)
    """
    return start * (1.0 - progress) if progress < until else end
