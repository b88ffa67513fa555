"""Pictures turned by an angle, without the empty corners that would tell by how much.

Knows angles and sides only. Pillow is imported when something is turned.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


def inner_rectangle(width: int, height: int, degrees: float, exact: bool = True) -> tuple[int, int]:
    """Width and height of the largest upright rectangle inside a turned one.

    With s = |sin t|, c = |cos t|, long and short side:
    short <= 2 s c long, or |s - c| < 1e-10:  q = short / 2;  (q / s, q / c) if width >= height else (q / c, q / s)
    else, d = c^2 - s^2:  ((width c - height s) / d, (height c - width s) / d)

    Args:
        width, height: pixels.
        degrees: counter-clockwise.
        exact: round to 9 decimals before cutting to whole pixels; without it, as released, a size that is whole may
            come out one pixel too small, which gives the angle away.

    Returns: whole pixels; (0, 0) for a side that is not positive.

    Example:
        >>> inner_rectangle(100, 100, 45), inner_rectangle(500, 300, 20)
        ((70, 70), (438, 159))
        >>> inner_rectangle(320, 240, 90), inner_rectangle(320, 240, 90, exact=False)
        ((240, 320), (239, 320))

    References:
        The rotation task of SSL4RL, arXiv 2510.16416; rounding is ours.
    """
    if width <= 0 or height <= 0:
        return 0, 0
    angle = math.radians(degrees)
    sine, cosine = abs(math.sin(angle)), abs(math.cos(angle))
    longest, shortest = max(width, height), min(width, height)
    if shortest <= 2.0 * sine * cosine * longest or abs(sine - cosine) < 1e-10:
        half = 0.5 * shortest
        found = (half / sine, half / cosine) if width >= height else (half / cosine, half / sine)
    else:
        double = cosine * cosine - sine * sine
        found = (width * cosine - height * sine) / double, (height * cosine - width * sine) / double
    across, down = (round(side, 9) if exact else side for side in found)
    return int(across), int(down)


def turned(picture: Image, degrees: float, exact: bool = True) -> Image:
    """The picture turned counter-clockwise on a canvas that holds it all, then cut to its inner rectangle.

    Quarter turns move pixels and change none.

    Args:
        exact: see `inner_rectangle`.

    Example:
        >>> from PIL import Image
        >>> turned(Image.new("RGB", (40, 30)), 90).size, turned(Image.new("RGB", (100, 100)), 45).size
        ((30, 40), (70, 70))
    """
    from PIL import Image

    canvas = picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    width, height = inner_rectangle(*picture.size, degrees, exact)
    left, top = (canvas.width - width) // 2, (canvas.height - height) // 2
    return canvas.crop((left, top, left + width, top + height))


def centre_square(picture: Image) -> Image:
    """The largest square in the middle.

    Example:
        >>> from PIL import Image
        >>> centre_square(Image.new("L", (40, 31))).size
        (31, 31)
    """
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))
