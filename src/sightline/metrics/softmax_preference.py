"""How well one right text is told from several wrong ones, all at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sightline.core.errors import ShapeError


def softmax_preference_loss(positive: float, negatives: Sequence[float]) -> float:
    """How badly a right text is told from several wrong ones at once, natural logarithm.

    L = log(1 + sum_j exp(s_j - s)),  s = beta (log p(y | x) - log p_ref(y | x)) of the right text, s_j of the wrong

    Args:
        positive, negatives: implicit rewards s and s_j, beta included.

    Raises:
        ShapeError: there is no wrong text.

    Example:
        >>> round(softmax_preference_loss(1.0, [0.0] * 5), 6), round(softmax_preference_loss(0.0, [0.0]), 6)
        (1.043592, 0.693147)

    References:
        Chen et al., On Softmax Direct Preference Optimization for Recommendation, arXiv 2406.09215.
    """
    if not len(negatives):
        raise ShapeError("softmax_preference_loss: needs at least one wrong text")
    return float(np.logaddexp.reduce([0.0, *(np.asarray(negatives, dtype=np.float64) - positive)]))
