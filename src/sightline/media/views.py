"""Random views of a picture, as contrastive learning makes them: the same thing, cropped and recoloured.

Everything random comes from the generator that is handed in. Pillow is imported when a view is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class RandomView:
    """A random crop, resized to a square, then recoloured by chance.

    Args:
        side: pixels of the view, on both sides.
        area: share of the picture's area that the crop has, least and most; its aspect ratio is 3/4 to 4/3.
        jitter: how far brightness, contrast, saturation (factors) and hue (turns) change.
        chance_jitter, chance_grey, chance_blur, chance_solarise, chance_equalise, chance_flip: of each step.
        blur: least and greatest standard deviation in pixels.

    Example:
        >>> from PIL import Image
        >>> RandomView(side=32)(Image.new("RGB", (50, 40), "red"), np.random.default_rng(0)).size
        (32, 32)

    References:
        Chen et al., SimCLR, arXiv 2002.05709. Settings: the contrastive task of SSL4RL, arXiv 2510.16416.
    """

    side: int = 224
    area: tuple[float, float] = (0.08, 1.0)
    jitter: tuple[float, float, float, float] = (0.8, 0.8, 0.8, 0.2)
    chance_jitter: float = 0.8
    chance_grey: float = 0.2
    chance_blur: float = 0.5
    chance_solarise: float = 0.0
    chance_equalise: float = 0.0
    chance_flip: float = 0.5
    blur: tuple[float, float] = (0.1, 2.0)

    def __call__(self, picture: Image, rng: np.random.Generator) -> Image:
        from PIL import ImageOps

        view = self._cropped(picture.convert("RGB"), rng)
        if rng.random() < self.chance_flip:
            view = ImageOps.mirror(view)
        return self.recoloured(view, rng)

    def recoloured(self, picture: Image, rng: np.random.Generator) -> Image:
        """The whole picture, neither cropped nor flipped, with the steps that change colours and sharpness.

        Example:
            >>> from PIL import Image
            >>> RandomView().recoloured(Image.new("RGB", (50, 40), "red"), np.random.default_rng(0)).size
            (50, 40)
        """
        from PIL import ImageFilter, ImageOps

        view = picture.convert("RGB")
        if rng.random() < self.chance_jitter:
            view = self._jittered(view, rng)
        if rng.random() < self.chance_grey:
            view = view.convert("L").convert("RGB")
        if rng.random() < self.chance_blur:
            view = view.filter(ImageFilter.GaussianBlur(rng.uniform(*self.blur)))
        if rng.random() < self.chance_solarise:
            view = ImageOps.solarize(view, 128)
        if rng.random() < self.chance_equalise:
            view = ImageOps.equalize(view)
        return view

    def _cropped(self, picture: Image, rng: np.random.Generator) -> Image:
        """A crop of a random share of the area; the largest square in the middle if ten tries do not fit."""
        from PIL import Image

        from sightline.media.rotation import centre_square

        crop = centre_square(picture)
        for _ in range(10):
            area = picture.width * picture.height * rng.uniform(*self.area)
            ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
            width, height = round(float(np.sqrt(area * ratio))), round(float(np.sqrt(area / ratio)))
            if 0 < width <= picture.width and 0 < height <= picture.height:
                left, top = (int(rng.integers(n + 1)) for n in (picture.width - width, picture.height - height))
                crop = picture.crop((left, top, left + width, top + height))
                break
        return crop.resize((self.side, self.side), Image.Resampling.BICUBIC)

    def _jittered(self, view: Image, rng: np.random.Generator) -> Image:
        from PIL import ImageEnhance

        kinds = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
        factors = [rng.uniform(max(0.0, 1 - width), 1 + width) for width in self.jitter[:3]]
        turn = rng.uniform(-self.jitter[3], self.jitter[3])
        for step in rng.permutation(4).tolist():
            view = _hue_turned(view, turn) if step == 3 else kinds[step](view).enhance(factors[step])
        return view


PLAIN_VIEW = RandomView()
STRONG_VIEW = RandomView(
    area=(0.08, 0.3), chance_grey=0.8, chance_blur=0.8, chance_solarise=0.8, chance_equalise=0.8, chance_flip=0.8
)


def _hue_turned(view: Image, turns: float) -> Image:
    from PIL import Image

    hue, saturation, value = view.convert("HSV").split()
    moved = Image.fromarray(((np.asarray(hue).astype(np.int64) + round(turns * 255)) % 256).astype(np.uint8))
    return Image.merge("HSV", (moved, saturation, value)).convert("RGB")
