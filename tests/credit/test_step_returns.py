"""Returns from every step on, against sums written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch, Scores
from sightline.core.errors import ShapeError
from sightline.core.marks import Mark
from sightline.credit import Tokens
from sightline.credit.credit import declared
from sightline.credit.gates import DynamicSampling
from sightline.credit.step_returns import StepReturns, StepStatistics
from sightline.metrics.step_shaping import BatchMean, RunningMean, StepShaping, differences, unchanged

RAW = StepReturns(StepShaping(None, unchanged), statistics=None)
DELTA = StepReturns(StepShaping(None, differences), statistics=None)
SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def solution(steps: list[float | None]) -> tuple[Mark, ...]:
    """One step at every second character; None for a verdict that failed."""
    return tuple(
        Mark("char", (2 * k, 2 * k + 1), value or 0.0, "error: down" if value is None else "")
        for k, value in enumerate(steps)
    )


def assign(rule: StepReturns, values: Any, *steps: list[float | None], group: Any = None, **more: Any) -> np.ndarray:
    width = max(map(len, steps))
    offsets = np.tile([[2 * k, 2 * k + 1] for k in range(width)], (len(steps), 1, 1))
    mask = np.array([[k < max(len(own), 1) for k in range(width)] for own in steps])
    why = ["abstain: x" if v is None else "" for v in values]
    scores = Scores(np.array([np.nan if v is None else v for v in values]), why, [solution(own) for own in steps])
    batch = Batch(["x" * 99] * len(steps), group=group or [0] * len(steps))
    return rule.assign(scores, batch, Tokens(mask, offsets=offsets, **more))[0]


@given(SCORES, st.sampled_from([0.0, 1.0]), st.floats(0.02, 1))
def test_delta_returns_are_the_step_and_the_outcome(steps: list[float], c: float, alpha: float) -> None:
    rule = StepReturns(StepShaping(None, differences), alpha=alpha, statistics=None)
    wanted = [alpha * r + c for r in steps[:-1]] + [c]
    np.testing.assert_allclose(assign(rule, [c], steps)[0], wanted, atol=1e-9)


@given(SCORES, st.sampled_from([0.0, 1.0]))
def test_raw_returns_are_sums_of_what_follows(steps: list[float], c: float) -> None:
    wanted = [sum(steps[k:]) + c for k in range(len(steps))]
    np.testing.assert_allclose(assign(RAW, [c], steps)[0], wanted, atol=1e-9)


def test_a_step_without_a_verdict_takes_the_one_before() -> None:
    assert assign(RAW, [0], [0.5, None, 0.25])[0].tolist() == [1.25, 0.75, 0.25]


def test_below_one_the_discount_breaks_the_telescope() -> None:
    rule = StepReturns(StepShaping(None, differences), gamma=0.5, statistics=None)
    np.testing.assert_allclose(assign(rule, [1], [0.9, 0.9, 0.9])[0], [0.5 * 0.9 + 0.25, 0.9 + 0.5, 1.0])


def test_the_kl_penalty_is_paid_by_every_token() -> None:
    rule = StepReturns(StepShaping(None, differences), kl=0.1, statistics=None)
    measured = {"reference_logp": np.array([[-2.0, -1.0]])}
    found = assign(rule, [1], [0.5, 0.5], logp=np.array([[-1.0, -1.5]]), measured=measured)
    np.testing.assert_allclose(found, [[1.5 - 0.1 + 0.05, 1.0 + 0.05]])
    assert [m.name for m in rule.measures] == ["logp", "reference_logp"]
    assert DELTA.measures == ()
    with pytest.raises(ShapeError, match="reference_logp"):
        assign(rule, [1], [0.5], logp=np.array([[-1.0]]))


def test_the_trainer_is_asked_for_places_through_other_rules() -> None:
    assert list(declared(DynamicSampling(DELTA), "places")) == [True]


def test_statistics_weigh_every_step_once() -> None:
    rule = StepReturns(StepShaping(None, unchanged), statistics=StepStatistics(floor=1e-9))
    found = assign(rule, [0, 0], [0.1, 0.2, 0.3], [0.5])
    returns = np.array([0.6, 0.5, 0.3, 0.5])
    wanted = (returns - returns.mean()) / returns.std(ddof=1)
    np.testing.assert_allclose([*found[0], found[1][0]], wanted)


def test_a_floor_bounds_what_a_small_spread_can_do() -> None:
    rule = StepReturns(StepShaping(None, differences), statistics=StepStatistics(floor=0.1))
    assert np.abs(assign(rule, [1, 1], [1e-4, 0.5], [2e-4, 0.5])).max() < 0.01
    loose = StepReturns(StepShaping(None, differences), statistics=StepStatistics(floor=0.0))
    assert np.abs(assign(loose, [1, 0], [1e-4, 0.5], [2e-4, 0.5])).max() > 0.5


def test_an_unscorable_rollout_leaves_the_others_as_they_are() -> None:
    rule = StepReturns(StepShaping(None, differences))
    alone = assign(rule, [1, 0], [0.9, 0.2], [0.1, 0.2])
    found = assign(rule, [1, 0, None], [0.9, 0.2], [0.1, 0.2], [0.7, 0.7])
    np.testing.assert_allclose(found[:2], alone)
    assert not found[2].any()


def test_a_running_threshold_is_remembered() -> None:
    rule = StepReturns(StepShaping(RunningMean(0.5), unchanged), statistics=None)
    scores = Scores(np.array([0.0]), [""], [solution([0.8])])
    tokens = Tokens(np.ones((1, 1), bool), offsets=np.array([[[0, 1]]]))
    _, state = rule.assign(scores, Batch(["x"]), tokens)
    found, state = rule.assign(Scores(np.array([0.0]), [""], [solution([0.4])]), Batch(["x"]), tokens, state)
    assert state == pytest.approx(0.6)
    assert found[0, 0] == pytest.approx(-0.2)


def test_the_part_is_preferred_to_the_whole() -> None:
    part = Scores(np.array([0.5]), [""], [solution([0.5])])
    scores = Scores(np.array([1.0]), [""], [solution([0.9])], {"steps": part})
    tokens = Tokens(np.ones((1, 1), bool), offsets=np.array([[[0, 1]]]))
    assert RAW.assign(scores, Batch(["x"]), tokens)[0].tolist() == [[1.5]]


def test_clip_delta_never_pays_for_length() -> None:
    rule = StepReturns(StepShaping(BatchMean(), differences), statistics=None)
    few, many = assign(rule, [1, 1], [0.9] * 3, [0.9] * 30)
    assert few[0] == pytest.approx(many[0]) == pytest.approx(1.0)
