"""Shaped step rewards: what the sums are, and that they do not grow with the number of steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ConfigError
from sightline.metrics.step_shaping import (
    BatchMean,
    RunningMean,
    StepShaping,
    averaged,
    clipped,
    differences,
    repaired,
    unchanged,
)

SCORE = st.floats(0, 1)
SCORES = st.lists(SCORE, max_size=12)
GAPS = st.lists(SCORE | st.none(), max_size=12)


@given(SCORES)
def test_differences_telescope_to_the_step_they_begin_at(scores: list[float]) -> None:
    ahead = np.cumsum(differences(scores)[::-1])[::-1]
    wanted = [*scores[:-1], 0.0] if scores else []
    np.testing.assert_allclose(ahead, wanted, atol=1e-12)


@given(SCORES, SCORE)
def test_clipped_differences_are_bounded_by_the_threshold(scores: list[float], eta: float) -> None:
    shaped = StepShaping(eta, differences)(scores)
    assert np.all(np.abs(shaped) <= eta + 1e-12)
    assert -eta - 1e-12 <= shaped.sum() <= 1e-12


@given(SCORE, st.integers(2, 60), SCORE)
def test_more_equal_steps_earn_no_more(score: float, times: int, eta: float) -> None:
    for shaping in (StepShaping(eta, differences), StepShaping(None, differences)):
        few, many = shaping([score] * 2).sum(), shaping([score] * times).sum()
        assert many == pytest.approx(few)
    assert StepShaping(eta, unchanged)([score] * times).sum() <= 1e-12


@given(SCORES, SCORE)
def test_the_order_matters(scores: list[float], eta: float) -> None:
    clip_then_delta = StepShaping(eta, differences)(scores)
    np.testing.assert_allclose(clip_then_delta, differences(clipped(scores, eta)), atol=1e-12)


def test_clipping_differences_is_another_reward() -> None:
    assert not np.allclose(clipped(differences([0.2, 0.9, 0.9]), 0.5), differences(clipped([0.2, 0.9, 0.9], 0.5)))


@given(GAPS, SCORE)
def test_repair_leaves_what_is_known_and_no_gap(scores: list[float | None], eta: float) -> None:
    whole = repaired(scores, eta)
    assert len(whole) == len(scores)
    assert not np.isnan(whole).any()
    assert all(got == said for got, said in zip(whole, scores, strict=True) if said is not None)


def test_scores_outside_are_brought_in_with_a_warning_before_gaps_are_filled() -> None:
    with pytest.warns(RuntimeWarning, match="outside"):
        assert repaired([1.7, None, -3.0], 0.5).tolist() == [1.0, 1.0, 0.0]
    with pytest.warns(RuntimeWarning, match="outside"):
        assert BatchMean()([[2.0, None, 0.5]])[0] == 0.75


def test_nan_is_a_missing_score() -> None:
    assert repaired([float("nan"), 0.4], 0.3).tolist() == [0.3, 0.4]
    assert BatchMean()([[float("nan"), 0.4]])[0] == 0.4


def test_the_mean_pools_steps_not_solutions() -> None:
    assert BatchMean()([[0.0, 0.0, 0.0], [1.0]])[0] == 0.25


def test_the_running_mean_moves_slowly() -> None:
    eta, state = RunningMean(0.9)([[0.5]])
    assert eta == 0.5
    eta, state = RunningMean(0.9)([[1.0]], state)
    assert eta == pytest.approx(0.55)
    assert RunningMean(0.9)([[None]], state) == (eta, state)


def test_a_threshold_of_a_batch_needs_one() -> None:
    with pytest.raises(ConfigError, match="needs a batch"):
        StepShaping(BatchMean())([0.5])


def test_averaged_sums_to_the_mean() -> None:
    assert averaged([0.2, 0.4, 0.9]).sum() == pytest.approx(0.5)


@pytest.mark.parametrize("decay", [1.0, -0.1, 2.0])
def test_a_mean_that_cannot_run_is_refused(decay: float) -> None:
    with pytest.raises(ConfigError, match="decay"):
        RunningMean(decay)
