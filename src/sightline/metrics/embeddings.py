"""Vectors of what things mean: unit rows, cosines, and how near a text lies to the frames of a clip.

Axes: N, M rows; F frames; D numbers of a vector. Knows nothing of encoders.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ShapeError

Floats = NDArray[np.float64]
NO_LENGTH = 1e-12
_SMALL = 1e-200  # squared lengths between this and its inverse neither overflow nor vanish


def vectors(value: ArrayLike, who: str = "vectors") -> Floats:
    """`value` as (N, D) numbers; one vector is (1, D), an empty list (0, 0).

    Raises:
        ShapeError: ragged, or more than two axes.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{who}: needs vectors of one length") from error
    if array.size == 0:
        return np.zeros((0, array.shape[-1] if array.ndim == 2 else 0))
    if array.ndim not in (1, 2):
        raise ShapeError(f"{who}: needs shape (N, D), got {array.shape}")
    return array.reshape(-1, array.shape[-1])


def unit_rows(value: ArrayLike) -> Floats:
    """Rows divided by their length; a row without length, or with a number that is not finite, becomes zero.

    Example:
        >>> unit_rows([[3, 4], [0, 0], [1e200, 0], [float("nan"), 1]])
        array([[0.6, 0.8],
               [0. , 0. ],
               [1. , 0. ],
               [0. , 0. ]])
    """
    rows = vectors(value)
    with np.errstate(over="ignore"):  # squares that overflow are asked for below
        squares = _squared_lengths(rows)
    listed = squares.tolist()
    if listed and min(listed) > _SMALL and sum(listed) < 1.0 / _SMALL:  # the usual case; a sum with NaN is NaN
        return np.asarray(rows / np.sqrt(squares)[:, None])
    rows = np.where(np.isfinite(rows).all(axis=1, keepdims=True), rows, 0.0)
    largest = np.abs(rows).max(axis=1, keepdims=True) if rows.shape[1] else np.zeros((len(rows), 1))
    rows = rows / np.where(largest > 0, largest, 1.0)  # squares of huge or tiny numbers would overflow or vanish
    length = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.asarray(np.where(length > 0, rows / np.where(length > 0, length, 1.0), 0.0))


def _squared_lengths(rows: Floats) -> Floats:
    """(N,) sums of squares; the quick way came with numpy 2."""
    quick = getattr(np, "vecdot", None)
    return np.asarray(np.einsum("nd,nd->n", rows, rows) if quick is None else quick(rows, rows))


def cosine_of_mean(text_D: ArrayLike, frames_FD: ArrayLike) -> float:
    """Cosine of a text with the mean of the unit vectors of the frames; 0 if either has no length.

    Example:
        >>> round(cosine_of_mean([1, 0], [[0.6, 0.8], [0, 1]]), 6)
        0.316228
    """
    text, frames = unit_rows(text_D), unit_rows(frames_FD)
    if not len(frames) or not len(text):
        return 0.0
    mean = frames.mean(axis=0)
    length = float(np.sqrt((mean**2).sum()))
    return float(text[0] @ mean / length) if length > NO_LENGTH else 0.0


def frame_cosines(text_D: ArrayLike, frames_FD: ArrayLike) -> Floats:
    """(F,) cosine of a text with each frame; 0 where either has no length.

    Example:
        >>> frame_cosines([1, 0], [[0.6, 0.8], [0, 1]])
        array([0.6, 0. ])
    """
    text, frames = unit_rows(text_D), unit_rows(frames_FD)
    return np.asarray(frames @ text[0]) if len(frames) and len(text) else np.zeros(0)


def pooled_embedding(text_D: ArrayLike, frames_FD: ArrayLike, weight: float = 2.0) -> float:
    """min(1, weight * max(0, cos(text, mean of frames))). Range 0..1.

    Example:
        >>> round(pooled_embedding([1, 0], [[0.6, 0.8], [0, 1]]), 6)
        0.632456
    """
    return min(1.0, weight * max(0.0, cosine_of_mean(text_D, frames_FD)))


def pooled_score(text_D: ArrayLike, frames_FD: ArrayLike, weight: float = 2.0) -> float:
    """Mean over frames of min(1, weight * max(0, cos(text, frame))). Range 0..1; 0 without frames.

    Example:
        >>> pooled_score([1, 0], [[0.6, 0.8], [0, 1]])
        0.5
    """
    cosines = frame_cosines(text_D, frames_FD)
    return float(np.clip(weight * cosines, 0.0, 1.0).mean()) if len(cosines) else 0.0


def greedy_f1(said_ND: ArrayLike, right_MD: ArrayLike) -> float:
    """How alike two sets of vectors are: the F measure of each vector's best cosine on the other side (BERTScore).

    P = mean over said of max over right of cos,  R = mean over right of max over said,  F = 2 P R / (P + R)

    Of one vector on either side it is the cosine itself. Clipped to [0, 1]; 0 if a side has no vector of any length.

    Example:
        >>> round(greedy_f1([[1, 0], [0, 1]], [[0.6, 0.8]]), 6), round(greedy_f1([1, 0], [0.6, 0.8]), 6)
        (0.746667, 0.6)

    References:
        Zhang et al., BERTScore, arXiv 1904.09675; without weights of rare words.
    """
    said, right = unit_rows(said_ND), unit_rows(right_MD)
    said, right = said[np.any(said != 0, axis=1)], right[np.any(right != 0, axis=1)]
    if not len(said) or not len(right):
        return 0.0
    cosine_NM = said @ right.T
    precision, recall = float(cosine_NM.max(axis=1).mean()), float(cosine_NM.max(axis=0).mean())
    if precision <= 0 or recall <= 0:
        return 0.0
    return min(1.0, 2 * precision * recall / (precision + recall))
