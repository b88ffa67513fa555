"""Primitives drawn as a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sightline.core.primitives import SIDE, Primitives

MOST, FAR = 512, 200.0


def drawn(diagram: Primitives, side: int = 448) -> NDArray[np.uint8]:
    """A diagram in black on white: lines and circles 2 pixels wide, points as dots of 3.

    Segments go between the points that a line was listed with. 512 primitives of a class are drawn, coordinates beyond
    200 are cut to that.

    Args:
        side: of the picture, in pixels, for -10..10.

    Returns: (side, side, 3).

    Example:
        >>> picture = drawn(Primitives(points=((0.0, 0.0),)))
        >>> picture.shape, int((picture[..., 0] < 128).sum())
        ((448, 448, 3), 9)

    References:
        CogFlow, arXiv 2601.01874, its visual semantic reward; canvas and widths are ours.
    """
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (side, side), "white")
    pen = ImageDraw.Draw(canvas)

    def at(value: float) -> float:
        return (min(max(value, -FAR), FAR) + SIDE / 2) / SIDE * side

    for line in diagram.lines[:MOST]:
        pen.line([(at(x), at(y)) for x, y in line[:MOST]], fill="black", width=2)
    for x, y, radius in diagram.circles[:MOST]:
        reach = min(radius, FAR) / SIDE * side
        pen.ellipse((at(x) - reach, at(y) - reach, at(x) + reach, at(y) + reach), outline="black", width=2)
    for x, y in diagram.points[:MOST]:
        left, top = round(at(x)), round(at(y))
        pen.rectangle((left - 1, top - 1, left + 1, top + 1), fill="black")
    return np.asarray(canvas, dtype=np.uint8)
