"""Rewards without labels: agreement with the majority of a group, one's own or that of a rephrased twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.scores import ABSTAIN, Scores
from sightline.metrics.votes import agrees, majority
from sightline.parse.boxed import FinalBoxed
from sightline.rewards.reward import Reward, Scope

SIDES = ("original", "rephrased")
Index = NDArray[np.int64]


@dataclass(frozen=True)
class MajorityAgreement(Reward):
    """Whether an answer is the majority of its own group: the baseline that teaches a policy its own habits.

    r_i = 1[answer_i = most frequent non-empty answer of the group]

    Args:
        find: text -> answer.
        canonical: answer -> the spelling that is compared; None compares raw texts.
        sides: names of the two phrasings, if a group holds both: each then votes for itself.

    Reads: `order` (the place at which a rollout was sampled) and `side`, if they are there. Ties go to the answer
    sampled first: the one of the lowest `order`, without that column the first of the batch.
    Range: 0 or 1. Low: 0 without an answer, and for all if nobody answers.

    Example:
        >>> batch = Batch([rf"\\boxed{{{x}}}" for x in "4454"], group=[0] * 4)
        >>> MajorityAgreement()(batch).values
        array([1., 1., 0., 1.])

    References:
        Zuo et al., TTRL, arXiv 2504.16084. Baseline of Zhang et al., Co-Reward, arXiv 2508.00410.
    """

    find: Callable[[str], str | Missing] = FinalBoxed()
    canonical: Callable[[str], str] | None = None
    sides: tuple[str, str] = SIDES
    scope: ClassVar[Scope] = "group"
    may_read: ClassVar = ("order", "side")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), twin_rows()

    def check(self, batch: Batch) -> None:
        super().check(batch)
        if batch.has("side"):
            _sides(batch, self.sides)

    def score(self, batch: Batch) -> Scores:
        found = _answers(batch, self.find, self.canonical)
        side = _sides(batch, self.sides) if batch.has("side") else np.zeros(len(batch), dtype=np.int64)
        values, why = np.zeros(len(batch)), [""] * len(batch)
        for group in _in_order(batch):
            for half in (group[side[group] == 0], group[side[group] == 1]):
                _judge(half, half, found, values, why, "its own side" if batch.has("side") else "its group")
        return Scores.of(values, why)


@dataclass(frozen=True)
class CrossAgreement(Reward):
    """Whether an answer is the majority of the rollouts on the other phrasing of the same question.

    r_i = 1[answer_i = most frequent non-empty answer of the other side], 0 if the other side has none

    A side never rewards its own consensus. A group is one question: the rollouts on it and on its rephrased twin.

    Args:
        find: text -> answer.
        canonical: answer -> the spelling that is voted on and compared; None takes raw texts, as released.
        sides: the two values of the column `side`.

    Reads: `side`; `order` if it is there, see `MajorityAgreement`.
    Range: 0 or 1. Low: 0 without an answer, and for all if the other side has no answer.
    Not applicable: the group holds no rollout of the other side.

    Raises:
        ColumnError: a `side` is neither of both.

    Example:
        >>> said = [rf"\\boxed{{{x}}}" for x in "44544447"]
        >>> batch = Batch(said, {"side": ["original"] * 4 + ["rephrased"] * 4}, group=[0] * 8)
        >>> CrossAgreement()(batch).values
        array([1., 1., 0., 1., 1., 1., 1., 0.])

    References:
        Zhang et al., Co-Reward, arXiv 2508.00410. Ties by `order` is ours.
    """

    find: Callable[[str], str | Missing] = FinalBoxed()
    canonical: Callable[[str], str] | None = None
    sides: tuple[str, str] = SIDES
    scope: ClassVar[Scope] = "group"
    prompts: ClassVar[int] = 2
    reads: ClassVar = ("side",)
    may_read: ClassVar = ("order",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), twin_rows()

    def check(self, batch: Batch) -> None:
        super().check(batch)
        _sides(batch, self.sides)

    def score(self, batch: Batch) -> Scores:
        found, side = _answers(batch, self.find, self.canonical), _sides(batch, self.sides)
        values, why = np.full(len(batch), np.nan), [""] * len(batch)
        for group in _in_order(batch):
            halves = (group[side[group] == 0], group[side[group] == 1])
            for mine in (0, 1):
                if len(halves[1 - mine]):
                    _judge(halves[mine], halves[1 - mine], found, values, why, f"the {self.sides[1 - mine]} side")
                else:
                    for row in halves[mine].tolist():
                        why[row] = f"{ABSTAIN}the group has no rollout of the {self.sides[1 - mine]} side"
        return Scores.of(values, why)


def twin_rows() -> list[dict[str, Any]]:
    """Two questions, each with rollouts on both phrasings; ties, empty answers and a missing twin among them."""
    said = {0: ("4454", "4447"), 1: ("4455", "5445"), 2: ("33 2", "    "), 3: ("12", "")}
    return [
        {"completion": f"so \\boxed{{{x}}}" if x.strip() else "who knows", "side": name, "order": place, "group": group}
        for group, pair in said.items()
        for name, answers in zip(SIDES, pair, strict=True)
        for place, x in enumerate(answers)
    ]


def _answers(
    batch: Batch, find: Callable[[str], str | Missing], canonical: Callable[[str], str] | None
) -> list[tuple[str, str]]:
    """Answer, and why there is none, of every rollout; an answer of white space is none."""
    found = [("", one.why) if isinstance(one, Missing) else (one, "") for one in batch.parse(find)]
    if canonical is not None:
        found = [(canonical(answer), why) for answer, why in found]
    return [(answer, "") if answer.strip() else ("", why or "an empty answer") for answer, why in found]


def _judge(
    rows: Index, voters: Index, found: list[tuple[str, str]], values: NDArray[np.float64], why: list[str], whose: str
) -> None:
    """Reward `rows` by the majority of `voters`."""
    label = majority([found[i][0] for i in voters.tolist()])
    values[rows] = agrees([found[i][0] for i in rows.tolist()], label)
    said = f"{label if len(label) <= 40 else label[:37] + '...'!r} is the majority of {whose}"
    for row in rows.tolist():
        why[row] = (said if label else f"no answer on {whose}") if not found[row][1] else found[row][1]


def _in_order(batch: Batch) -> list[Index]:
    """The groups, each in the order in which it was sampled."""
    if not batch.has("order"):
        return batch.groups()
    order = np.array([np.inf if value is None else float(value) for value in batch.column("order")])
    return [group[np.argsort(order[group], kind="stable")] for group in batch.groups()]


def _sides(batch: Batch, names: tuple[str, str]) -> Index:
    """(B,) 0 for the first side, 1 for the second."""
    found = np.full(len(batch), -1, dtype=np.int64)
    for row, value in enumerate(batch.column("side", "agreement across phrasings")):
        if value not in names:
            raise ColumnError(f"column `side` of row {row} is {value!r}; it needs one of {list(names)}")
        found[row] = names.index(value)
    return found
