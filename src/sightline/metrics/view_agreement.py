"""Whether a box in one view of a picture and a box in a moved view are the same place.

A view is a 3x3 matrix that takes pixels of the picture to pixels of the view, as column vectors (x, y, 1). Boxes are
xyxy in thousandths of each side unless said otherwise. Knows no pictures and no text.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ShapeError
from sightline.metrics.boxes import Floats, as_boxes, box_area, finite_boxes, paired_giou

EXTENT = 1000.0
FLOOR = 1e-6
FAR = 1e100  # beyond it products of sides overflow


class PixelBox(NamedTuple):
    """A box in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int


def thousandths_matrix(matrix: ArrayLike, width: ArrayLike, height: ArrayLike) -> Floats:
    """A matrix on pixels as a matrix on thousandths: S M S^-1 with S = diag(1000 / width, 1000 / height, 1).

    Args:
        matrix: (..., 3, 3).
        width, height: (...) pixels.

    Example:
        >>> thousandths_matrix([[-1, 0, 640], [0, 1, 0], [0, 0, 1]], 640, 480).round(6).tolist()
        [[-1.0, 0.0, 1000.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    wide, high = np.asarray(width, dtype=np.float64), np.asarray(height, dtype=np.float64)
    scale = np.stack([EXTENT / wide, EXTENT / high, np.ones_like(wide)], axis=-1)
    return np.asarray(scale[..., :, None] * as_matrices(matrix) / scale[..., None, :])


def projected_box(
    box: ArrayLike, matrix: ArrayLike, width: ArrayLike = EXTENT, height: ArrayLike = EXTENT, raw: bool = False
) -> Floats:
    """Where a box lies in a view: the smallest box around its four mapped corners, clamped to 0..1000.

    Args:
        box: (..., 4) in thousandths; clamped before it is mapped.
        matrix: (..., 3, 3) on pixels.
        width, height: (...) of the picture, in pixels.
        raw: apply the pixel matrix to the thousandths as they are, unclamped, as released code does; right only for
            pictures of 1000 x 1000 pixels.

    Example:
        >>> flip = [[-1, 0, 640], [0, 1, 0], [0, 0, 1]]
        >>> projected_box([100, 200, 300, 400], flip, 640, 480)
        array([700., 200., 900., 400.])
        >>> projected_box([100, 200, 300, 400], flip, 640, 480, raw=True)
        array([340., 200., 540., 400.])

    References:
        VISE, arXiv 2606.27373, geometric invariance.
    """
    given = as_boxes(box, "projected_box")
    if raw:
        return enclosing(np.clip(given, -FAR, FAR), as_matrices(matrix))
    return enclosing(clamped(given), thousandths_matrix(matrix, width, height))


def enclosing(boxes: Floats, matrices: Floats) -> Floats:
    """The smallest boxes around the mapped corners, clamped: (..., 4) and (..., 3, 3) -> (..., 4)."""
    x1, y1, x2, y2 = np.moveaxis(boxes, -1, 0)
    corners = np.stack([np.stack([x, y, np.ones_like(x)], -1) for x, y in ((x1, y1), (x2, y1), (x1, y2), (x2, y2))], -2)
    mapped = corners @ np.swapaxes(matrices, -1, -2)
    depth = mapped[..., 2:]
    places = mapped[..., :2] / np.where(np.abs(depth) > FLOOR, depth, np.where(depth < 0, -FLOOR, FLOOR))
    return clamped(np.concatenate([places.min(-2), places.max(-2)], -1))


def clamped(boxes: ArrayLike) -> Floats:
    """Boxes (..., 4) with every number moved into 0..1000.

    Example:
        >>> clamped([-5, 20, 1200, 30])
        array([   0.,   20., 1000.,   30.])
    """
    return np.clip(as_boxes(boxes, "clamped"), 0.0, EXTENT)


def view_agreement(projected: ArrayLike, found: ArrayLike) -> Floats:
    """How well two boxes agree: (GIoU + 1) / 2.

    Both are clamped to 0..1000 and their corners put in order; a box without area agrees with nothing, not even with
    its like, for two replies `not found` show no agreement about a place.

    Args:
        projected, found: (..., 4).

    Returns: (...), range [0, 1].

    Example:
        >>> view_agreement([100, 100, 300, 300], [[100, 100, 300, 300], [200, 100, 400, 300], [0, 0, 0, 0]]).round(4)
        array([1.    , 0.6667, 0.    ])

    References:
        VISE, arXiv 2606.27373, R_geo. Rezatofighi et al., GIoU, arXiv 1902.09630. Zero for boxes without area is ours.
    """
    a, b = (in_order(clamped(box)) for box in (projected, found))
    seen = (box_area(a) > 0) & (box_area(b) > 0)
    return np.where(seen, (paired_giou(a, b) + 1) / 2, 0.0)


def released_agreement(projected: ArrayLike, found: ArrayLike) -> Floats:
    """`view_agreement` as released code computes it, with the union of the penalty wrong.

    value = (IoU - (C - U') / C + 1) / 2,  U' = (A1 + A2)(1 - IoU) in the place of the union

    Areas are products of signed sides, corners stay as they are, IoU is 0 where the overlap has a negative side, and
    denominators are at least 1e-6. Equal boxes get 0.5, swapped corners up to any value.

    Example:
        >>> released_agreement([100, 100, 300, 300], [[100, 100, 300, 300], [200, 100, 400, 300]]).round(4)
        array([0.5   , 0.6111])

    References:
        Release of VISE, arXiv 2606.27373.
    """
    a, b = (np.clip(as_boxes(box, "released_agreement"), -FAR, FAR) for box in (projected, found))
    inner = _corners(np.maximum(a, b)[..., :2], np.minimum(a, b)[..., 2:])
    outer = _corners(np.minimum(a, b)[..., :2], np.maximum(a, b)[..., 2:])
    both = box_area(a, finite_boxes) + box_area(b, finite_boxes)
    apart = (inner[..., 2] < inner[..., 0]) | (inner[..., 3] < inner[..., 1])
    shared = np.where(apart, 0.0, box_area(inner, finite_boxes))
    iou = shared / np.maximum(both - shared, FLOOR)
    hull = box_area(outer, finite_boxes)
    return np.asarray((iou - (hull - (both - iou * both)) / np.maximum(hull, FLOOR) + 1) / 2)


def in_order(boxes: ArrayLike) -> Floats:
    """Boxes (..., 4) with x1 <= x2 and y1 <= y2.

    Example:
        >>> in_order([300, 300, 100, 100])
        array([100., 100., 300., 300.])
    """
    array = as_boxes(boxes, "in_order")
    first, second = array[..., :2], array[..., 2:]
    return _corners(np.minimum(first, second), np.maximum(first, second))


def pixel_box(box: ArrayLike, width: int, height: int) -> PixelBox:
    """A box of thousandths in whole pixels of the picture: x width / 1000, y height / 1000, cut to integers, clamped.

    Example:
        >>> pixel_box([100, 200, 300, 400], 640, 480)
        PixelBox(left=64, top=96, right=192, bottom=192)
    """
    sides = np.array([width, height] * 2)
    numbers = np.clip(as_boxes(box, "pixel_box"), -EXTENT * FAR, EXTENT * FAR) * sides / EXTENT
    left, top, right, bottom = np.clip(np.trunc(numbers), 0, sides).astype(int).tolist()
    return PixelBox(left, top, right, bottom)


def as_matrices(value: ArrayLike) -> Floats:
    """`value` as finite float matrices (..., 3, 3).

    Raises:
        ShapeError: it is none.
    """
    try:
        array: NDArray[np.float64] = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"a view needs a 3x3 matrix of numbers, got {value!r:.80}") from error
    if array.shape[-2:] != (3, 3) or not np.isfinite(array).all():
        raise ShapeError(f"a view needs a 3x3 matrix of finite numbers, got {value!r:.80}")
    return array


def _corners(first: Floats, second: Floats) -> Floats:
    return np.concatenate([first, second], axis=-1)
