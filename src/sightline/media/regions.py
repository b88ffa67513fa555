"""Places in an image: what size a Qwen-type model sees it in, box conventions, crops.

Frames tell coordinates apart (`core.boxes.Frame`); this module makes the frames that models write their boxes in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.boxes import Boxes, Frame, as_xyxy
from sightline.core.errors import ShapeError
from sightline.core.missing import Missing

if TYPE_CHECKING:
    from PIL.Image import Image

MIN_PIXELS = 56 * 56
MAX_PIXELS = 28 * 28 * 1280
MOST_ELONGATED = 200


def smart_resize(
    height: int, width: int, factor: int = 28, min_pixels: int = MIN_PIXELS, max_pixels: int = MAX_PIXELS
) -> tuple[int, int]:
    """The size (height, width) in which a Qwen2-VL-type processor hands an image to the model.

    Both sides become the nearest multiple of `factor` (halves to even). If that has more than `max_pixels`, or fewer
    than `min_pixels`, both sides are first scaled by sqrt(bound / (height * width)) and then rounded down, or up.

    Args:
        height, width: of the image, pixels.
        factor: patch size times merge size: 28 for Qwen2-VL and Qwen2.5-VL, 32 for Qwen3-VL.
        min_pixels, max_pixels: the processor's own settings; recipes often change them.

    Raises:
        ShapeError: a side is not positive, or one side is more than 200 times the other.

    Example:
        >>> smart_resize(480, 640), smart_resize(480, 640, factor=32), smart_resize(3000, 4000)
        ((476, 644), (480, 640), (840, 1148))
    """
    if min(height, width) <= 0:
        raise ShapeError(f"smart_resize: needs positive sides, got {height} x {width}")
    if max(height, width) > MOST_ELONGATED * min(height, width):
        raise ShapeError(f"smart_resize: one side is over {MOST_ELONGATED} times the other: {height} x {width}")
    sides = (height, width)
    rounded = [round(side / factor) * factor for side in sides]
    if math.prod(rounded) > max_pixels:
        shrink = math.sqrt(height * width / max_pixels)
        rounded = [max(factor, math.floor(side / shrink / factor) * factor) for side in sides]
    elif math.prod(rounded) < min_pixels:
        grow = math.sqrt(min_pixels / (height * width))
        rounded = [math.ceil(side * grow / factor) * factor for side in sides]
    return rounded[0], rounded[1]


def model_frame(
    width: int,
    height: int,
    factor: int = 28,
    min_pixels: int = MIN_PIXELS,
    max_pixels: int = MAX_PIXELS,
    image: int = 0,
) -> Frame:
    """Pixels of the resized image that a Qwen2-VL-type model sees, in which it writes absolute coordinates.

    Example:
        >>> seen = model_frame(640, 480)
        >>> Boxes([[322, 238, 644, 476]], seen).to(Frame.pixels(640, 480)).xyxy
        array([[320., 240., 640., 480.]])
    """
    seen_height, seen_width = smart_resize(height, width, factor, min_pixels, max_pixels)
    return Frame.pixels(seen_width, seen_height, image)


def grid_frame(rows: int, columns: int, patch: int = 14, image: int = 0) -> Frame:
    """The same frame from the patch grid (`image_grid_thw`) that a processor reports: `patch` pixels a cell.

    Example:
        >>> grid_frame(34, 46) == model_frame(640, 480)
        True
    """
    return Frame.pixels(columns * patch, rows * patch, image)


def crop(
    image: Image, box: Sequence[float] | NDArray[Any], frame: Frame | None = None, pad: float = 0.0
) -> Image | Missing:
    """The part of an image inside a box, rounded out to whole pixels and cut at the image's edge.

    Args:
        image: a Pillow image.
        box: x1, y1, x2, y2.
        frame: the coordinates of the box; None: pixels of this image.
        pad: margin on each side, as a share of the box's width and height.

    Returns:
        The crop, or Missing if the corners are swapped, not finite, or nothing of the box lies in the image.

    Raises:
        ShapeError: the box does not have 4 numbers.

    Example:
        >>> from PIL import Image
        >>> crop(Image.new("RGB", (100, 50)), [0, 0, 0.5, 0.5], Frame.unit(), pad=0.1).size
        (55, 28)
        >>> crop(Image.new("RGB", (100, 50)), [9, 0, 3, 5]).why
        'box [9.0, 0.0, 3.0, 5.0] has no area'
    """
    own = Frame.pixels(*image.size, image=0 if frame is None else frame.image)
    boxes = Boxes(as_xyxy(box, "crop"), own if frame is None else frame)
    if len(boxes) != 1:
        raise ShapeError(f"crop: needs one box, got {len(boxes)}")
    if not boxes.valid[0]:
        return Missing(f"box {boxes.xyxy[0].tolist()} has no area")
    x1, y1, x2, y2 = boxes.to(own).xyxy[0]
    margin_x, margin_y = pad * (x2 - x1), pad * (y2 - y1)
    left, top = max(0.0, x1 - margin_x), max(0.0, y1 - margin_y)
    right, bottom = min(float(image.width), x2 + margin_x), min(float(image.height), y2 + margin_y)
    if left >= right or top >= bottom:
        return Missing(f"box {boxes.xyxy[0].tolist()} lies outside the image")
    return image.crop((math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)))


def xywh_to_xyxy(boxes: ArrayLike) -> NDArray[np.float64]:
    """Corner and size (COCO) to corners; (N, 4) or (4,).

    Example:
        >>> xywh_to_xyxy([10, 20, 30, 40])
        array([10., 20., 40., 60.])
    """
    x, y, width, height = _columns(boxes)
    return np.stack([x, y, x + width, y + height], axis=-1)


def xyxy_to_xywh(boxes: ArrayLike) -> NDArray[np.float64]:
    """Corners to corner and size (COCO); (N, 4) or (4,).

    Example:
        >>> xyxy_to_xywh([10, 20, 40, 60])
        array([10., 20., 30., 40.])
    """
    x1, y1, x2, y2 = _columns(boxes)
    return np.stack([x1, y1, x2 - x1, y2 - y1], axis=-1)


def cxcywh_to_xyxy(boxes: ArrayLike) -> NDArray[np.float64]:
    """Centre and size (YOLO) to corners; (N, 4) or (4,).

    Example:
        >>> cxcywh_to_xyxy([0.5, 0.5, 1, 0.5])
        array([0.  , 0.25, 1.  , 0.75])
    """
    x, y, width, height = _columns(boxes)
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=-1)


def yxyx_to_xyxy(boxes: ArrayLike) -> NDArray[np.float64]:
    """Corners with y before x (Gemini, TensorFlow) to corners; (N, 4) or (4,).

    Example:
        >>> yxyx_to_xyxy([1, 2, 3, 4])
        array([2., 1., 4., 3.])
    """
    y1, x1, y2, x2 = _columns(boxes)
    return np.stack([x1, y1, x2, y2], axis=-1)


def _columns(boxes: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    array = np.asarray(boxes, dtype=np.float64)
    if array.shape[-1:] != (4,):
        raise ShapeError(f"boxes need shape (N, 4) or (4,), got {array.shape}")
    return tuple(np.moveaxis(array, -1, 0))
