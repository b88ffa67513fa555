"""Rewards without labels: agreement with a majority, of one's own group, of a rephrased twin, or of a teacher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.rollout import Rollout
from sightline.core.scores import ABSTAIN, Scores
from sightline.metrics.votes import agrees, majority
from sightline.parse.boxed import FinalBoxed
from sightline.rewards.policy_columns import Asked, Filled, PolicyWrites, SamePrompt
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
        _order(batch)
        if batch.has("side"):
            _sides(batch, self.sides)

    def score(self, batch: Batch) -> Scores:
        found = _answers(batch, self.find, self.canonical)
        side = _sides(batch, self.sides) if batch.has("side") else np.zeros(len(batch), dtype=np.int64)
        values, why = np.zeros(len(batch)), [""] * len(batch)
        for group in in_order(batch):
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
        _order(batch)
        _sides(batch, self.sides)

    def score(self, batch: Batch) -> Scores:
        found, side = _answers(batch, self.find, self.canonical), _sides(batch, self.sides)
        values, why = np.full(len(batch), np.nan), [""] * len(batch)
        for group in in_order(batch):
            halves = (group[side[group] == 0], group[side[group] == 1])
            for mine in (0, 1):
                if len(halves[1 - mine]):
                    _judge(halves[mine], halves[1 - mine], found, values, why, f"the {self.sides[1 - mine]} side")
                else:
                    for row in halves[mine].tolist():
                        why[row] = f"{ABSTAIN}the group has no rollout of the {self.sides[1 - mine]} side"
        return Scores.of(values, why)


@dataclass(frozen=True)
class TaughtAgreement(Reward):
    """Whether an answer is the majority of what a teacher answered.

    r_i = 1[answer_i = most frequent non-empty answer of the teacher's replies], 0 if the teacher has none

    The teacher is a slowly moving average of the policy (`train.teacher`). Asked the same question it steadies the
    labels; asked the twin it votes across phrasings as well.

    Args:
        find: text -> answer, of policy and teacher.
        canonical: answer -> the spelling that is voted on and compared; None takes raw texts.
        column: a reply of the teacher beside each rollout, None where it was not asked; those of a group vote together.
        ask: what the teacher is asked in training, where it is the reference policy (`grpo(reference_weight=..)`).

    Reads: `column`; `order` if it is there, see `MajorityAgreement`.
    Range: 0 or 1. Low: 0 without an answer, and for all if the teacher has no answer.
    Not applicable: the teacher was not asked in this group.

    Raises:
        ColumnError: a value is neither a text nor None.

    Example:
        >>> said, taught = ([rf"\\boxed{{{x}}}" for x in answers] for answers in ("477", "447"))
        >>> TaughtAgreement()(Batch(said, {"teacher_reply": taught}, group=[0] * 3)).values
        array([1., 0., 0.])

    References:
        Zhang et al., Co-rewarding, arXiv 2508.00410, variants II and III.
    """

    find: Callable[[str], str | Missing] = FinalBoxed()
    canonical: Callable[[str], str] | None = None
    column: str = "teacher_reply"
    ask: Callable[[Rollout], Asked | None] = SamePrompt()
    scope: ClassVar[Scope] = "group"
    may_read: ClassVar = ("order",)

    @property
    def fills(self) -> tuple[Filled, ...]:
        """The column, for the reference policy to fill."""
        return (PolicyWrites(self.column, self.ask, greedy=False, of="reference"),)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        taught = (("4", "7", "7"), ("4", "7"), ("", ""), (None,), (None, "4"))
        rows = [
            {
                "completion": f"\\boxed{{{said}}}",
                "teacher_reply": said and f"\\boxed{{{said}}}",
                "order": k,
                "group": group,
            }
            for group, replies in enumerate(taught)
            for k, said in enumerate(replies)
        ]
        return cls(), [*rows, {**rows[0], "completion": "none", "order": 9}]

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        _order(batch)
        for row, value in enumerate(batch.column(self.column)):
            if value is not None and not isinstance(value, str):
                raise ColumnError(f"column `{self.column}` of row {row} is {value!r:.60}; it needs a text or None")

    def score(self, batch: Batch) -> Scores:
        found, replies = _answers(batch, self.find, self.canonical), batch.column(self.column)
        values, why = np.full(len(batch), np.nan), [f"{ABSTAIN}the teacher was not asked"] * len(batch)
        for group in in_order(batch):
            told = [replies[row] for row in group.tolist() if replies[row] is not None]
            if told:
                votes = [_answer(self.find(reply), self.canonical)[0] for reply in told]
                _paid(group, majority(votes), found, values, why, "the teacher")
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
    """Answer, and why there is none, of every rollout."""
    return [_answer(one, canonical) for one in batch.parse(find)]


def _answer(found: str | Missing, canonical: Callable[[str], str] | None) -> tuple[str, str]:
    """Answer, and why there is none; an answer of white space is none."""
    if isinstance(found, Missing):
        return "", found.why
    answer = found if canonical is None else canonical(found)
    return (answer, "") if answer.strip() else ("", "an empty answer")


def _judge(
    rows: Index, voters: Index, found: list[tuple[str, str]], values: NDArray[np.float64], why: list[str], whose: str
) -> None:
    """Reward `rows` by the majority of `voters`."""
    _paid(rows, majority([found[i][0] for i in voters.tolist()]), found, values, why, whose)


def _paid(
    rows: Index, label: str, found: list[tuple[str, str]], values: NDArray[np.float64], why: list[str], whose: str
) -> None:
    """Reward `rows` by a label."""
    values[rows] = agrees([found[i][0] for i in rows.tolist()], label)
    said = _said(label, whose)
    for row in rows.tolist():
        why[row] = found[row][1] or said


def _said(label: str, whose: str) -> str:
    """What the majority is, in words."""
    shown = label if len(label) <= 40 else label[:37] + "..."
    return f"{shown!r} is the majority of {whose}" if label else f"no answer of {whose}"


def in_order(batch: Batch) -> list[Index]:
    """The groups, each in the order in which it was sampled."""
    order = _order(batch)
    return [group[np.argsort(order[group], kind="stable")] for group in batch.groups()]


def _order(batch: Batch) -> NDArray[np.float64]:
    """(B,) the place at which each rollout was sampled; last, and among those as in the batch, where none is given."""
    found = np.full(len(batch), np.inf)
    for row, value in enumerate(batch.column("order") if batch.has("order") else ()):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float | np.number)):
            raise ColumnError(f"column `order` of row {row} is {value!r}; it needs a number")
        found[row] = np.inf if value is None or np.isnan(value) else value
    return found


def _sides(batch: Batch, names: tuple[str, str]) -> Index:
    """(B,) 0 for the first side, 1 for the second."""
    found = np.full(len(batch), -1, dtype=np.int64)
    for row, value in enumerate(batch.column("side", "agreement across phrasings")):
        if value not in names:
            raise ColumnError(f"column `side` of row {row} is {value!r}; it needs one of {list(names)}")
        found[row] = names.index(value)
    return found
