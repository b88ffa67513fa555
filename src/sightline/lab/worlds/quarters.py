"""Pictures of four different digits, one in each quarter, and the question where a digit of the same kind is.

`pictures` are the unlabelled ones, for self-supervised items; `rows` ask. The shown digit is another scan, of another
size, at another place. Knows no models.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from sightline.lab.worlds.canvas import glyphs, glyphs_of

QUARTER, SIZES, NOISE = 48, (33, 42), 8.0
PLACES = ("top-left", "top-right", "bottom-left", "bottom-right")


def pictures(n: int, seed: int, held_out: bool = False) -> list[Image.Image]:
    """The first `n` pictures of a seed, 96x96."""
    return [_picture(np.random.default_rng([seed, i, int(held_out)]), held_out)[0] for i in range(n)]


def digits(n: int, seed: int) -> list[Image.Image]:
    """The first `n` pictures of one digit each, 48x48."""
    streams = [np.random.default_rng([seed, i, 2]) for i in range(n)]
    return [_noisy(_cell(str(rng.integers(10)), False, rng), rng) for rng in streams]


def rows(n: int, seed: int) -> list[dict[str, Any]]:
    """The first `n` held-out questions of a seed: a picture, a digit of the kind of one of its four, and where."""
    made = []
    for i in range(n):
        rng = np.random.default_rng([seed, i, 3])
        picture, names = _picture(rng, True)
        place = int(rng.integers(4))
        shown = _noisy(_cell(names[place], True, rng), rng)
        made.append({"images": [picture, shown], "answer": PLACES[place]})
    return made


def _picture(rng: np.random.Generator, held_out: bool) -> tuple[Image.Image, list[str]]:
    names = [str(name) for name in rng.permutation(10)[:4]]
    picture = Image.new("L", (2 * QUARTER, 2 * QUARTER))
    for place, name in enumerate(names):
        picture.paste(_cell(name, held_out, rng), (QUARTER * (place % 2), QUARTER * (place // 2)))
    return _noisy(picture, rng), names


def _cell(name: str, held_out: bool, rng: np.random.Generator) -> Image.Image:
    scan = glyphs()[0][int(rng.choice(glyphs_of(name, held_out)))]
    size = int(rng.integers(SIZES[0], SIZES[1] + 1))
    ink = Image.fromarray((scan * 255).astype(np.uint8)).resize((size, size), Image.Resampling.BICUBIC)
    cell = Image.new("L", (QUARTER, QUARTER), 20)
    left, top = (int(v) for v in rng.integers(0, QUARTER - size + 1, 2))
    cell.paste(ink, (left, top))
    return cell


def _noisy(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    grey = np.asarray(picture, np.float32) + rng.normal(0, NOISE, (picture.height, picture.width))
    return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")
