"""Spoiling pictures so that a model sees less: corruptions as values, seeded by the generator that is handed in.

A corruption maps (picture (H, W, 3) of uint8, generator) to a picture of the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sightline.media.degrade import MIDDLE_GREY, noise

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class BlackPatches:
    """Patches of a grid from the top left corner, each black with a probability; those at the edges may be smaller.

    Args:
        side: of a patch in pixels.
        probability: of a patch to be blackened.

    Example:
        >>> white = np.full((28, 20, 3), 255, np.uint8)
        >>> BlackPatches(probability=1.0)(white, np.random.default_rng(0)).max()
        np.uint8(0)
        >>> spoilt = BlackPatches()(white, np.random.default_rng(0))
        >>> [len(np.unique(spoilt[14 * i : 14 * i + 14, 14 * j : 14 * j + 14])) for i in (0, 1) for j in (0, 1)]
        [1, 1, 1, 1]

    References:
        Spotlight on token perception (VPPO), arXiv 2510.09285.
    """

    side: int = 14
    probability: float = 0.5

    def __call__(self, picture: Picture, rng: np.random.Generator) -> Picture:
        height, width = picture.shape[:2]
        black = rng.random((-(-height // self.side), -(-width // self.side))) < self.probability
        mask = np.repeat(np.repeat(black, self.side, 0), self.side, 1)[:height, :width]
        return np.where(mask[..., None], 0, picture).astype(np.uint8)


@dataclass(frozen=True)
class GaussianNoise:
    """Normal noise on every channel, clipped to 0..255.

    Args:
        sd: standard deviation in grey levels.

    Example:
        >>> GaussianNoise(0.0)(np.full((2, 2, 3), 9, np.uint8), np.random.default_rng(0)).max()
        np.uint8(9)
    """

    sd: float = 189.0

    def __call__(self, picture: Picture, rng: np.random.Generator) -> Picture:
        return noise(picture, self.sd, rng)


@dataclass(frozen=True)
class UniformNoise:
    """Nothing but noise: every channel of every pixel uniform in 0..255, whatever was there.

    Example:
        >>> spoilt = UniformNoise()(np.zeros((64, 64, 3), np.uint8), np.random.default_rng(0))
        >>> spoilt.shape, int(spoilt.min()), int(spoilt.max()), 120 < spoilt.mean() < 135
        ((64, 64, 3), 0, 255, np.True_)
    """

    def __call__(self, picture: Picture, rng: np.random.Generator) -> Picture:
        return rng.integers(0, 256, picture.shape, dtype=np.uint8)


@dataclass(frozen=True)
class SolidFill:
    """Nothing but one grey.

    Example:
        >>> SolidFill(0)(np.full((2, 2, 3), 9, np.uint8), np.random.default_rng(0)).max()
        np.uint8(0)
    """

    grey: int = MIDDLE_GREY

    def __call__(self, picture: Picture, rng: np.random.Generator) -> Picture:
        return np.full_like(picture, self.grey)


@dataclass(frozen=True)
class Blur:
    """Gaussian blur.

    Args:
        radius: standard deviation in pixels.

    Example:
        >>> edge = np.zeros((4, 8, 3), np.uint8); edge[:, 4:] = 200
        >>> len(np.unique(Blur(2.0)(edge, np.random.default_rng(0)))) > 2
        True
    """

    radius: float = 6.0

    def __call__(self, picture: Picture, rng: np.random.Generator) -> Picture:
        from PIL import Image, ImageFilter

        return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(self.radius)))
