"""Small pictures whose truth is known exactly: real handwritten digits and plain shapes on a square canvas.

Draws `Thing`s, knows nothing of questions. A box is xyxy in pixels of the drawn image, right and bottom edges
excluded, tight around the ink. The digits are the 1,797 8x8 scans bundled with scikit-learn, split once into 1,400
for training and 397 that only held-out splits draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

SIDE = 48
COLOURS = {
    "red": (235, 45, 45),
    "green": (45, 205, 60),
    "blue": (60, 95, 250),
    "yellow": (235, 220, 40),
    "cyan": (45, 220, 225),
    "magenta": (230, 60, 220),
}
DIGITS = tuple("0123456789")
SHAPES = ("circle", "square", "triangle")
TRAIN_GLYPHS = 1400
INK = 0.25
MIDDLE_GREY = 110


@dataclass(frozen=True)
class Thing:
    """One object to draw: `name` is a digit or a shape, `box` its place.

    `size` is the nominal height in pixels (a digit's ink is a little smaller), `glyph` the scan a digit is drawn from.
    """

    name: str
    colour: str
    box: tuple[int, int, int, int]
    size: int
    glyph: int = -1

    def truth(self) -> dict[str, Any]:
        """Name, colour and box as plain JSON values."""
        return {"name": self.name, "colour": self.colour, "box": list(self.box)}


@dataclass(frozen=True)
class Look:
    """How a scene is photographed.

    Args:
        contrast: distance of every pixel from middle grey, 1 = as drawn, 0 = nothing to see.
        noise: standard deviation of the pixel noise, in 0..255 grey levels.
        background: grey level, 0..255.
        tint: how far every colour is moved towards white, 0..1.
    """

    contrast: float = 1.0
    noise: float = 8.0
    background: int = 40
    tint: float = 0.0


@cache
def glyphs() -> tuple[np.ndarray, np.ndarray]:
    """Digit scans (N, 8, 8) in 0..1 and their names (N,), shuffled once with a fixed seed."""
    from sklearn.datasets import load_digits

    scans = load_digits()
    order = np.random.default_rng(7).permutation(len(scans.target))
    return scans.images[order] / 16.0, scans.target[order]


@cache
def glyphs_of(name: str, held_out: bool) -> np.ndarray:
    """Indices of the scans of one digit, of the training part or the held-out part."""
    names = glyphs()[1]
    found = np.flatnonzero(names == int(name))
    return found[found >= TRAIN_GLYPHS] if held_out else found[found < TRAIN_GLYPHS]


@cache
def glyph_mask(glyph: int, size: int) -> np.ndarray:
    """Coverage (H, W) in 0..1 of a digit scan scaled to `size` pixels of height, cropped to its ink."""
    scan = Image.fromarray((glyphs()[0][glyph] * 255).astype(np.uint8))
    mask = np.asarray(scan.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float32) / 255
    rows, columns = np.flatnonzero((mask > INK).any(1)), np.flatnonzero((mask > INK).any(0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@cache
def shape_mask(name: str, size: int) -> np.ndarray:
    """Coverage (size, size) in 0..1 of a filled shape, drawn at four times the size and averaged down."""
    big = size * 4
    image = Image.new("L", (big, big))
    pen = ImageDraw.Draw(image)
    if name == "circle":
        pen.ellipse((0, 0, big - 1, big - 1), fill=255)
    elif name == "square":
        pen.rectangle((0, 0, big - 1, big - 1), fill=255)
    else:
        pen.polygon([(big // 2, 0), (big - 1, big - 1), (0, big - 1)], fill=255)
    return np.asarray(image.resize((size, size), Image.Resampling.BOX), dtype=np.float32) / 255


def mask_of(name: str, size: int, glyph: int) -> np.ndarray:
    """Coverage (H, W) of an object of nominal `size` pixels."""
    return glyph_mask(glyph, size) if name in DIGITS else shape_mask(name, size)


def place(
    rng: np.random.Generator, name: str, colour: str, size: int, taken: list[Thing], held_out: bool
) -> Thing | None:
    """A free place for an object of nominal `size`, or None when 40 tries find no place with a pixel of margin."""
    glyph = int(rng.choice(glyphs_of(name, held_out))) if name in DIGITS else -1
    height, width = mask_of(name, size, glyph).shape
    for _ in range(40):
        x, y = int(rng.integers(0, SIDE - width + 1)), int(rng.integers(0, SIDE - height + 1))
        box = (x, y, x + width, y + height)
        if all(apart(box, other.box) for other in taken):
            return Thing(name, colour, box, size, glyph)
    return None


def apart(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two xyxy boxes keep at least one pixel between them."""
    return a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def draw(
    things: Sequence[Thing], look: Look, rng: np.random.Generator, size: tuple[int, int] = (SIDE, SIDE)
) -> Image.Image:
    """An RGB picture of the things, later ones in front; `size` is (width, height)."""
    canvas: np.ndarray = np.full((size[1], size[0], 3), look.background, np.float32)
    for thing in things:
        x1, y1, x2, y2 = thing.box
        mask = mask_of(thing.name, thing.size, thing.glyph)[..., None]
        ink = np.array(COLOURS[thing.colour], np.float32) * (1 - look.tint) + 255 * look.tint
        canvas[y1:y2, x1:x2] = canvas[y1:y2, x1:x2] * (1 - mask) + ink * mask
    canvas = MIDDLE_GREY + look.contrast * (canvas - MIDDLE_GREY) + rng.normal(0, look.noise, canvas.shape)
    return Image.fromarray(canvas.clip(0, 255).astype(np.uint8))
