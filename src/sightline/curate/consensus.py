"""Boxes that several models agree on, and questions that a policy neither always nor never answers.

Arrays and numbers only: who grounds and who answers is the caller's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.boxes import as_xyxy
from sightline.core.errors import ShapeError
from sightline.core.missing import Missing
from sightline.metrics.boxes import box_iou


def agreed_box(boxes: ArrayLike, least: float = 0.5) -> NDArray[np.float64] | Missing:
    """The mean of several boxes for one thing, if any two of them overlap enough.

    Args:
        boxes: (M, 4) xyxy, one of each model, in one frame.
        least: IoU that every pair needs; equality is enough.

    Raises:
        ShapeError: there is no box.

    Example:
        >>> agreed_box([[0, 0, 4, 4], [0, 0, 4, 3]])
        array([0. , 0. , 4. , 3.5])
        >>> agreed_box([[0, 0, 4, 4], [3, 3, 7, 7]]).why
        'boxes 0 and 1 overlap by 0.03'

    References:
        PatchCue, arXiv 2603.05869, data pipeline, step 3. The threshold and the mean are not stated there.
    """
    array = as_xyxy(boxes, "agreed_box")
    if not len(array):
        raise ShapeError("agreed_box: needs at least one box")
    iou = box_iou(array, array)
    a, b = np.unravel_index(int(iou.argmin()), iou.shape)
    if iou[a, b] < least:
        return Missing(f"boxes {a} and {b} overlap by {iou[a, b]:.2f}")
    return np.asarray(array.mean(axis=0))


def agreed_boxes(
    groundings: Sequence[Mapping[str, Sequence[float]]], least: float = 0.5
) -> dict[str, NDArray[np.float64]] | Missing:
    """One box a label from several models' boxes for the same labels; Missing if any label is disputed.

    Example:
        >>> agreed_boxes([{"cat": [0, 0, 4, 4]}, {"cat": [0, 0, 4, 4]}])
        {'cat': array([0., 0., 4., 4.])}
        >>> agreed_boxes([{"cat": [0, 0, 4, 4]}, {}]).why
        '`cat` has not a box of every model'
    """
    agreed: dict[str, NDArray[np.float64]] = {}
    for label in dict.fromkeys(name for found in groundings for name in found):
        if not all(label in found for found in groundings):
            return Missing(f"`{label}` has not a box of every model")
        box = agreed_box([list(found[label]) for found in groundings], least)
        if isinstance(box, Missing):
            return Missing(f"`{label}`: {box.why}")
        agreed[label] = box
    return agreed


def undecided(right: ArrayLike) -> NDArray[np.bool_]:
    """Which questions are answered right by some samples and not by all: (Q, S) 0 or 1 -> (Q,).

    The others teach nothing: all rewards of their group are equal.

    Example:
        >>> undecided([[1, 1], [1, 0], [0, 0]])
        array([False,  True, False])
    """
    share = np.atleast_2d(np.asarray(right, dtype=np.float64)).mean(axis=1)
    return np.asarray((share > 0) & (share < 1))
