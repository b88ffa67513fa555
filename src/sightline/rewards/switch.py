"""Another reward for every kind of row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, CompositionError
from sightline.core.marks import NoMarks, PickedMarks, chained
from sightline.core.scores import Scores
from sightline.rewards.algebra import NOT_EVALUATED, Node, Rows, merged
from sightline.rewards.reward import Range, Reward

if TYPE_CHECKING:
    from sightline.rewards.evaluation import Evaluation


@dataclass(frozen=True)
class Switch(Node):
    """Another reward for every kind of row: the value of a column chooses.

    Args:
        column: the column that says which case a row is.
        cases: (name, reward) pairs, or a mapping.
        default: the case of rows whose value is missing (None, or no such column); None: the column must be there.
        otherwise: the reward of every other row; None: an unknown case is a `ColumnError`.

    Example:
        >>> from sightline.rewards import Constant
        >>> kind = Switch("kind", {"easy": Constant(1.0), "hard": Constant(2.0)}, default="easy")
        >>> kind(Batch(["a", "b"], {"kind": ["hard", None]})).values
        array([2., 1.])
    """

    column: str
    cases: tuple[tuple[str, Reward], ...]
    default: str | None = None
    otherwise: Reward | None = None

    def __init__(
        self,
        column: str,
        cases: Mapping[str, Reward] | Sequence[tuple[str, Reward]],
        default: str | None = None,
        otherwise: Reward | None = None,
    ) -> None:
        object.__setattr__(self, "column", column)
        object.__setattr__(self, "cases", tuple(cases.items() if isinstance(cases, Mapping) else cases))
        object.__setattr__(self, "default", default)
        object.__setattr__(self, "otherwise", otherwise)

    def bounds(self) -> Range:
        ranges = [child.bounds() for child in self.children()]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    def children(self) -> tuple[Reward, ...]:
        named = tuple(reward for _, reward in self.cases)
        return named if self.otherwise is None else (*named, self.otherwise)

    def needs(self) -> tuple[str, ...]:
        return () if self._optional else (self.column,)

    def uses(self) -> tuple[str, ...]:
        return (self.column,) if self._optional else ()

    @property
    def _optional(self) -> bool:
        return self.default is not None

    def only(self, case: str) -> Reward:
        """The reward of one case, for data that holds nothing else.

        Raises:
            CompositionError: there is no such case.
        """
        for name, reward in self.cases:
            if name == case:
                return reward
        raise CompositionError(f"no case `{case}` of column `{self.column}`; there are {[n for n, _ in self.cases]}")

    def check(self, batch: Batch) -> None:
        for rows, reward in self._split(batch):
            if rows.any():
                reward.check(batch if rows.all() else batch.take(np.flatnonzero(rows)))

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        split = [(rows & mine, reward) for mine, reward in self._split(evaluation.batch)]
        split = [(mine, reward) for mine, reward in split if mine.any()]
        found = [evaluation.scores(reward, mine) for mine, reward in split]
        if any(f is None for f in found):
            return None
        values = np.full(len(rows), np.nan)
        why = [NOT_EVALUATED] * len(rows)
        known = [f for f in found if f is not None]
        for (mine, _), scores in zip(split, known, strict=True):
            values[mine] = scores.values[mine]
            for i in np.flatnonzero(mine).tolist():
                why[i] = scores.why[i]
        # cases with equal rewards share one set of scores: each gives the marks of its own rows only
        own = [
            s.marks if isinstance(s.marks, NoMarks) else PickedMarks(s.marks, np.where(mine, np.arange(len(rows)), -1))
            for (mine, _), s in zip(split, known, strict=True)
        ]
        marks = chained(own) if known else NoMarks(len(rows))
        return Scores(values, why, marks, merged(known))

    def _split(self, batch: Batch) -> list[tuple[Rows, Reward]]:
        """Which rollouts belong to which case."""
        given = self._column(batch)
        names = np.array([self.default if value is None else str(value) for value in given], dtype=object)
        known = {name for name, _ in self.cases}
        other = np.array([name not in known for name in names], dtype=bool)
        if other.any() and self.otherwise is None:
            row = int(np.flatnonzero(other)[0])
            raise ColumnError(f"column `{self.column}` of row {row} is {given[row]!r}; it needs one of {sorted(known)}")
        split = [(np.asarray(names == name, dtype=bool), reward) for name, reward in self.cases]
        return split if self.otherwise is None else [*split, (other, self.otherwise)]

    def _column(self, batch: Batch) -> Sequence[Any]:
        if not batch.has(self.column) and self._optional:
            return [None] * len(batch)
        cases = ", ".join(name for name, _ in self.cases)
        return batch.column(self.column, f"the choice between {cases}")
