"""The reward algebra: rewards are values that add, scale, gate, clip, fill, map and name themselves.

    total = accuracy + 0.1 * format_ + (0.3 * evidence).when(accuracy, above=0.1)
    scores = total(batch)

Every member is a frozen dataclass: it pickles, compares and prints. Laws, kept by `evaluation.py`:
1. an equal node is evaluated once per batch;
2. a closed gate gives 0 and what stands behind it is not evaluated;
3. NaN ("nothing to judge" or "the judge is down", always with a reason) spreads through + and *; only `fill` stops it;
4. scoring never raises on policy text;
5. the columns a reward reads are declared and checked before anything is scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, CompositionError, did_you_mean
from sightline.core.rollout import Rollout
from sightline.core.scores import Score, Scores
from sightline.judges.judge import Ability, Judge, Question, Verdict

if TYPE_CHECKING:
    from sightline.rewards.algebra import Clip, Fill, GroupCount, Map, Mapping_, Named, Product, Scaled, Sum, When

Scope = Literal["row", "group"]
Range = tuple[float, float]
INFINITE: Range = (-float("inf"), float("inf"))


@dataclass(frozen=True)
class Reward:
    """Batch -> Scores, pure. Subclasses say what they read, their range, and how they score.

    Class attributes:
        scope: `row` (looks at one rollout at a time) or `group` (needs all rollouts of a prompt).
        scheduled: whether it looks at `Batch.step`.
        prompts: how many neighbouring rows of the data make one group; more than 1 for rewards that compare the
            rollouts of several phrasings of a question.
        reads: columns that must be in the batch.
        may_read: columns that are used if they are there.
        range: lowest and highest value; a reward whose range follows from its arguments defines `bounds` instead.
    """

    scope: ClassVar[Scope] = "row"
    scheduled: ClassVar[bool] = False
    prompts: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ()
    may_read: ClassVar[tuple[str, ...]] = ()
    range: ClassVar[Range] = (0.0, 1.0)

    def __call__(self, batch: Batch) -> Scores:
        """Score a batch.

        Raises:
            ColumnError: a column this expression reads is missing or unusable; nothing has been scored then.
            CompositionError: what is given is no `Batch`.
        """
        from sightline.rewards.evaluation import evaluate

        if not isinstance(batch, Batch):
            raise CompositionError(
                f"a reward scores a Batch, not {type(batch).__name__}; Batch.from_rows makes one of a list of "
                "dictionaries"
            )
        return evaluate(self, batch)

    def __str__(self) -> str:
        from sightline.rewards.formula import written

        return written(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # what IPython and notebooks show
        printer.text(str(self))

    def score(self, batch: Batch) -> Scores:
        """Leaf rewards: score every rollout of `batch`, which holds whole groups if `scope` is `group`."""
        raise CompositionError(f"{type(self).__name__} does not say how it scores: define `score`, `row` or `judged`")

    def needs(self) -> tuple[str, ...]:
        """Columns that must be there; `reads`, unless they follow from the arguments."""
        return self.reads

    def uses(self) -> tuple[str, ...]:
        """Columns that are used if they are there; `may_read`, unless they follow from the arguments."""
        return self.may_read

    def check(self, batch: Batch) -> None:
        """Raise if `batch` lacks a column that this reward reads. Leaves may check values as well."""
        for name in self.needs():
            if not batch.has(name):
                known = batch.columns
                raise ColumnError(
                    f"{type(self).__name__} reads column `{name}`; the batch has {sorted(known)}."
                    f"{did_you_mean(name, known)}"
                )

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        """A member and rows that it can score, of as many kinds as possible: what its promises are checked on."""
        raise CompositionError(f"{cls.__name__} brings no specimen, so its promises cannot be checked")

    def bounds(self) -> Range:
        """Lowest and highest value this reward can have."""
        return self.range

    def children(self) -> tuple[Reward, ...]:
        """The rewards this one is made of, in reading order."""
        return ()

    def walk(self) -> Iterator[Reward]:
        """This node and all below it."""
        yield self
        for child in self.children():
            yield from child.walk()

    def __add__(self, other: Reward | float) -> Sum:
        from sightline.rewards.algebra import Sum, as_reward

        return Sum((*_terms(self), *_terms(as_reward(other))))

    def __radd__(self, other: float) -> Sum:
        from sightline.rewards.algebra import as_reward

        return as_reward(other) + self

    def __sub__(self, other: Reward | float) -> Sum:
        from sightline.rewards.algebra import as_reward

        return self + (-1.0) * as_reward(other)

    def __rsub__(self, other: float) -> Sum:
        from sightline.rewards.algebra import as_reward

        return as_reward(other) + (-1.0) * self

    def __mul__(self, other: Reward | float) -> Scaled | Product:
        from sightline.rewards.algebra import Product, Scaled

        if isinstance(other, Reward):
            return Product((self, other))
        return Scaled(self, _number(other))

    def __rmul__(self, other: float) -> Scaled | Product:
        return self * other

    def __truediv__(self, other: float) -> Scaled | Product:
        return self * (1.0 / _number(other))

    def __neg__(self) -> Scaled | Product:
        return self * -1.0

    def when(self, gate: Reward, above: float = 0.0) -> When:
        """This reward where `gate` > `above`; elsewhere 0, and nothing here is evaluated (no judge call is spent)."""
        from sightline.rewards.algebra import When

        if not isinstance(gate, Reward):
            raise CompositionError(
                f"the gate of `when` is a reward, not {gate!r}; a threshold is `when(gate, above=0.5)`"
            )
        return When(self, gate, float(above))

    def clip(self, lo: float, hi: float) -> Clip:
        """Values below `lo` become `lo`, above `hi` become `hi`."""
        from sightline.rewards.algebra import Clip

        return Clip(self, float(lo), float(hi))

    def fill(self, value: float) -> Fill:
        """`value` where this reward is NaN; the reason is kept."""
        from sightline.rewards.algebra import Fill

        return Fill(self, float(value))

    def map(self, function: Mapping_) -> Map:
        """`function` of the (B,) values; it is a module-level function or a frozen dataclass with `__call__`."""
        from sightline.rewards.algebra import Map

        return Map(self, function)

    def named(self, name: str) -> Named:
        """This reward under a name: it becomes a part of the scores, a column and a logged curve."""
        from sightline.rewards.algebra import Named

        return Named(self, name)

    def group_count(self, above: float = 0.0) -> GroupCount:
        """How many rollouts of the group have this reward > `above`."""
        from sightline.rewards.algebra import GroupCount

        return GroupCount(self, float(above))


@dataclass(frozen=True)
class RowReward(Reward):
    """A reward that looks at one rollout at a time: define `row`."""

    def row(self, rollout: Rollout) -> Score:
        raise CompositionError(f"{type(self).__name__} does not define `row`")

    def score(self, batch: Batch) -> Scores:
        return Scores.from_rows([self.row(rollout) for rollout in batch.rollouts()])


@dataclass(frozen=True)
class JudgedReward(Reward):
    """A reward that asks a judge: first `questions`, then `judged` over the verdicts.

    All open questions of an expression are gathered, equal ones asked once, different judges concurrently.

    Args:
        judge: who answers.
    """

    judge: Judge
    ability: ClassVar[Ability] = "generate"

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        """The questions of every rollout; an empty tuple costs no call."""
        raise CompositionError(f"{type(self).__name__} does not define `questions`")

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        """Scores from the verdicts, one tuple per rollout, in the order of its questions. Pure."""
        raise CompositionError(f"{type(self).__name__} does not define `judged`")

    def score(self, batch: Batch) -> Scores:
        raise CompositionError(f"{type(self).__name__} is scored through its verdicts: call it, do not call `score`")


def with_judge(reward: Reward, judge: Judge, instead_of: Judge | None = None) -> Reward:
    """The same expression with `judge` in every judged node, or only in those that now ask `instead_of`."""
    return rebuilt(reward, Rejudged(judge, instead_of))


def without(reward: Reward, name: str) -> Reward:
    """The same expression with 0 in place of the part `name`.

    Raises:
        CompositionError: there is no such part.
    """
    from sightline.rewards.algebra import Named

    names = [node.name for node in reward.walk() if isinstance(node, Named)]
    if name not in names:
        raise CompositionError(f"no part is named `{name}`; there are {names}.{did_you_mean(name, names)}")
    return rebuilt(reward, Removed(name))


@dataclass(frozen=True)
class Rejudged:
    """A judged node with another judge; other nodes as they are."""

    judge: Judge
    instead_of: Judge | None

    def __call__(self, node: Reward) -> Reward:
        if isinstance(node, JudgedReward) and self.instead_of in (None, node.judge):
            return replace(node, judge=self.judge)
        return node


@dataclass(frozen=True)
class Removed:
    """0 in place of a named node; other nodes as they are."""

    name: str

    def __call__(self, node: Reward) -> Reward:
        from sightline.rewards.algebra import Constant, Named

        return (
            Constant(0.0, f"{self.name} is switched off")
            if isinstance(node, Named) and node.name == self.name
            else node
        )


def rebuilt(reward: Reward, change: Callable[[Reward], Reward]) -> Reward:
    """The same expression with `change` applied to every node, from the leaves up."""
    whole: Reward = _rebuilt(reward, change)
    return whole


def _rebuilt(value: Any, change: Callable[[Reward], Reward]) -> Any:
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(_rebuilt(item, change) for item in value)
    if not isinstance(value, Reward):
        return value
    return change(replace(value, **{f.name: _rebuilt(getattr(value, f.name), change) for f in fields(value)}))


def _number(value: Any) -> float:
    """A weight.

    Raises:
        CompositionError: it is no number.
    """
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise CompositionError(
            f"a reward is weighted by a number or a reward, not by {type(value).__name__} {value!r}"
        ) from error


def _terms(reward: Reward) -> tuple[Reward, ...]:
    from sightline.rewards.algebra import Sum

    return reward.terms if isinstance(reward, Sum) else (reward,)
