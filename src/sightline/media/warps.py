"""Moves of a picture whose matrix is known: turned and shifted, cropped, or mirrored.

A warp holds a 3x3 matrix that takes pixels (x, y, 1) of the picture to pixels of the view, which has the same size.
Pillow is imported when a picture is moved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sightline.core.errors import ShapeError

if TYPE_CHECKING:
    from PIL.Image import Image

Kind = Literal["affine", "crop", "flip"]
KINDS: tuple[Kind, ...] = ("affine", "crop", "flip")
Matrix = tuple[tuple[float, float, float], ...]
BORDER = 128
_LAST = (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Warp:
    """One move.

    Args:
        kind: affine, crop or flip.
        matrix: three rows; picture to view, in pixels.

    Example:
        >>> from PIL import Image
        >>> picture = Image.new("RGB", (4, 1)); picture.putpixel((0, 0), (9, 9, 9))
        >>> flip(4)(picture).getpixel((3, 0)), crop(1, 0, 2, 1, 4, 1)(picture).size
        ((9, 9, 9), (4, 1))
    """

    kind: Kind
    matrix: Matrix

    def __call__(self, picture: Image) -> Image:
        """The view, of the picture's size; what lies outside the picture is grey."""
        from PIL import Image, ImageOps

        if self.kind == "flip":
            return ImageOps.mirror(picture)
        back = np.linalg.inv(np.array(self.matrix))[:2].reshape(-1).tolist()
        grey = (BORDER,) * len(picture.getbands())
        method = Image.Resampling.BILINEAR
        return picture.transform(picture.size, Image.Transform.AFFINE, back, resample=method, fillcolor=grey)


def affine(width: int, height: int, degrees: float, scale: float, shift: tuple[float, float]) -> Warp:
    """Turned about the centre, scaled, then shifted.

    a = scale cos, b = scale sin;  rows (a, b, (1 - a) W/2 - b H/2 + tx), (-b, a, b W/2 + (1 - a) H/2 + ty)

    Args:
        degrees: counter-clockwise, as one sees it.
        shift: pixels right and down.

    Example:
        >>> affine(4, 2, 0, 1, (3, -1)).matrix[:2]
        ((1.0, 0.0, 3.0), (-0.0, 1.0, -1.0))
    """
    a, b = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    x, y = width / 2, height / 2
    return Warp("affine", ((a, b, (1 - a) * x - b * y + shift[0]), (-b, a, b * x + (1 - a) * y + shift[1]), _LAST))


def crop(left: int, top: int, wide: int, high: int, width: int, height: int) -> Warp:
    """A window resized to the size of the picture: x' = (x - left) W / wide, y' = (y - top) H / high.

    Raises:
        ShapeError: the window has no area.

    Example:
        >>> crop(64, 48, 512, 384, 640, 480).matrix[0]
        (1.25, 0.0, -80.0)
    """
    if min(wide, high) <= 0:
        raise ShapeError(f"crop: a window of {wide} x {high} pixels has no area")
    x, y = width / wide, height / high
    return Warp("crop", ((x, 0.0, -left * x), (0.0, y, -top * y), _LAST))


def flip(width: int) -> Warp:
    """Left and right exchanged: x' = W - x. Words such as `left` then mean the other side."""
    return Warp("flip", ((-1.0, 0.0, float(width)), (0.0, 1.0, 0.0), _LAST))


@dataclass(frozen=True)
class RandomWarp:
    """A move drawn by chance: each kind equally often.

    Args:
        kinds: to choose from.
        degrees, scale, shift: ranges of an affine move: degrees about the centre, factor, pixels on each axis.
        ratio: range of a crop's side as a share of the picture's.

    Example:
        >>> RandomWarp(kinds=("flip",))(640, 480, np.random.default_rng(0)).matrix[0]
        (-1.0, 0.0, 640.0)

    References:
        VISE, arXiv 2606.27373, released ranges.
    """

    kinds: tuple[Kind, ...] = KINDS
    degrees: tuple[float, float] = (-10.0, 10.0)
    scale: tuple[float, float] = (0.9, 1.1)
    shift: tuple[float, float] = (-50.0, 50.0)
    ratio: tuple[float, float] = (0.8, 1.0)

    def __call__(self, width: int, height: int, rng: np.random.Generator) -> Warp:
        kind = self.kinds[int(rng.integers(len(self.kinds)))]
        if kind == "flip":
            return flip(width)
        if kind == "affine":
            degrees, scale = rng.uniform(*self.degrees), rng.uniform(*self.scale)
            across, down = rng.uniform(*self.shift, 2).tolist()
            return affine(width, height, degrees, scale, (across, down))
        ratio = rng.uniform(*self.ratio)
        wide, high = max(1, int(ratio * width)), max(1, int(ratio * height))
        left, top = int(rng.integers(width - wide + 1)), int(rng.integers(height - high + 1))
        return crop(left, top, wide, high, width, height)


def moved_points(warp: Warp, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where points (N, 2) of the picture lie in the view.

    Example:
        >>> moved_points(flip(10), np.array([[1.0, 2.0]]))
        array([[9., 2.]])
    """
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ np.array(warp.matrix).T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:])
