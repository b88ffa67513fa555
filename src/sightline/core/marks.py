"""Where in a rollout a score was earned or lost.

A mark is a place with a value and a reason. Marks of a batch are sequences of tuples, one tuple per rollout; those of
box rewards stay in arrays and turn into `Mark`s only when somebody looks, since scoring a million rollouts must not
build ten million objects.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from sightline.core.boxes import Frame

Unit = Literal["char", "token", "step", "box", "second"]


class Mark(NamedTuple):
    """One place in one rollout.

    Args:
        unit: what `place` counts.
        place: `(start, end)` for chars of the policy's text, tokens, steps and seconds; `(x1, y1, x2, y2)` for a box.
        value: what was earned there, in the units of the reward that set the mark.
        why: a short reason, in words.
        frame: the coordinate frame of a box (None otherwise).
    """

    unit: Unit
    place: tuple[float, ...]
    value: float
    why: str = ""
    frame: Frame | None = None


Marks = Sequence[tuple[Mark, ...]]


class LazyMarks(Sequence[tuple[Mark, ...]]):
    """A sequence of per-rollout tuples that are made on access: define `__len__` and `_row`."""

    @abstractmethod
    def _row(self, index: int) -> tuple[Mark, ...]:
        """The marks of one rollout."""

    @overload
    def __getitem__(self, index: int) -> tuple[Mark, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[Mark, ...]]: ...
    def __getitem__(self, index: int | slice) -> tuple[Mark, ...] | Sequence[tuple[Mark, ...]]:
        if isinstance(index, slice):
            return [self._row(i) for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._row(index % len(self))


@dataclass(frozen=True, eq=False)
class NoMarks(LazyMarks):
    """No marks for any of `size` rollouts."""

    size: int

    def __len__(self) -> int:
        return self.size

    def _row(self, index: int) -> tuple[Mark, ...]:
        return ()


@dataclass(frozen=True, eq=False)
class BoxMarks(LazyMarks):
    """One mark per predicted box, kept as arrays until somebody looks.

    Args:
        offsets: (B + 1,) rollout `i` owns boxes `offsets[i]:offsets[i + 1]`.
        xyxy: (N, 4) boxes as the policy wrote them; NaN where an item has none, which gets no mark.
        values: (N,) what each box earned.
        frame: their coordinate frame.
        found: the reason of a box with a positive value.
        lost: the reason of all others.
    """

    offsets: NDArray[np.int64]
    xyxy: NDArray[np.float64]
    values: NDArray[np.float64]
    frame: Frame
    found: str = "matched"
    lost: str = "unmatched"

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def _row(self, index: int) -> tuple[Mark, ...]:
        span = range(int(self.offsets[index]), int(self.offsets[index + 1]))
        return tuple(
            Mark("box", tuple(map(float, self.xyxy[i])), v := float(self.values[i]), self._why(v), self.frame)
            for i in span
            if not np.isnan(self.xyxy[i, 0])
        )

    def _why(self, value: float) -> str:
        return f"{self.found} {value:.3g}" if value > 0 else self.lost


@dataclass(frozen=True, eq=False)
class ChainedMarks(LazyMarks):
    """The marks of several terms, one after the other."""

    terms: tuple[Marks, ...]

    def __len__(self) -> int:
        return len(self.terms[0])

    def _row(self, index: int) -> tuple[Mark, ...]:
        return tuple(chain.from_iterable(term[index] for term in self.terms))


@dataclass(frozen=True, eq=False)
class PickedMarks(LazyMarks):
    """Marks of some rollouts of another sequence.

    Args:
        source: marks to pick from.
        rows: (B,) row of `source` for each rollout, or -1 for none.
    """

    source: Marks
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def _row(self, index: int) -> tuple[Mark, ...]:
        at = int(self.rows[index])
        return self.source[at] if at >= 0 else ()


def chained(terms: Sequence[Marks]) -> Marks:
    """Marks of all terms; terms without any are left out, a single one is returned as it is."""
    some = tuple(t for t in terms if not isinstance(t, NoMarks))
    if not some:
        return NoMarks(len(terms[0]))
    return some[0] if len(some) == 1 else ChainedMarks(some)
