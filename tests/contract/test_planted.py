"""Rewards with one fault each, planted to see that the promises catch it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from sightline.check import PromiseBroken, keep_promises
from sightline.core import Batch, Mark, Rollout, Score, Scores
from sightline.rewards import Reward, RowReward

ROWS = [{"completion": text, "answer": text, "secret": str(i), "group": i} for i, text in enumerate(("a", "bb", "ccc"))]


@dataclass(frozen=True)
class PeeksAtNeighbours(Reward):
    def score(self, batch: Batch) -> Scores:
        longest = max(map(len, batch.texts), default=1) or 1
        return Scores.of(np.array([len(text) / longest for text in batch.texts]))


@dataclass(frozen=True)
class DependsOnOrder(Reward):
    def score(self, batch: Batch) -> Scores:
        return Scores.of(np.arange(len(batch)) / max(1, len(batch)))


@dataclass(frozen=True)
class CrashesOnText(RowReward):
    def row(self, rollout: Rollout) -> Score:
        return Score(float("abc".index(rollout.text[:1])) / 3)


@dataclass(frozen=True)
class SilentNan(RowReward):
    def row(self, rollout: Rollout) -> Score:
        return Score(float("nan") if rollout.text == "bb" else 1.0)


@dataclass(frozen=True)
class ReadsUndeclared(RowReward):
    def row(self, rollout: Rollout) -> Score:
        return Score(float(rollout["secret"]) / 10)


@dataclass(frozen=True)
class ReadsUndeclaredColumn(Reward):
    def score(self, batch: Batch) -> Scores:
        return Scores.of(np.array([float(value) / 10 for value in batch.column("secret")]))


@dataclass(frozen=True)
class DeclaresButScoresWithout(RowReward):
    reads: ClassVar = ("answer",)

    def check(self, batch: Batch) -> None:
        pass

    def row(self, rollout: Rollout) -> Score:
        return Score(1.0)


@dataclass(frozen=True)
class HoldsAClosure(RowReward):
    rule: Callable[[str], float] = field(default_factory=lambda: lambda text: 1.0)

    def row(self, rollout: Rollout) -> Score:
        return Score(self.rule(rollout.text))


@dataclass(frozen=True)
class IsRandom(RowReward):
    def row(self, rollout: Rollout) -> Score:
        return Score(random.random())


@dataclass(frozen=True)
class OutOfRange(RowReward):
    def row(self, rollout: Rollout) -> Score:
        return Score(float(len(rollout.text)))


@dataclass(frozen=True)
class MarksOutside(RowReward):
    def row(self, rollout: Rollout) -> Score:
        return Score(1.0, "", (Mark("char", (0, len(rollout.text) + 1), 1.0),))


@dataclass(frozen=True)
class ReadsToolText(RowReward):
    def row(self, rollout: Rollout) -> Score:
        return Score(float(any("answer" in turn.text for turn in rollout.transcript)))


@dataclass(frozen=True)
class Remembers(RowReward):
    seen: list[str] = field(default_factory=list, compare=False)

    def row(self, rollout: Rollout) -> Score:
        self.seen.append(rollout.text)
        return Score(1.0 / len(self.seen))


FAULTS: list[tuple[Reward, str]] = [
    (PeeksAtNeighbours(), "alone_as_in_company"),
    (DependsOnOrder(), "order_free"),
    (CrashesOnText(), "inside_its_range|survives_hostile_text"),
    (SilentNan(), "NaN without a reason"),
    (ReadsUndeclared(), "reads_what_it_declares"),
    (ReadsUndeclaredColumn(), "reads_what_it_declares: reads column `secret` without declaring it"),
    (DeclaresButScoresWithout(), "names_missing_columns"),
    (HoldsAClosure(), "pickles_to_an_equal"),
    (IsRandom(), "deterministic"),
    (OutOfRange(), "inside_its_range"),
    (MarksOutside(), "marks_inside_the_rollout"),
    (ReadsToolText(), "ignores_what_tools_said"),
    (Remembers(), "deterministic"),
]


@pytest.mark.parametrize(("reward", "promise"), FAULTS, ids=[type(reward).__name__ for reward, _ in FAULTS])
def test_fault_is_caught(reward: Reward, promise: str) -> None:
    with pytest.raises(PromiseBroken, match=promise):
        keep_promises(reward, ROWS)


def test_an_honest_reward_passes() -> None:
    @dataclass(frozen=True)
    class Honest(RowReward):
        reads: ClassVar = ("answer",)

        def row(self, rollout: Rollout) -> Score:
            return Score(float(rollout.text == rollout["answer"]), "", (Mark("char", (0, len(rollout.text)), 1.0),))

    rows: list[dict[str, Any]] = ROWS
    from sightline.check import PROMISES

    for promise in PROMISES:
        if promise.__name__ != "pickles_to_an_equal":  # a class inside a function does not pickle
            promise(Honest(), rows)
