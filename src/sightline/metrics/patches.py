"""How alike two places on a patch grid are: F1 of their sets of patches; and simpler likenesses of cues.

A patch box is (row1, column1, row2, column2), both ends included. Axes: P predictions, G gold items; axes in front are
a batch. Sets are never built: sizes follow from corners, so a huge box costs nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sightline.metrics.boxes import Floats, as_boxes, box_iou


def patch_count(boxes: ArrayLike) -> Floats:
    """How many patches each box has: (..., 4) -> (...). A swapped or NaN box has none.

    Example:
        >>> patch_count([[1, 1, 2, 2], [0, 0, 0, 3], [2, 2, 1, 1]])
        array([4., 4., 0.])
    """
    array = as_boxes(boxes, "patch_count")
    return _count(array[..., 0], array[..., 1], array[..., 2], array[..., 3])


def patch_f1(a_P4: ArrayLike, b_G4: ArrayLike) -> Floats:
    """F1 of the sets of patches of every box of `a` with every box of `b`.

    F1 = 2 |A n B| / (|A| + |B|), which is 2 Pre Rec / (Pre + Rec) with Pre = TP / (TP + FP), Rec = TP / (TP + FN)

    Args:
        a_P4, b_G4: (..., P, 4) and (..., G, 4) row1, column1, row2, column2.

    Returns: (..., P, G), range 0..1, never NaN; 0 if nothing is shared.

    Example:
        >>> patch_f1([[1, 1, 2, 2]], [[1, 1, 2, 2], [1, 1, 3, 3], [5, 5, 6, 6]]).round(6)
        array([[1.      , 0.615385, 0.      ]])

    References:
        PatchCue, arXiv 2603.05869, equations 2 to 4.
    """
    a, b = as_boxes(a_P4, "patch_f1 a")[..., :, None, :], as_boxes(b_G4, "patch_f1 b")[..., None, :, :]
    first, last = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    total = patch_count(a) + patch_count(b)
    both = _count(first[..., 0], first[..., 1], last[..., 0], last[..., 1])
    # the overlap of two swapped boxes can have ordered corners
    both = np.where((patch_count(a) > 0) & (patch_count(b) > 0), both, 0.0)
    return np.asarray(2.0 * both / np.where(total > 0, total, 1.0))


def point_inside(a_P2: ArrayLike, b_G4: ArrayLike) -> Floats:
    """1 where a point lies in a box, borders included, else 0: (..., P, 2) and (..., G, 4) -> (..., P, G).

    Points and boxes have the same axis first: (row, column) with patch boxes, (x, y) with pixel boxes.

    Example:
        >>> point_inside([[2, 2], [3, 0]], [[1, 1, 2, 2]])
        array([[1.],
               [0.]])
    """
    a, b = np.asarray(a_P2, dtype=np.float64)[..., :, None, :2], as_boxes(b_G4, "point_inside")[..., None, :, :]
    return np.asarray(((b[..., :2] <= a) & (a <= b[..., 2:])).all(axis=-1), dtype=np.float64)


def box_f1(a_P4: ArrayLike, b_G4: ArrayLike) -> Floats:
    """F1 of the areas of pixel boxes, 2 |A n B| / (|A| + |B|): what `patch_f1` becomes for ever smaller patches.

    Example:
        >>> box_f1([[0, 0, 2, 2]], [[1, 0, 3, 2]])
        array([[0.5]])
    """
    iou = box_iou(a_P4, b_G4)
    return np.asarray(2.0 * iou / (1.0 + iou))


def _count(row1: Floats, column1: Floats, row2: Floats, column2: Floats) -> Floats:
    rows, columns = row2 - row1 + 1.0, column2 - column1 + 1.0
    return np.asarray(np.where((rows > 0) & (columns > 0), rows * columns, 0.0))
