"""The nodes that the operators of a reward build: sums, products, gates, names.

Each node says how its value follows from those of its children; which rollouts are needed and what is already known is
the business of `evaluation.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import CompositionError
from sightline.core.marks import NoMarks, chained
from sightline.core.scores import ABSTAIN, Scores, Values
from sightline.rewards.reward import Range, Reward

if TYPE_CHECKING:
    from sightline.rewards.evaluation import Evaluation

Mapping_: TypeAlias = Callable[[Values], Values]
Rows: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Node(Reward):
    """A reward made of rewards."""

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        """Values for all B rollouts, of which only `rows` count; None while a judge has yet to answer."""
        raise CompositionError(f"{type(self).__name__} does not define `combine`")

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for child in self.children():
            child.check(batch)


@dataclass(frozen=True)
class Constant(Reward):
    """The same value for every rollout, with a reason.

    Example:
        >>> Constant(0.5)(Batch(["a"])).values
        array([0.5])
    """

    value: float
    why: str = ""

    def bounds(self) -> Range:
        return self.value, self.value

    def score(self, batch: Batch) -> Scores:
        return Scores.of(np.full(len(batch), self.value), [self.why] * len(batch))


@dataclass(frozen=True)
class Sum(Node):
    """The sum of some rewards; NaN if one of them is."""

    terms: tuple[Reward, ...]

    def bounds(self) -> Range:
        return math.fsum(t.bounds()[0] for t in self.terms), math.fsum(t.bounds()[1] for t in self.terms)

    def children(self) -> tuple[Reward, ...]:
        return self.terms

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        found = evaluation.all(self.terms, rows)
        if found is None:
            return None
        return _joined(np.sum([s.values for s in found], axis=0), found)


@dataclass(frozen=True)
class Product(Node):
    """The product of some rewards; NaN if one of them is."""

    factors: tuple[Reward, ...]

    def bounds(self) -> Range:
        corners = [math.prod(corner) for corner in product(*(f.bounds() for f in self.factors))]
        return min(corners), max(corners)

    def children(self) -> tuple[Reward, ...]:
        return self.factors

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        found = evaluation.all(self.factors, rows)
        if found is None:
            return None
        return _joined(np.prod([s.values for s in found], axis=0), found)


@dataclass(frozen=True)
class Unary(Node):
    """A node over one reward that changes values and keeps reasons, marks and parts."""

    of: Reward

    def children(self) -> tuple[Reward, ...]:
        return (self.of,)

    def apply(self, values: Values) -> Values:
        raise CompositionError(f"{type(self).__name__} does not define `apply`")

    def bounds(self) -> Range:
        low, high = self.apply(np.array(self.of.bounds()))
        return float(min(low, high)), float(max(low, high))

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        found = evaluation.scores(self.of, rows)
        return None if found is None else Scores(self.apply(found.values), found.why, found.marks, found.parts)


@dataclass(frozen=True)
class Scaled(Unary):
    """A reward times a number."""

    weight: float

    def apply(self, values: Values) -> Values:
        return values * self.weight


@dataclass(frozen=True)
class Clip(Unary):
    """A reward kept inside [lo, hi]."""

    lo: float
    hi: float

    def apply(self, values: Values) -> Values:
        return np.clip(values, self.lo, self.hi)


@dataclass(frozen=True)
class Fill(Unary):
    """A reward with a value in place of NaN: the only node that stops NaN, so it stands visibly in a system file.

    Rollouts behind a closed gate are not filled: what was never evaluated has no value.
    """

    value: float

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        found = evaluation.scores(self.of, rows)
        if found is None:
            return None
        return Scores(np.where(rows, self.apply(found.values), found.values), found.why, found.marks, found.parts)

    def apply(self, values: Values) -> Values:
        return np.where(np.isnan(values), self.value, values)

    def bounds(self) -> Range:
        low, high = self.of.bounds()
        return min(low, self.value), max(high, self.value)


@dataclass(frozen=True)
class Map(Unary):
    """A reward through a function of the (B,) values.

    The function is a value too: a module-level function or a frozen dataclass with `__call__`, so that the expression
    pickles and compares. If it has an attribute `range`, that is the range; else it is taken to be monotone.

    Raises:
        CompositionError: the function is a lambda or a closure.
    """

    function: Mapping_

    def __post_init__(self) -> None:
        name = getattr(self.function, "__qualname__", "")
        if "<" in name or not (callable(self.function) and (name or is_dataclass(self.function))):
            raise CompositionError(
                f"map needs a module-level function or a frozen dataclass, not {name or self.function!r}: "
                "closures neither pickle nor compare"
            )

    def bounds(self) -> Range:
        declared = getattr(self.function, "range", None)
        return declared if declared is not None else super().bounds()

    def apply(self, values: Values) -> Values:
        return np.where(np.isnan(values), np.nan, self.function(values))


@dataclass(frozen=True)
class Named(Node):
    """A reward under a name, by which it appears among the parts."""

    of: Reward
    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise CompositionError(f"a part needs a text that is not empty as its name, not {self.name!r}")

    def bounds(self) -> Range:
        return self.of.bounds()

    def children(self) -> tuple[Reward, ...]:
        return (self.of,)

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        found = evaluation.scores(self.of, rows)
        if found is None:
            return None
        bare = Scores(found.values, found.why, found.marks)
        return Scores(found.values, found.why, found.marks, {self.name: bare, **found.parts})


@dataclass(frozen=True)
class When(Node):
    """A reward behind a gate: 0 where the gate is not above the threshold, NaN where the gate is NaN.

    What stands behind a closed gate is not evaluated; its parts are NaN there, with that reason.
    """

    of: Reward
    gate: Reward
    above: float

    def bounds(self) -> Range:
        return min(0.0, self.of.bounds()[0]), max(0.0, self.of.bounds()[1])

    def children(self) -> tuple[Reward, ...]:
        return self.of, self.gate

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        gate = evaluation.scores(self.gate, rows)
        if gate is None:
            return None
        is_open = rows & (gate.values > self.above)
        found = evaluation.scores(self.of, is_open)
        if found is None:
            return None
        unknown = np.isnan(gate.values)
        values = np.where(is_open, found.values, np.where(unknown, np.nan, 0.0))
        closed = f"gate closed: {label(self.gate)} <= {self.above:g}"
        why = [found.why[i] if is_open[i] else gate.why[i] if unknown[i] else closed for i in range(len(values))]
        behind = {name: _with_reason(part, rows & ~is_open, closed) for name, part in found.parts.items()}
        return Scores(values, why, found.marks, {**gate.parts, **behind})


@dataclass(frozen=True)
class GroupCount(Node):
    """How many rollouts of the group have a reward above a threshold; NaN ones do not count.

    Example:
        >>> batch = Batch(["a", "b", "c"], group=[0, 0, 1])
        >>> Constant(1.0).group_count()(batch).values
        array([2., 2., 1.])
    """

    of: Reward
    above: float
    scope = "group"

    def bounds(self) -> Range:
        return 0.0, math.inf

    def children(self) -> tuple[Reward, ...]:
        return (self.of,)

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        found = evaluation.scores(self.of, evaluation.whole_groups(rows))
        if found is None:
            return None
        group = evaluation.batch.group
        counts = np.bincount(group, weights=found.values > self.above).astype(np.float64)
        return Scores(counts[group], [""] * len(group), NoMarks(len(group)), found.parts)


NOT_EVALUATED = ABSTAIN + "not evaluated"


def as_reward(value: Reward | float) -> Reward:
    """A number as a constant reward; a reward as it is.

    Raises:
        CompositionError: it is neither.
    """
    if isinstance(value, Reward):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Constant(float(value))
    raise CompositionError(f"a reward adds to rewards and numbers, not to {type(value).__name__} {value!r}")


def label(reward: Reward) -> str:
    """A short name for messages: the part's name, or the class."""
    return reward.name if isinstance(reward, Named) else type(reward).__name__


def _joined(values: Values, found: Sequence[Scores]) -> Scores:
    """Scores of a node over several: NaN keeps the first reason, parts and marks are united."""
    why = [""] * len(values)
    for i in np.flatnonzero(np.isnan(values)).tolist():
        why[i] = next((s.why[i] for s in found if np.isnan(s.values[i])), ABSTAIN + "inf - inf")
    return Scores(values, why, chained([s.marks for s in found]), merged(found))


def merged(found: Sequence[Scores]) -> dict[str, Scores]:
    """Parts of all; of a name that several cases of a switch use, every row keeps the value of its own case."""
    parts: dict[str, Scores] = {}
    for scores in found:
        for name, part in scores.parts.items():
            parts[name] = _overlay(parts[name], part) if name in parts else part
    return parts


def _with_reason(part: Scores, rows: Rows, reason: str) -> Scores:
    """A part that was not evaluated in `rows`, with the reason why not."""
    why = [f"{NOT_EVALUATED}: {reason}" if rows[i] and w == NOT_EVALUATED else w for i, w in enumerate(part.why)]
    return Scores(part.values, why, part.marks)


def _overlay(first: Scores, second: Scores) -> Scores:
    if first is second:
        return first
    take = np.array([why.startswith(NOT_EVALUATED) for why in first.why], dtype=bool)
    values = np.where(take, second.values, first.values)
    why = [second.why[i] if take[i] else first.why[i] for i in range(len(values))]
    return Scores(values, why, chained([first.marks, second.marks]), {})
