"""Stages of training: which reward runs, what is evaluated, what is checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from sightline.core import Batch, Rollout, Score
from sightline.core.errors import ColumnError, CompositionError
from sightline.rewards import Constant, RowReward
from sightline.rewards.staged import Staged

CALLS: list[str] = []


@dataclass(frozen=True)
class Counted(RowReward):
    name: str = ""
    reads: ClassVar = ("answer",)

    def row(self, rollout: Rollout) -> Score:
        CALLS.append(self.name)
        return Score(1.0)


@pytest.mark.parametrize(("step", "value"), [(0, 1.0), (9, 1.0), (10, 2.0), (29, 2.0), (30, 3.0), (None, 3.0)])
def test_the_step_chooses(step: int | None, value: float) -> None:
    reward = Staged(((0, Constant(1.0)), (10, Constant(2.0)), (30, Constant(3.0))))
    assert reward(Batch(["a"], step=step)).values[0] == value


@pytest.mark.parametrize("total", [3, 7, 10, 100, 299, 300, 12345])
def test_shares_begin_where_exact_arithmetic_says(total: int) -> None:
    reward = Staged(((0, Constant(1.0)), (1 / 3, Constant(2.0))), total=total)
    for step in (total // 3 - 1, total // 3, total // 3 + 1):
        assert reward.at(step) == Constant(1.0 if 3 * step < total else 2.0)


def test_other_stages_are_not_evaluated_but_their_columns_are_checked() -> None:
    CALLS.clear()
    reward = Staged(((0, Counted("first")), (5, Counted("second"))))
    reward(Batch(["a"], {"answer": ["a"]}, step=7))
    assert CALLS == ["second"]
    with pytest.raises(ColumnError, match="`answer`"):
        Staged(((0, Constant(0.0)), (5, Counted("late"))))(Batch(["a"], step=0))


def test_a_part_keeps_its_name_through_all_stages() -> None:
    reward = Staged(((0, Constant(1.0)), (5, Constant(0.5)))).named("recall") + Constant(1.0)
    scores = reward(Batch(["a", "b"], step=5))
    assert np.array_equal(scores.parts["recall"].values, [0.5, 0.5])
    assert reward.bounds() == (1.5, 2.0)


@pytest.mark.parametrize("starts", [(), (1,), (0, 5, 5), (0, 9, 3)])
def test_starts_must_rise_from_zero(starts: tuple[int, ...]) -> None:
    with pytest.raises(CompositionError, match="rise from 0"):
        Staged(tuple((start, Constant(1.0)) for start in starts))
