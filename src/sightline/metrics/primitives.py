"""How near two diagrams are in the parameters of their primitives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline.core.errors import ShapeError
from sightline.core.primitives import Primitives
from sightline.metrics.matching import hungarian

Floats = NDArray[np.float64]
Distance = Callable[[Sequence[Any], Sequence[Any]], Floats]
VERTICAL = 1e-9
MOST = 128  # primitives of a class that are matched


class PrimitiveMatch(NamedTuple):
    """Two diagrams matched, class by class.

    Args:
        distances: of the matched pairs.
        cost: their sum, and the price of each primitive of a class that only one side has.
        predicted, gold: primitives of either side.
    """

    distances: tuple[float, ...]
    cost: float
    predicted: int
    gold: int

    @property
    def nearness(self) -> float:
        """exp(-mean distance of the matched pairs), 0 without any; primitives that are not matched do not count."""
        return math.exp(-math.fsum(self.distances) / len(self.distances)) if self.distances else 0.0

    @property
    def f1(self) -> float:
        """2 PR / (P + R) of the matched pairs: P of what was predicted, R of the gold ones; 0 without any."""
        return 2 * len(self.distances) / (self.predicted + self.gold) if self.distances else 0.0


def line_parameters(points: Sequence[Sequence[float]]) -> Floats:
    """(a, b, c) of the straight line a x + b y + c = 0 nearest to some points, a^2 + b^2 = 1.

    The line has the least sum of squared orthogonal distances; through two points it goes. a > 0, or a = 0 and b > 0.

    Args:
        points: (n, 2), two of them different.

    Raises:
        ShapeError: not so.

    Example:
        >>> line_parameters([(3, 4), (0, 0)]).round(6) + 0.0
        array([ 0.8, -0.6,  0. ])

    References:
        CogFlow, arXiv 2601.01874, its visual parameterised reward; the sign rule is ours.
    """
    xy = np.asarray(points, dtype=np.float64)
    if xy.ndim != 2 or xy.shape[1:] != (2,) or not (xy != xy[:1]).any():
        raise ShapeError(f"line_parameters: needs (n, 2) points, two of them different; got {xy.tolist()!r:.80}")
    middle = xy.mean(0)
    centred = xy - middle
    scale = np.abs(centred).max()
    a, b = np.linalg.svd(centred / scale)[2][1]
    sign = -1.0 if a < -VERTICAL or (abs(a) <= VERTICAL and b < 0) else 1.0
    normal = sign * np.array([a, b])
    return np.array([*normal, -float(normal @ middle)])


def line_distances(lines_P3: Floats, lines_G3: Floats) -> Floats:
    """(P, G) distances of lines in (a, b, c), the smaller one over both signs of a line.

    Example:
        >>> line_distances(np.array([[0.0, 1.0, 2.0]]), np.array([[0.0, -1.0, -2.0], [0.0, 1.0, 0.0]]))
        array([[0., 2.]])
    """
    return np.minimum(euclidean(lines_P3, lines_G3), euclidean(lines_P3, -lines_G3))


def euclidean(one_PD: Floats, other_GD: Floats) -> Floats:
    """(P, G) Euclidean distances."""
    return np.asarray(np.linalg.norm(one_PD[:, None] - other_GD[None], axis=-1))


def match_primitives(
    predicted: Primitives, gold: Primitives, missed: float = 1.0, invented: float = 1.0
) -> PrimitiveMatch:
    """Primitives of either side in pairs of least total distance, class by class.

    Args:
        missed, invented: price of a gold (predicted) primitive of a class that the other side lacks altogether.

    Of a class 128 primitives a side are matched; further ones count as not matched.

    Example:
        >>> found = match_primitives(Primitives(((10, 1), (1, 0))), Primitives(((0, 0), (10, 0))))
        >>> found.cost, round(found.nearness, 6), found.f1
        (2.0, 0.367879, 1.0)

    References:
        CogFlow, arXiv 2601.01874, algorithm 1. Both prices are 1 by assumption: the paper prints none.
    """
    distances: list[float] = []
    cost = 0.0
    for mine, right, far in _classes(predicted, gold):
        if mine and right:
            cost_PG = far(mine[:MOST], right[:MOST])
            pairs = hungarian(cost_PG)
            distances += [float(cost_PG[p, g]) for p, g in enumerate(pairs.tolist()) if g >= 0]
        else:
            cost += missed * len(right) + invented * len(mine)
    return PrimitiveMatch(tuple(distances), cost + math.fsum(distances), len(predicted), len(gold))


def _classes(predicted: Primitives, gold: Primitives) -> Iterator[tuple[Sequence[Any], Sequence[Any], Distance]]:
    yield predicted.points, gold.points, _apart
    yield predicted.lines, gold.lines, _lines_apart
    yield predicted.circles, gold.circles, _apart


def _apart(one: Sequence[Any], other: Sequence[Any]) -> Floats:
    return euclidean(np.array(one, dtype=np.float64), np.array(other, dtype=np.float64))


def _lines_apart(one: Sequence[Any], other: Sequence[Any]) -> Floats:
    return line_distances(*(np.array([line_parameters(line) for line in lines]) for lines in (one, other)))
