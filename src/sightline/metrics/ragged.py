"""Lists of different lengths as arrays: one flat array with offsets, and padded buckets of rows of similar length.

Axes: B rows (rollouts), N items of all rows. Knows nothing of what the items mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ShapeError
from sightline.metrics.boxes import Floats, Mask, as_boxes

Indices = NDArray[np.intp]

# Pairs in a bucket: at most what the second-level cache holds; below the least, numpy calls cost more than padding.
_MOST, _LEAST = 1 << 15, 1 << 13


@dataclass(frozen=True, eq=False)
class Ragged:
    """B rows of different lengths: row b is `flat[offsets[b]:offsets[b + 1]]`.

    Args:
        flat: (N, ...) the items of all rows, row after row.
        offsets: (B + 1,) where each row starts; the last is N.

    Example:
        >>> rows = Ragged.of_boxes([[[0, 0, 1, 1]], [], [[0, 0, 2, 2], [1, 1, 3, 3]]])
        >>> rows.counts, rows.row_of
        (array([1, 0, 2]), array([0, 2, 2]))
    """

    flat: NDArray[Any]
    offsets: Indices

    @classmethod
    def from_counts(cls, flat: NDArray[Any], counts: ArrayLike) -> Ragged:
        """`flat` (N, ...) cut into rows of `counts` (B,) items.

        Raises:
            ShapeError: the counts do not add up to N.
        """
        offsets = np.concatenate([[0], np.cumsum(np.asarray(counts, dtype=np.intp))]).astype(np.intp)
        if offsets[-1] != len(flat):
            raise ShapeError(f"Ragged: counts add up to {offsets[-1]}, but there are {len(flat)} items")
        return cls(flat, offsets)

    @classmethod
    def of_boxes(cls, rows: Sequence[Any]) -> Ragged:
        """B lists (or arrays) of xyxy boxes; flat is (N, 4).

        Raises:
            ShapeError: naming the first row that is not a list of four-number boxes.
        """
        return cls.from_counts(_flat_boxes(rows), [len(row) for row in rows])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> Indices:
        """(B,) items of each row."""
        return np.asarray(self.offsets[1:] - self.offsets[:-1])

    @property
    def row_of(self) -> Indices:
        """(N,) the row of each item."""
        return np.repeat(np.arange(len(self)), self.counts)

    def sum(self, values_N: Floats) -> Floats:
        """(B,) sum over each row of one number per item; an empty row has 0."""
        return np.bincount(self.row_of, weights=values_N, minlength=len(self)).astype(np.float64)

    def slots(self, rows: Indices, width: int) -> tuple[Indices, Mask]:
        """For some rows cut or padded to `width`: the item in each place, and whether there is one; both (R, width)."""
        place = np.arange(width)
        present = place < self.counts[rows][:, None]
        return np.where(present, self.offsets[rows][:, None] + place, 0), present

    def padded(self, rows: Indices, width: int, fill: float = np.nan) -> NDArray[Any]:
        """(R, width, ...) the items of some rows, padded with `fill`."""
        items, present = self.slots(rows, width)
        if not len(self.flat):
            return np.full((*present.shape, *self.flat.shape[1:]), fill)
        padded = self.flat[items]
        padded[~present] = fill
        return padded


def buckets(counts_P: ArrayLike, counts_G: ArrayLike) -> Iterator[tuple[Indices, int, int]]:
    """Rows of similar size on both sides together, so that padding stays small.

    Args:
        counts_P, counts_G: (B,) items of each row on either side.

    Yields: (rows, P, G), the largest counts among these rows; every row with items on both sides occurs once.

    Example:
        >>> [(rows.tolist(), P, G) for rows, P, G in buckets([1, 0, 3], [2, 5, 3])]
        [([0, 2], 3, 3)]
    """
    p, g = np.asarray(counts_P, dtype=np.intp), np.asarray(counts_G, dtype=np.intp)
    both = np.flatnonzero((p > 0) & (g > 0))
    if both.size * p[both].max(initial=0) * g[both].max(initial=0) <= _LEAST:
        if both.size:
            yield both, int(p[both].max()), int(g[both].max())
        return
    # powers of two, so that padding at most doubles either side
    size = 64 * np.ceil(np.log2(p[both])).astype(np.intp) + np.ceil(np.log2(g[both])).astype(np.intp)
    order = np.argsort(size, kind="stable")
    for rows in _merged(np.split(both[order], np.flatnonzero(np.diff(size[order])) + 1), p, g):
        step = max(1, _MOST // int(p[rows].max() * g[rows].max()))
        for chunk in (rows[start : start + step] for start in range(0, len(rows), step)):
            yield chunk, int(p[chunk].max()), int(g[chunk].max())


def _merged(groups: list[Indices], p: Indices, g: Indices) -> Iterator[Indices]:
    """Neighbouring groups joined as long as all their padded pairs together are few."""
    held: list[Indices] = []
    count = P = G = 0
    for group in groups:
        joint_P, joint_G = max(P, int(p[group].max(initial=0))), max(G, int(g[group].max(initial=0)))
        if held and (count + len(group)) * joint_P * joint_G > _LEAST:
            yield np.concatenate(held)
            held, count, joint_P, joint_G = [], 0, int(p[group].max()), int(g[group].max())
        held.append(group)
        count, P, G = count + len(group), joint_P, joint_G
    if count:
        yield np.concatenate(held)


def _flat_boxes(rows: Sequence[Any]) -> Floats:
    """(N, 4) all boxes of all rows."""
    filled = [row for row in rows if len(row)]
    if not filled:
        return np.zeros((0, 4))
    flat: Floats = np.zeros(0)
    try:
        if all(isinstance(row, np.ndarray) for row in filled):
            flat = np.concatenate(filled).astype(np.float64, copy=False)
        else:
            boxes = list(chain.from_iterable(filled))
            if set(map(len, boxes)) == {4}:  # then one pass over the numbers is faster than np.array
                flat = np.fromiter(chain.from_iterable(boxes), np.float64, 4 * len(boxes)).reshape(-1, 4)
    except (TypeError, ValueError, OverflowError):
        pass  # the loop below says which row it was
    if flat.ndim != 2 or flat.shape[1] != 4:
        for number, row in enumerate(rows):
            if len(row) and as_boxes(row, f"row {number}").ndim != 2:
                raise ShapeError(f"row {number}: needs shape (N, 4) of x1, y1, x2, y2, got {np.shape(row)}")
    return flat
