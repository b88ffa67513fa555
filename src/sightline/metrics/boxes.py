"""How much two boxes overlap: area, IoU, generalised IoU.

Boxes are xyxy. Axes: P predictions, G gold boxes; any axes in front of them are a batch. Which boxes count is a value
(a `Validity`), not a switch. Knows nothing of labels, scores or coordinate frames: both sides must be in one frame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ShapeError

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]
Validity: TypeAlias = Callable[[Floats], Mask]
"""(..., 4) boxes -> (...) True for the boxes that may overlap anything."""

# Beyond these a product of two sides would overflow or vanish, so such boxes are rescaled before they are compared.
_HUGE, _TINY = 1e150, 1e-290


def as_boxes(value: ArrayLike, who: str = "boxes") -> Floats:
    """`value` as a float array (..., 4); an empty list is (0, 4).

    Raises:
        ShapeError: `value` is ragged, not numeric, or its last axis is not 4.

    Example:
        >>> as_boxes([]).shape
        (0, 4)
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ShapeError(f"{who}: needs boxes [x1, y1, x2, y2] of numbers, got {value!r:.80}") from error
    if array.shape == (0,):
        return array.reshape(0, 4)
    if array.ndim == 0 or array.shape[-1] != 4:
        raise ShapeError(f"{who}: needs shape (..., 4) of x1, y1, x2, y2, got {array.shape}")
    return array


def finite_boxes(boxes: Floats) -> Mask:
    """Validity that only asks for four finite numbers: swapped corners pass, as in unvalidated released code.

    Example:
        >>> finite_boxes(np.array([[5., 5., 1., 1.], [0., 0., np.inf, 1.]]))
        array([ True, False])
    """
    return np.asarray(np.isfinite(boxes).all(axis=-1))


def proper_boxes(boxes: Floats) -> Mask:
    """Strict validity: four finite numbers, x1 < x2 and y1 < y2.

    Example:
        >>> proper_boxes(np.array([[0., 0., 1., 1.], [5., 5., 1., 1.], [0., 0., 0., 1.]]))
        array([ True, False, False])
    """
    ordered = (boxes[..., 0] < boxes[..., 2]) & (boxes[..., 1] < boxes[..., 3])
    return ordered & finite_boxes(boxes)


def box_area(boxes: ArrayLike, validity: Validity = proper_boxes) -> Floats:
    """Area of each box: (x2 - x1) * (y2 - y1), edges exclusive.

    Args:
        boxes: (..., 4) xyxy.
        validity: boxes that fail it have area 0. With `finite_boxes` a box whose two axes are both swapped has a
            positive area.

    Returns: (...).

    Example:
        >>> box_area([[0, 0, 4, 5], [4, 5, 0, 0]])
        array([20.,  0.])
        >>> box_area([4, 5, 0, 0], validity=finite_boxes)
        array(20.)
    """
    array = as_boxes(boxes)
    with np.errstate(over="ignore"):
        return np.asarray(_area(_zeroed(array, validity(array))))


def box_iou(a_P4: ArrayLike, b_G4: ArrayLike, validity: Validity = proper_boxes, overlap_above: float = 0.0) -> Floats:
    """Intersection over union of every box of `a` with every box of `b`.

    IoU = I / (area(a) + area(b) - I),  I = iw * ih if iw > overlap_above and ih > overlap_above, else 0

    Args:
        a_P4, b_G4: (..., P, 4) and (..., G, 4) xyxy; axes in front are broadcast.
        validity: a box that fails it has IoU 0 with everything; `proper_boxes` (default) or `finite_boxes`.
        overlap_above: pixels that an overlap must exceed on both sides to count at all.

    Returns: (..., P, G), range [0, 1], never NaN. A union of 0 gives 0.

    For inclusive pixels (sides x2 - x1 + 1) add 1 to x2 and y2 of both.

    Example:
        >>> box_iou([[0, 0, 4, 4], [4, 4, 0, 0]], [[0, 0, 4, 4], [0, 2, 4, 6]]).round(4)
        array([[1.    , 0.3333],
               [0.    , 0.    ]])
        >>> box_iou([[0, 0, 1, 1]], [[0, 0, 1, 1]], overlap_above=1)
        array([[0.]])

    References:
        `overlap_above=1` is the released overlap test of VLM-R1, arXiv 2504.07615.
    """
    a, b = as_boxes(a_P4, "box_iou a"), as_boxes(b_G4, "box_iou b")
    return paired_iou(_rows(a), _columns(b), validity, overlap_above)


def paired_iou(a: ArrayLike, b: ArrayLike, validity: Validity = proper_boxes, overlap_above: float = 0.0) -> Floats:
    """IoU of the boxes of `a` with the boxes of `b` one by one: (..., 4) and (..., 4) -> (...). See `box_iou`.

    Example:
        >>> paired_iou([[10, 10, 50, 50], [0, 0, 1, 1]], [14, 10, 54, 50]).round(6)
        array([0.818182, 0.      ])
    """
    a, b = as_boxes(a, "paired_iou a"), as_boxes(b, "paired_iou b")
    inter, union, _ = _regions(_zeroed(a, validity(a)), _zeroed(b, validity(b)), overlap_above, hull=False)
    return _iou(inter, union)


def box_giou(a_P4: ArrayLike, b_G4: ArrayLike, validity: Validity = proper_boxes) -> Floats:
    """Generalised IoU of every box of `a` with every box of `b`.

    GIoU = IoU - (C - U) / C,  U the area of the union, C the area of the smallest box that encloses both

    Args:
        a_P4, b_G4: (..., P, 4) and (..., G, 4) xyxy; axes in front are broadcast.
        validity: a pair with a box that fails it has the lowest value, -1.

    Returns: (..., P, G). Range [-1, 1] for proper boxes. With `finite_boxes` the raw arithmetic: sides of the overlap
    are cut at 0, areas are products of signed sides, U <= 0 makes IoU 0 and C <= 0 makes the second term 0; swapped
    corners can then reach 1 and more.

    Example:
        >>> box_giou([[100, 100, 500, 500], [500, 500, 100, 100]], [[300, 300, 700, 700]]).round(6)
        array([[-0.079365],
               [-1.      ]])
        >>> box_giou([[500, 500, 100, 100]], [[100, 100, 500, 500]], validity=finite_boxes)
        array([[1.]])

    References:
        Rezatofighi et al., Generalized Intersection over Union, arXiv 1902.09630.
    """
    a, b = as_boxes(a_P4, "box_giou a"), as_boxes(b_G4, "box_giou b")
    return paired_giou(_rows(a), _columns(b), validity)


def paired_giou(a: ArrayLike, b: ArrayLike, validity: Validity = proper_boxes) -> Floats:
    """GIoU of the boxes of `a` with the boxes of `b` one by one: (..., 4) and (..., 4) -> (...). See `box_giou`.

    Example:
        >>> paired_giou([0, 0, 100, 100], [900, 900, 1000, 1000])
        array(-0.98)
    """
    a, b = as_boxes(a, "paired_giou a"), as_boxes(b, "paired_giou b")
    valid_a, valid_b = validity(a), validity(b)
    inter, union, hull = _regions(_zeroed(a, valid_a), _zeroed(b, valid_b), 0.0, hull=True)
    enclosed = hull > 0
    with np.errstate(over="ignore"):  # only raw arithmetic can divide by next to nothing
        gap = np.where(enclosed, hull - union, 0) / np.where(enclosed, hull, 1)
    return np.where(valid_a & valid_b, _iou(inter, union) - gap, -1.0)


def _rows(boxes: Floats) -> Floats:
    return boxes[..., :, None, :]


def _columns(boxes: Floats) -> Floats:
    return boxes[..., None, :, :]


def _zeroed(boxes: Floats, valid: Mask) -> Floats:
    """Invalid boxes become [0, 0, 0, 0], which overlaps nothing."""
    return boxes if valid.all() else np.where(valid[..., None], boxes, 0.0)


def _area(boxes: Floats) -> Floats:
    return np.asarray((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))


def _iou(inter: Floats, union: Floats) -> Floats:
    return np.asarray(inter / np.where(union > 0, union, 1.0))


def _regions(a: Floats, b: Floats, overlap_above: float, hull: bool) -> tuple[Floats, Floats, Floats]:
    """Areas of intersection, union and (if asked for) enclosing box."""
    least: tuple[ArrayLike, ArrayLike] = (overlap_above, overlap_above)
    if _extreme(a) or _extreme(b):
        scale_x, scale_y = _scale(a, b, 0), _scale(a, b, 1)
        scale = np.stack([scale_x, scale_y, scale_x, scale_y], axis=-1)
        with np.errstate(over="ignore"):  # a bound that overflows is above every overlap
            a, b, least = a / scale, b / scale, (overlap_above / scale_x, overlap_above / scale_y)
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    inter = np.where((width > least[0]) & (height > least[1]), width * height, 0.0)
    union = _area(a) + _area(b) - inter
    if not hull:
        return inter, union, union
    width = np.maximum(a[..., 2], b[..., 2]) - np.minimum(a[..., 0], b[..., 0])
    height = np.maximum(a[..., 3], b[..., 3]) - np.minimum(a[..., 1], b[..., 1])
    return inter, union, width * height


def _extreme(boxes: Floats) -> bool:
    """Would an area of these boxes overflow or vanish?"""
    if not boxes.size:
        return False
    if max(boxes.max(), -boxes.min()) > _HUGE:
        return True
    area = np.abs(_area(boxes))
    return bool(((area < _TINY) & (boxes[..., 0] != boxes[..., 2]) & (boxes[..., 1] != boxes[..., 3])).any())


def _scale(a: Floats, b: Floats, axis: int) -> Floats:
    """The power of two below the largest coordinate of each pair along an axis; dividing by it is exact."""
    extent = np.maximum(np.abs(a[..., axis::2]).max(axis=-1), np.abs(b[..., axis::2]).max(axis=-1))
    return np.asarray(np.where(extent > 0, np.ldexp(1.0, np.frexp(extent)[1] - 1), 1.0))
