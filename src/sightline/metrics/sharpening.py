"""Piecewise shaping of a value in 0..1: nothing below a bar, everything above another, itself between.

Arrays -> arrays. Knows nothing of what the values measure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from sightline.core.errors import ConfigError
from sightline.metrics.boxes import Floats


@dataclass(frozen=True)
class Sharpened:
    """A value drawn apart: f(x) = 0 if x < lo, 1 if x >= hi, x between.

    A group whose rollouts all do a little is told apart from one that does it well. Fits `Reward.map`.

    Args:
        lo, hi: the bars; lo <= hi.
        closed: whether x = hi earns 1. Released code asks for x > hi.

    Returns: an array of the same shape, range 0..1 for lo >= 0; values between the bars stay as they are.

    Raises:
        ConfigError: hi is below lo.

    Example:
        >>> Sharpened(0.5, 0.75)([0.4, 0.5, 0.6, 0.75])
        array([0. , 0.5, 0.6, 1. ])
        >>> Sharpened(0.5, 0.75, closed=False)(0.75)
        array(0.75)

    References:
        Zhan et al., Vision-R1, arXiv 2503.18013, differentiation.
    """

    lo: float = 0.0
    hi: float = 1.0
    closed: bool = True
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if self.hi < self.lo:
            raise ConfigError(f"Sharpened: the upper bar {self.hi:g} lies below the lower one {self.lo:g}")

    def __call__(self, values: ArrayLike) -> Floats:
        x = np.asarray(values, dtype=np.float64)
        whole = x >= self.hi if self.closed else x > self.hi
        return np.asarray(np.where(x < self.lo, 0.0, np.where(whole, 1.0, x)))
