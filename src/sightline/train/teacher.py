"""How fast a moving teacher follows its pupil."""

from __future__ import annotations

import math


def teacher_weight(step: int, start: float = 1e-2, end: float = 1e-5, steps: int = 200) -> float:
    """The pupil's share in the teacher's moving average, falling as half a cosine.

    teacher <- a * policy + (1 - a) * teacher
    a(t) = end + (start - end) / 2 * (1 + cos(pi * min(t - 1, T) / T))

    Args:
        step: t, counted from 1.
        start, end: a at the first step, and from step T + 1 on.
        steps: T.

    Example:
        >>> [round(teacher_weight(t), 6) for t in (1, 51, 101, 201)]
        [0.01, 0.008537, 0.005005, 1e-05]

    References:
        Zhang et al., Co-rewarding, arXiv 2508.00410, variant II.
    """
    return end + (start - end) / 2 * (1 + math.cos(math.pi * min(step - 1, steps) / steps))
