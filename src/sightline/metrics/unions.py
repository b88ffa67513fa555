"""The area that several boxes cover together, and how much of other boxes lies in it; exact, overlaps counted once.

Boxes are xyxy in one frame. Knows nothing of what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sightline.metrics.boxes import Floats, Mask, as_boxes, box_area, proper_boxes


@dataclass(frozen=True, eq=False)
class Union:
    """The union of N boxes on the grid of their own edges.

    Args:
        x, y: (C,) and (R,) sorted distinct edges.
        below: (R, C) area of the union left of x and above y.

    Example:
        >>> union = Union.of([[0, 0, 4, 4], [2, 0, 6, 4]])
        >>> union.area, union.inside([[0, 0, 5, 2], [9, 9, 10, 10]])
        (24.0, array([10.,  0.]))
    """

    x: Floats
    y: Floats
    below: Floats

    @classmethod
    def of(cls, boxes: ArrayLike) -> Union:
        """The union of boxes (N, 4); those without ordered corners cover nothing. Cost N x N cells."""
        array = as_boxes(boxes, "Union").reshape(-1, 4)
        array = array[proper_boxes(array)]
        x, y = np.unique(array[:, 0::2]), np.unique(array[:, 1::2])
        if not len(array):
            return cls(np.zeros(1), np.zeros(1), np.zeros((1, 1)))
        left, right = np.searchsorted(x, array[:, 0]), np.searchsorted(x, array[:, 2])
        top, bottom = np.searchsorted(y, array[:, 1]), np.searchsorted(y, array[:, 3])
        # each box adds 1 at two corners and takes it away at the two others: sums then count the boxes over a cell
        steps = np.zeros((len(y), len(x)), dtype=np.int32)
        for rows, columns, sign in ((top, left, 1), (bottom, right, 1), (top, right, -1), (bottom, left, -1)):
            np.add.at(steps, (rows, columns), sign)
        np.cumsum(steps, axis=0, out=steps)
        np.cumsum(steps, axis=1, out=steps)
        below = np.zeros((len(y), len(x)))
        np.multiply(steps[:-1, :-1] > 0, np.diff(x), out=below[1:, 1:])
        below[1:, 1:] *= np.diff(y)[:, None]
        np.cumsum(below, axis=0, out=below)
        np.cumsum(below, axis=1, out=below)
        return cls(x, y, below)

    @property
    def area(self) -> float:
        return float(self.below[-1, -1])

    def inside(self, boxes: ArrayLike) -> Floats:
        """(M,) area of the union inside each of (M, 4) boxes; 0 for boxes without ordered corners."""
        array = as_boxes(boxes, "Union.inside").reshape(-1, 4)
        valid = proper_boxes(array)
        x1, y1, x2, y2 = np.where(valid[:, None], array, 0.0).T
        area = self._up_to(x2, y2) - self._up_to(x1, y2) - self._up_to(x2, y1) + self._up_to(x1, y1)
        return np.maximum(area, 0.0)

    def share(self, boxes: ArrayLike) -> Floats:
        """(M,) share of each of (M, 4) boxes that the union covers, 0..1; 0 for boxes without ordered corners."""
        area = box_area(as_boxes(boxes, "Union.share").reshape(-1, 4))
        return np.clip(self.inside(boxes) / np.where(area > 0, area, 1.0), 0.0, 1.0)

    def _up_to(self, x: Floats, y: Floats) -> Floats:
        """Area of the union left of x and above y: linear between edges."""
        if len(self.x) < 2:
            return np.zeros(len(x))
        column, across = _place(self.x, x)
        row, down = _place(self.y, y)
        upper = self.below[row, column] * (1 - across) + self.below[row, column + 1] * across
        lower = self.below[row + 1, column] * (1 - across) + self.below[row + 1, column + 1] * across
        return np.asarray(upper * (1 - down) + lower * down)


def covered_share(boxes: ArrayLike, regions: ArrayLike) -> Floats:
    """(M,) share of each box that the regions cover together, 0..1.

    Example:
        >>> covered_share([[0, 0, 4, 4]], [[0, 0, 4, 2], [0, 1, 4, 3]])
        array([0.75])
    """
    return Union.of(regions).share(boxes)


def ignorable(boxes: ArrayLike, regions: ArrayLike, above: float = 0.5) -> Mask:
    """Which boxes lie in a region that is not scored: intersection with one region over own area > `above`.

    Crowd annotations have such regions; leave these predictions out before average precision is taken.

    Example:
        >>> ignorable([[0, 0, 4, 4], [0, 0, 4, 9]], [[0, 0, 4, 4]])
        array([ True, False])
    """
    a, b = as_boxes(boxes).reshape(-1, 4)[:, None], as_boxes(regions).reshape(-1, 4)[None]
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.where((width > 0) & (height > 0) & proper_boxes(b), width * height, 0.0)
    area = box_area(a[:, 0])
    return np.asarray(shared.max(axis=1, initial=0.0) > above * area) & (area > 0)


def _place(edges: Floats, values: Floats) -> tuple[np.ndarray, Floats]:
    """The cell that each value lies in, and how far across it, 0..1."""
    cell = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    with np.errstate(over="ignore"):  # edges can be next to each other
        return cell, np.clip((values - edges[cell]) / (edges[cell + 1] - edges[cell]), 0.0, 1.0)
