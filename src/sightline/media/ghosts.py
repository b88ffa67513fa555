"""A part of a picture made unrecognisable where it stands: blurred beyond reading, or one flat colour.

Pictures are arrays (H, W, 3) of uint8; every function returns a new one of the same shape.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sightline.media.degrade import Picture

SIGMA, KERNEL = 25.0, 51


def blurred_region(picture: Picture, box: Sequence[int], sigma: float = SIGMA, kernel: int = KERNEL) -> Picture:
    """A Gaussian blur of a region by itself: nothing from outside flows in; edges are mirrored.

    Args:
        box: left, top, right, bottom in pixels, right and bottom excluded; cut at the picture's edge. A region without
            area changes nothing.
        sigma: standard deviation in pixels.
        kernel: width of the filter in pixels, odd; beyond it the Gaussian is cut.

    Example:
        >>> picture = np.zeros((8, 8, 3), np.uint8); picture[2:4, 2:4] = 160
        >>> blurred_region(picture, (0, 0, 4, 4))[2, 2, 0] < 80, blurred_region(picture, (4, 4, 8, 8)).max()
        (np.True_, np.uint8(160))

    References:
        VISE, arXiv 2606.27373, semantic invariance.
    """
    from scipy.ndimage import correlate1d

    left, top, right, bottom = _inside(picture, box)
    spoilt = picture.copy()
    if left < right and top < bottom:
        weights = np.exp(-0.5 * ((np.arange(kernel) - (kernel - 1) / 2) / sigma) ** 2)
        region = picture[top:bottom, left:right].astype(np.float64)
        for axis in (0, 1):
            region = correlate1d(region, weights / weights.sum(), axis=axis, mode="mirror")
        spoilt[top:bottom, left:right] = np.rint(region).clip(0, 255)
    return spoilt


def flat_region(picture: Picture, box: Sequence[int]) -> Picture:
    """A region in its mean colour, cut to whole grey levels; see `blurred_region` for the box.

    Example:
        >>> picture = np.zeros((2, 2, 3), np.uint8); picture[0] = 255
        >>> flat_region(picture, (0, 0, 2, 2))[:, 0, 0].tolist()
        [127, 127]
    """
    left, top, right, bottom = _inside(picture, box)
    spoilt = picture.copy()
    if left < right and top < bottom:
        spoilt[top:bottom, left:right] = picture[top:bottom, left:right].mean(axis=(0, 1)).astype(np.uint8)
    return spoilt


def _inside(picture: Picture, box: Sequence[int]) -> tuple[int, int, int, int]:
    height, width = picture.shape[:2]
    left, top, right, bottom = (int(edge) for edge in box)
    return max(0, left), max(0, top), min(width, right), min(height, bottom)
