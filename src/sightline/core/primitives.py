"""Diagrams as primitives: points, lines through points, circles, in a square frame of -10..10."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sightline.core.errors import ShapeError

Pair = tuple[float, float]
SIDE = 20.0


@dataclass(frozen=True)
class Primitives:
    """What a diagram is made of. x goes right, y down, both from -10 to 10 over the picture.

    Args:
        points: (x, y).
        lines: each the points that it was listed with, at least two different ones.
        circles: (x, y, radius), no radius below 0.

    Raises:
        ShapeError: not so, or a number that is not finite.

    Example:
        >>> len(Primitives(((0.0, 0.0),), (((0.0, 0.0), (3.0, 4.0)),)))
        2
    """

    points: tuple[Pair, ...] = ()
    lines: tuple[tuple[Pair, ...], ...] = ()
    circles: tuple[tuple[float, float, float], ...] = ()

    def __post_init__(self) -> None:
        pairs = [*self.points, *(pair for line in self.lines for pair in line)]
        shaped = all(len(pair) == 2 for pair in pairs) and all(len(circle) == 3 for circle in self.circles)
        if not shaped or not all(math.isfinite(number) for one in (*pairs, *self.circles) for number in one):
            raise ShapeError("Primitives: points need to be (x, y), circles (x, y, radius), all of finite numbers")
        if not all(any(pair != line[0] for pair in line) for line in self.lines):
            raise ShapeError("Primitives: a line needs two different points")
        if any(radius < 0 for _, _, radius in self.circles):
            raise ShapeError("Primitives: a radius is below 0")

    def __len__(self) -> int:
        return len(self.points) + len(self.lines) + len(self.circles)

    @classmethod
    def of_pixels(
        cls,
        width: float,
        height: float,
        points: tuple[Pair, ...] = (),
        lines: tuple[tuple[Pair, ...], ...] = (),
        circles: tuple[tuple[float, float, float], ...] = (),
    ) -> Primitives:
        """Primitives given in pixels of a picture; radii are scaled like x.

        x' = 20 x / width - 10,  y' = 20 y / height - 10,  r' = 20 r / width

        Example:
            >>> Primitives.of_pixels(100, 50, points=((50, 0),), circles=((100, 25, 10),))
            Primitives(points=((0.0, -10.0),), lines=(), circles=((10.0, 0.0, 2.0),))
        """

        def placed(x: float, y: float) -> Pair:
            return x / width * SIDE - SIDE / 2, y / height * SIDE - SIDE / 2

        return cls(
            tuple(placed(*point) for point in points),
            tuple(tuple(placed(*point) for point in line) for line in lines),
            tuple((*placed(x, y), r / width * SIDE) for x, y, r in circles),
        )
