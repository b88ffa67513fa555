"""Spoiling a picture on purpose: motion blur, low contrast, noise, patches. Seeded where chance is needed.

Pictures are arrays (H, W, 3) of uint8; every function returns a new one of the same shape.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Box = Sequence[int]
MIDDLE_GREY = 128


def motion_blur(picture: Picture, length: int, angle: float = 0.0) -> Picture:
    """Every pixel averaged along a straight stroke, as a moving camera does.

    Args:
        length: of the stroke in pixels; 1 changes nothing.
        angle: of the stroke in degrees, 0 is horizontal.

    Example:
        >>> line = np.zeros((1, 5, 3), np.uint8); line[0, 2] = 90
        >>> motion_blur(line, 3)[0, :, 0].tolist()
        [0, 30, 30, 30, 0]
    """
    steps = np.arange(length) - (length - 1) / 2
    shifts = {(round(float(s * np.sin(np.radians(angle)))), round(float(s * np.cos(np.radians(angle))))) for s in steps}
    pad = max(length, 1)
    wide = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)), mode="edge").astype(np.float64)
    height, width = picture.shape[:2]
    moved = [wide[pad + y : pad + y + height, pad + x : pad + x + width] for y, x in shifts]
    return np.asarray(np.mean(moved, axis=0) + 0.5).astype(np.uint8) if moved else picture.copy()


def low_contrast(picture: Picture, contrast: float, middle: int = MIDDLE_GREY) -> Picture:
    """Every pixel moved towards grey: middle + contrast * (pixel - middle).

    Args:
        contrast: 1 changes nothing, 0 leaves nothing to see.

    Example:
        >>> low_contrast(np.full((1, 1, 3), 228, np.uint8), 0.5)[0, 0].tolist()
        [178, 178, 178]
    """
    return np.rint(middle + contrast * (picture.astype(np.float64) - middle)).clip(0, 255).astype(np.uint8)


def wrapped_negative(picture: Picture) -> Picture:
    """The picture in complementary colours: v -> (256 - v) mod 256, so that 0 stays 0.

    What becomes of frames in 0..255 that are scaled by 255 once more and cut to bytes.

    Example:
        >>> wrapped_negative(np.array([[[0, 1, 255]]], np.uint8))[0, 0].tolist()
        [0, 255, 1]
    """
    return np.negative(picture)


def noise(picture: Picture, sd: float, rng: np.random.Generator) -> Picture:
    """Normal noise of standard deviation `sd` grey levels on every channel."""
    return np.rint(picture + rng.normal(0, sd, picture.shape)).clip(0, 255).astype(np.uint8)


def cover(picture: Picture, patches: Sequence[Box], grey: int = MIDDLE_GREY) -> tuple[Picture, NDArray[np.bool_]]:
    """The picture with grey patches, and the mask (H, W) of what they hide.

    Args:
        patches: xyxy in pixels, right and bottom edges excluded.

    Example:
        >>> hidden = cover(np.zeros((4, 4, 3), np.uint8), [(0, 0, 2, 4)])[1]
        >>> hidden.mean()
        np.float64(0.5)
    """
    spoilt, mask = picture.copy(), np.zeros(picture.shape[:2], dtype=bool)
    for x1, y1, x2, y2 in patches:
        mask[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = True
    spoilt[mask] = grey
    return spoilt, mask


def patch_over(box: Box, share: float, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """A patch that hides about this share of a box, from a side drawn by chance.

    Example:
        >>> patch_over((0, 0, 10, 10), 1.0, np.random.default_rng(0))
        (0, 0, 10, 10)
    """
    x1, y1, x2, y2 = (int(edge) for edge in box)
    wide, high = round((x2 - x1) * share), round((y2 - y1) * share)
    return ((x1, y1, x1 + wide, y2), (x2 - wide, y1, x2, y2), (x1, y1, x2, y1 + high), (x1, y2 - high, x2, y2))[
        int(rng.integers(4))
    ]
