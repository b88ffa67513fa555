"""Where in a rollout a score was earned or lost.

A mark is a place with a value and a reason. Marks of a batch are sequences of tuples, one tuple per rollout; those of
box rewards stay in arrays and turn into `Mark`s only when somebody looks, since scoring a million rollouts must not
build ten million objects.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
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
        found: the reason of a box with a positive value, which follows it.
        lost: the reason of all others.
        labels: N names that come before the reasons; None: none.
        digits: how values are written, as in a format string.
    """

    offsets: NDArray[np.int64]
    xyxy: NDArray[np.float64]
    values: NDArray[np.float64]
    frame: Frame
    found: str = "matched"
    lost: str = "unmatched"
    labels: Sequence[str] | None = None
    digits: str = ".3g"

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def reasons(self, start: int, stop: int) -> list[str]:
        """Why each of the boxes `start:stop` earned what it did."""
        found, lost, digits = f"{self.found} ", self.lost, self.digits
        why = [f"{found}{v:{digits}}" if v > 0 else lost for v in self.values[start:stop].tolist()]
        if self.labels is None:
            return why
        return [f"{label} {one}" for label, one in zip(self.labels[start:stop], why, strict=True)]

    def _row(self, index: int) -> tuple[Mark, ...]:
        start, stop = int(self.offsets[index]), int(self.offsets[index + 1])
        boxes, values = self.xyxy[start:stop].tolist(), self.values[start:stop].tolist()
        rows = zip(boxes, values, self.reasons(start, stop), strict=True)
        return tuple(Mark("box", tuple(box), value, why, self.frame) for box, value, why in rows if box[0] == box[0])


@dataclass(frozen=True, eq=False)
class DeferredMarks(LazyMarks):
    """Marks of `size` rollouts that take some computing, which is done for all of them when somebody looks at one.

    Args:
        make: gives them.
    """

    size: int
    make: Callable[[], Marks]

    def __len__(self) -> int:
        return self.size

    @cached_property
    def made(self) -> Marks:
        return self.make()

    def _row(self, index: int) -> tuple[Mark, ...]:
        return self.made[index]


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
