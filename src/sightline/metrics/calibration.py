"""Grades that rise late, what guessing earns under them, and grades above that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LateRise:
    """A grade in 0..1 that rewards the last steps most.

    g(x) = (e^(k x) - 1) / (e^k - 1);  k = 0: x

    Args:
        k: how late it rises.
        slip: e^(k x - 1) instead of e^(k x) - 1, a misplaced bracket in released code: the best earns 0.37, not 1.

    Example:
        >>> LateRise(5.0)(np.array([0.25, 0.5, 0.75, 1.0])).round(6)
        array([0.016894, 0.075858, 0.281665, 1.      ])
        >>> LateRise(5.0, slip=True)(np.array([0.0, 1.0])).round(3)
        array([0.002, 0.37 ])

    References:
        Asking like Socrates, arXiv 2511.22396.
    """

    k: float = 5.0
    slip: bool = False
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __call__(self, values: ArrayLike) -> Floats:
        x = np.asarray(values, dtype=np.float64)
        if self.k == 0:
            return x
        above: Floats = np.exp(self.k * x - 1) if self.slip else np.expm1(self.k * x)
        found: Floats = above / math.expm1(self.k)
        return found


def guessing(m: int, k: float = 0.0) -> float:
    """What coin flips earn in expectation on m two-way decisions, graded by `LateRise(k)`.

    E(m, k) = sum over c of C(m, c) 2^-m g(c / m) = (((1 + e^(k/m)) / 2)^m - 1) / (e^k - 1);  k = 0: 1/2

    Raises:
        ValueError: m is not positive.

    Example:
        >>> [round(guessing(m, k), 6) for m, k in ((5, 0), (5, 2.5), (5, 5), (12, 5))]
        [0.5, 0.274903, 0.143886, 0.100242]
    """
    if m < 1:
        raise ValueError(f"guessing needs at least one decision, got {m}")
    if k == 0:
        return 0.5
    return math.expm1(m * math.log1p(math.expm1(k / m) / 2)) / math.expm1(k)


def calibrated(grade: ArrayLike, expected: ArrayLike) -> Floats:
    """A grade above what a shortcut earns: (g - E) / (1 - E); where E is 1, 1 for a grade of 1 and else 0.

    Example:
        >>> calibrated([0.0, 0.5, 1.0, 0.9, 1.0], [0.5, 0.5, 0.5, 1.0, 1.0])
        array([-1.,  0.,  1.,  0.,  1.])
    """
    g, e = np.asarray(grade, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    room = 1.0 - e
    sure = room <= 1e-12
    found: Floats = np.where(sure, (g >= 1.0 - 1e-12) * 1.0, (g - e) / np.where(sure, 1.0, room))
    return found


def count_closeness(said: ArrayLike, right: ArrayLike) -> Floats:
    """How near a count is, nearly flat around the truth: 1 - (e^|x - k| - 1) / (e^|k| - 1), in 0..1; k = 0: 1 if equal.

    Example:
        >>> count_closeness([5, 4, 6, 0, 12, 0, 1.5], [5, 5, 5, 5, 5, 0, 2]).round(6)
        array([1.      , 0.988344, 0.988344, 0.      , 0.      , 1.      , 0.898464])
        >>> count_closeness([10_000, 9_999], [10_000, 10_000]), count_closeness([1], [0])
        (array([1., 1.]), array([0.]))

    References:
        Asking like Socrates, arXiv 2511.22396, counting reward.
    """
    x, k = np.asarray(said, dtype=np.float64), np.abs(np.asarray(right, dtype=np.float64))
    off = np.abs(x - np.asarray(right, dtype=np.float64))
    # numerator and denominator divided by e^|k|, so that neither overflows
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        share = (np.exp(np.minimum(off - k, 1.0)) - np.exp(-k)) / -np.expm1(-k)
    found: Floats = np.where(k == 0, (x == 0) * 1.0, np.clip(1.0 - share, 0.0, 1.0))
    return found


def linear_count_closeness(said: ArrayLike, right: ArrayLike) -> Floats:
    """How near a count is, each miss alike: max(0, 1 - |x - k| / max(k, 1)).

    Example:
        >>> linear_count_closeness([5, 4, 12, 1], [5, 5, 5, 0])
        array([1. , 0.8, 0. , 0. ])
    """
    x, k = np.asarray(said, dtype=np.float64), np.asarray(right, dtype=np.float64)
    found: Floats = np.clip(1.0 - np.abs(x - k) / np.maximum(k, 1.0), 0.0, 1.0)
    return found
