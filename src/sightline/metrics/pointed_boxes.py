"""How well boxes with a point inside agree: three tests a pair, in whole pixels.

A pointed box is (x1, y1, x2, y2, px, py). Axes: P predictions, G gold items; any axes in front are a batch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sightline.metrics.boxes import Floats
from sightline.metrics.matching import hungarian, match_boxes
from sightline.metrics.ragged import Indices, Ragged


def inclusive_iou(a_P4: ArrayLike, b_G4: ArrayLike) -> Floats:
    """IoU of boxes whose edges are pixels that belong to them: a side is x2 - x1 + 1.

    Nothing is checked: a box with one pair of swapped corners has a negative area, and overlaps nothing.

    Args:
        a_P4, b_G4: (..., P, 4) and (..., G, 4) xyxy.

    Returns: (..., P, G); 0 where the union is not positive.

    Example:
        >>> inclusive_iou([[0, 0, 9, 9]], [[0, 0, 9, 4], [10, 0, 19, 9], [9, 9, 0, 0]])
        array([[0.5, 0. , 0. ]])
    """
    a, b = np.asarray(a_P4, np.float64)[..., :, None, :], np.asarray(b_G4, np.float64)[..., None, :, :]
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        size = np.minimum(a[..., 2:4], b[..., 2:4]) - np.maximum(a[..., 0:2], b[..., 0:2]) + 1
        inter = np.maximum(size, 0).prod(axis=-1)
        union = (a[..., 2:4] - a[..., 0:2] + 1).prod(axis=-1) + (b[..., 2:4] - b[..., 0:2] + 1).prod(axis=-1) - inter
        iou: Floats = np.where((inter > 0) & (union > 0), inter / np.where(union > 0, union, 1.0), 0.0)
    return iou


def passed_tests(a_P6: Floats, b_G6: Floats, iou: float = 0.5, distance: float = 10.0, reach: float = 30.0) -> Floats:
    """How many of three tests a pair passes, 0 to 3.

    overlap: inclusive IoU > `iou`;  box: mean absolute difference of the 4 coordinates < `distance`;
    point: Euclidean distance < `reach`, and the predicted point in or on the predicted box

    Args:
        a_P6, b_G6: (..., P, 6) predicted and (..., G, 6) gold pointed boxes, pixels.

    Returns: (..., P, G).

    Example:
        >>> gold = np.array([[10.0, 10, 50, 50, 30, 30]])
        >>> passed_tests(np.array([[14.0, 10, 54, 50, 30, 61], [40, 10, 80, 50, 45, 30]]), gold)
        array([[2.],
               [1.]])
    """
    a, b = a_P6[..., :, None, :], b_G6[..., None, :, :]
    x, y = a_P6[..., 4], a_P6[..., 5]
    inside = (a_P6[..., 0] <= x) & (x <= a_P6[..., 2]) & (a_P6[..., 1] <= y) & (y <= a_P6[..., 3])
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.abs(a[..., :4] - b[..., :4]).mean(axis=-1) < distance
        close = np.hypot(a[..., 4] - b[..., 4], a[..., 5] - b[..., 5]) < reach
    passed: Floats = (inclusive_iou(a_P6[..., :4], b_G6[..., :4]) > iou) + near * 1.0 + (close & inside[..., :, None])
    return passed


def matched_tests(pred: Ragged, gold: Ragged) -> Floats:
    """(N,) tests that each predicted item passes with its partner, the most in sum over each row; 0 for no partner.

    Args:
        pred, gold: B rows of pointed boxes each; flat (N, 6) and (M, 6).

    Example:
        >>> item = [10.0, 10, 50, 50, 30, 30]
        >>> matched_tests(Ragged.from_counts(np.array([item, item]), [2]), Ragged.from_counts(np.array([item]), [1]))
        array([3., 0.])
    """
    return match_boxes(pred, gold, _most, similarity=passed_tests).similarity


def _most(passed: Floats, score: Floats) -> Indices:
    return hungarian(3.0 - passed)
