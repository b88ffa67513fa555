"""How far a number is from the gold number: relative error, closeness, equality after rounding.

Arrays of any shape, broadcast. Knows nothing of text: numbers arrive parsed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_ROUNDING = 1e-15  # of two decimals and their difference, as a share of the larger one


def near(a: float, b: float, bound: float) -> bool:
    """Whether |a - b| <= bound for decimals as they are written: what floating point adds to a distance does not count.

    Example:
        >>> near(1.9, 2.0, 0.1), 2.0 - 1.9 <= 0.1, near(1.89, 2.0, 0.1)
        (True, False, False)
    """
    return abs(a - b) <= bound + _ROUNDING * max(abs(a), abs(b))


def relative_error(value: ArrayLike, gold: ArrayLike, eps: float = 1e-9) -> Floats:
    """Distance from the gold number as a share of it: (|value - gold| + eps) / (|gold| + eps).

    Args:
        value, gold: numbers, broadcast.
        eps: keeps a gold number of 0 defined; an error of 0 is then eps / (|gold| + eps), so 1 if gold is 0 too.

    Returns: range (0, inf]. A value that is not finite: inf. Not applicable (NaN): a gold number that is not finite.

    Example:
        >>> relative_error([11, 9, float("nan")], 10).round(6)
        array([0.1, 0.1, inf])

    References:
        The regression reward of Video-R1, arXiv 2503.21776, used by arXiv 2510.06077.
    """
    value, gold = np.asarray(value, dtype=np.float64), np.asarray(gold, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        error = (np.abs(value - gold) + eps) / (np.abs(gold) + eps)
    return np.where(np.isfinite(gold), np.where(np.isfinite(value), error, np.inf), np.nan)


def relative_closeness(value: ArrayLike, gold: ArrayLike, eps: float = 1e-9) -> Floats:
    """One minus the relative error, not below 0: 1 - min(1, (|value - gold| + eps) / (|gold| + eps)).

    Returns: range [0, 1), largest at value = gold, where it is 1 - eps / (|gold| + eps): 0 for gold = 0, whatever the
    value. A value that is not finite: 0. Not applicable (NaN): a gold number that is not finite.

    Example:
        >>> relative_closeness([10, 11, 25, 0], [10, 10, 10, 0]).round(6)
        array([1. , 0.9, 0. , 0. ])

    References:
        As `relative_error`.
    """
    return np.asarray(1.0 - np.minimum(1.0, relative_error(value, gold, eps)))


def equal_rounded(value: ArrayLike, gold: ArrayLike, digits: int = 2) -> NDArray[np.bool_]:
    """Are two numbers equal after rounding to `digits` decimals?

    Rounds the exact binary value (ties to even), as Python's `round` does and numpy's `round` does not: 1.115 becomes
    1.11.

    Returns: broadcast shape. False where the value or the gold number is NaN or infinite.

    Example:
        >>> equal_rounded([3.141, 3.15, 1.115, float("inf")], [3.14159, 3.14, 1.11, float("inf")])
        array([ True, False,  True, False])
    """
    a, b = np.broadcast_arrays(_rounded(value, digits), _rounded(gold, digits))
    return np.asarray((a == b) & np.isfinite(a))


def _rounded(number: ArrayLike, digits: int) -> Floats:
    array = np.asarray(number, dtype=np.float64)
    return np.array([round(one, digits) for one in array.ravel().tolist()], dtype=np.float64).reshape(array.shape)
