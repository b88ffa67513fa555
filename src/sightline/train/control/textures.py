"""Pictures that make a rendered scene look more like a photograph: sky, tiles, metal, a mountain and a car.

Drawn from a seed, so that no file is shipped. Encoders trained on photographs tell goals apart better on such scenes.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Picture = NDArray[np.uint8]


def sky(side: int = 256, seed: int = 0) -> Picture:
    """Blue above, paler below, with clouds: (side, side, 3)."""
    fall_HW1 = np.linspace(0, 1, side)[:, None, None] * np.ones((1, side, 1))
    blue = (1 - fall_HW1) * np.array([70, 130, 215]) + fall_HW1 * np.array([200, 222, 245])
    cloud_HW1 = np.clip(clouds(side, side, seed) * 2.2 - 1.1, 0, 1)[..., None] * 0.8
    return _bytes(blue * (1 - cloud_HW1) + 250 * cloud_HW1)


def tiles(side: int = 256, seed: int = 0) -> Picture:
    """Four stone floor tiles with grout between them: (side, side, 3)."""
    stone = 150 + 40 * (clouds(side, side, seed)[..., None] - 0.5) + np.array([8, 2, -8])
    place = np.arange(side) % (side // 2)
    grout = (place < max(side // 64, 1)).astype(float)
    lines_HW1 = np.maximum(grout[:, None], grout[None, :])[..., None]
    return _bytes(stone * (1 - 0.55 * lines_HW1))


def metal(side: int = 128, seed: int = 0) -> Picture:
    """Brushed metal panels with seams and bolts: (side, side, 3)."""
    brushed = np.random.default_rng(seed).normal(0, 6, (side, 1, 1)) + 12 * (clouds(side, side, seed)[..., None] - 0.5)
    plate = Image.fromarray(_bytes(np.array([176, 182, 190]) + brushed + np.zeros((side, side, 3))))
    draw, step = ImageDraw.Draw(plate), side // 2
    for corner in range(0, side, step):
        draw.line([(corner, 0), (corner, side)], (70, 74, 80), max(side // 64, 1))
        draw.line([(0, corner), (side, corner)], (70, 74, 80), max(side // 64, 1))
    radius = max(side // 40, 1)
    for x in range(step // 4, side, step // 2):
        for y in range(step // 4, side, step // 2):
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], (120, 124, 130), (60, 62, 66))
    return np.asarray(plate)


def clouds(height: int, width: int, seed: int, octaves: int = 5) -> NDArray[np.float64]:
    """Smooth noise in 0 to 1 that repeats at the edges: the sum of ever finer random grids, each half as strong."""
    rng = np.random.default_rng(seed)
    total, weight = np.zeros((height, width)), 0.0
    for octave in range(octaves):
        cells = 2 ** (octave + 1)
        grid = np.pad(rng.random((cells, cells)), 1, mode="wrap")
        fine = Image.fromarray((grid * 255).astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(fine, dtype=np.float64) / 255 / 2**octave
        weight += 1 / 2**octave
    return np.asarray(total / weight)


def valley(width: int, height: int, ground: NDArray[np.float64], flag: float, seed: int = 0) -> Image.Image:
    """A grassy valley under a sky, with a yellow flag.

    Args:
        ground: (width,) height of the ground above the lower edge at each column, in pixels.
        flag: column where the flag stands.
    """
    air = np.asarray(Image.fromarray(sky(256, seed)).resize((width, height))).astype(float)
    depth_HW = np.arange(height)[:, None] - (height - ground[None, :])
    grain_HW1 = (clouds(height, width, seed + 1)[..., None] - 0.5) * 60
    soil = np.where(depth_HW[..., None] < 0.06 * height, np.array([70, 150, 60]), np.array([125, 88, 58])) + grain_HW1
    scene = Image.fromarray(_bytes(np.where(depth_HW[..., None] >= 0, soil, air)))
    foot, top = height - float(ground[min(int(flag), width - 1)]), 0.125 * height
    draw = ImageDraw.Draw(scene)
    draw.line([(flag, foot), (flag, foot - top)], (60, 45, 30), max(width // 200, 1))
    draw.polygon([(flag, foot - top), (flag, foot - 0.6 * top), (flag + 0.05 * width, foot - 0.8 * top)], (240, 210, 0))
    return scene


def car(width: int, height: int) -> Image.Image:
    """A red car from the side on a transparent ground, four times as fine as asked for and shrunk."""
    w, h = 4 * width, 4 * height
    image = Image.new("RGBA", (w, h))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle([0, 0.4 * h, w - 1, 0.8 * h], 0.1 * h, (200, 25, 30, 255))
    draw.polygon([(0.2 * w, 0.42 * h), (0.32 * w, 0.05 * h), (0.68 * w, 0.05 * h), (0.82 * w, 0.42 * h)], (170, 15, 20))
    draw.polygon([(0.3 * w, 0.4 * h), (0.37 * w, 0.14 * h), (0.64 * w, 0.14 * h), (0.73 * w, 0.4 * h)], (190, 225, 240))
    for middle in (0.24 * w, 0.76 * w):
        draw.ellipse([middle - 0.22 * h, 0.56 * h, middle + 0.22 * h, h - 1], (30, 30, 30))
        draw.ellipse([middle - 0.1 * h, 0.68 * h, middle + 0.1 * h, 0.88 * h], (170, 170, 175))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def png(picture: Picture) -> bytes:
    """A picture as the bytes of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def _bytes(values: NDArray[np.float64]) -> Picture:
    return np.asarray(np.clip(values, 0, 255).astype(np.uint8))
