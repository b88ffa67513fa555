"""Scores: one number per rollout, why it is that number, and where it was earned.

NaN has two meanings, told apart by how the reason begins: `abstain: ...` (nothing to judge here) and `error: ...` (the
judge or the sandbox failed; worth a retry). A bad rollout is never NaN, it is a low number with a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline.core.errors import ShapeError
from sightline.core.marks import Mark, Marks, NoMarks, PickedMarks

NA = float("nan")
ABSTAIN, ERROR = "abstain: ", "error: "
Values = NDArray[np.float64]


class Score(NamedTuple):
    """What a row reward says of one rollout."""

    value: float
    why: str = ""
    marks: tuple[Mark, ...] = ()


def abstain(why: str) -> Score:
    """Nothing to judge in this rollout: NaN, kept out of every mean."""
    return Score(NA, ABSTAIN + why)


def failed(why: str) -> Score:
    """The judge or the sandbox failed: NaN, worth a retry."""
    return Score(NA, ERROR + why)


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of a batch of B rollouts.

    Args:
        values: (B,) float64; NaN is "unscorable", its reason begins with `abstain: ` or `error: `.
        why: B short reasons, possibly empty.
        marks: per rollout, where the score was earned.
        parts: the named parts it was made of, before weights.

    Raises:
        ShapeError: why or marks do not have B entries.
        ValueError: a NaN has no reason.
    """

    values: Values
    why: Sequence[str]
    marks: Marks
    parts: Mapping[str, Scores] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = len(self.values)
        for name, given in (("why", self.why), ("marks", self.marks)):
            if len(given) != size:
                raise ShapeError(f"Scores: {len(given)} {name} for {size} values")
        for row in np.flatnonzero(np.isnan(self.values)).tolist():
            if not self.why[row].startswith((ABSTAIN, ERROR)):
                raise ValueError(f"Scores: row {row} is NaN without a reason; use abstain(why) or failed(why)")

    @classmethod
    def of(cls, values: Values, why: Sequence[str] | None = None, marks: Marks | None = None) -> Scores:
        """Scores from an array, by default without reasons and marks."""
        values = np.asarray(values, dtype=np.float64)
        size = len(values)
        return cls(values, [""] * size if why is None else why, NoMarks(size) if marks is None else marks)

    @classmethod
    def from_rows(cls, rows: Sequence[Score]) -> Scores:
        """Scores from one `Score` per rollout."""
        values = np.fromiter((row.value for row in rows), np.float64, len(rows))
        marks: Marks = [row.marks for row in rows] if any(row.marks for row in rows) else NoMarks(len(rows))
        return cls(values, [row.why for row in rows], marks)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def abstained(self) -> NDArray[np.bool_]:
        """(B,) True where there was nothing to judge."""
        return self._reason(ABSTAIN)

    @property
    def errors(self) -> NDArray[np.bool_]:
        """(B,) True where the judge or the sandbox failed."""
        return self._reason(ERROR)

    def _reason(self, prefix: str) -> NDArray[np.bool_]:
        rows = np.isnan(self.values)
        for row in np.flatnonzero(rows).tolist():
            rows[row] = self.why[row].startswith(prefix)
        return rows

    def take(self, index: NDArray[np.int64]) -> Scores:
        """The rows `index`, in that order."""
        return Scores(
            self.values[index],
            [self.why[i] for i in index.tolist()],
            PickedMarks(self.marks, index),
            {name: part.take(index) for name, part in self.parts.items()},
        )

    def _repr_html_(self) -> str:  # what notebooks show
        from sightline.core.notebook import table

        return table(self)

    def __repr__(self) -> str:
        values = np.array2string(self.values, precision=4, threshold=8)
        return f"Scores({values}, parts={list(self.parts)})" if self.parts else f"Scores({values})"
