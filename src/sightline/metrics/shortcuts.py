"""How often a right answer does not rest on what was described. Knows no judge: what is sufficient is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sightline.core.errors import ShapeError


def language_shortcut_rate(right: ArrayLike, sufficient: ArrayLike) -> float:
    """Share of all rollouts, in percent, whose answer is right although their description does not lead to it.

    LSR = 100 * #(right and not sufficient) / N

    Args:
        right: (N,) whether the final answer is right, 0 or 1.
        sufficient: (N,) whether somebody who sees the description alone comes to the right answer. NaN (the reader
            failed) leaves the rollout out.

    Returns: 0..100; NaN without any rollout that is known.

    Raises:
        ShapeError: not as many of one as of the other.

    Example:
        >>> language_shortcut_rate([1, 1, 0, 1], [1, 0, 0, 0])
        50.0

    References:
        Self-rewarding vision-language model via reasoning decomposition, arXiv 2508.19652.
    """
    a, b = np.asarray(right, np.float64), np.asarray(sufficient, np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ShapeError(f"language_shortcut_rate needs two lists of one length, got {a.shape} and {b.shape}")
    known = ~(np.isnan(a) | np.isnan(b))
    return 100.0 * float(np.mean((a > 0) & (b <= 0), where=known)) if known.any() else float("nan")
