"""Moving baseline and KL weight."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch, Scores
from sightline.credit.moving_baseline import KlWeight, MovingBaseline, moving_baselines


def test_a_batch_moves_the_baseline_by_its_mean() -> None:
    scores = Scores.of(np.array([1.0, 0.0, np.nan]), ["", "", "abstain: skipped"])
    advantages, state = MovingBaseline().assign(scores, Batch([""] * 3), state=0.5)
    np.testing.assert_allclose(advantages, [0.5, -0.5, 0.0])
    assert state == 0.5


def test_what_is_skipped_does_not_move_it() -> None:
    scores = Scores.of(np.array([np.nan]), ["abstain: skipped"])
    advantages, state = MovingBaseline().assign(scores, Batch([""]), state=0.25)
    assert advantages.tolist() == [0.0]
    assert state == 0.25


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_baseline_stays_among_the_rewards(rewards: list[float]) -> None:
    assert all(0 <= baseline <= max(rewards) + 1e-12 for _, baseline in moving_baselines(rewards))


@given(st.lists(st.floats(-0.1, 0.1), max_size=200))
def test_the_weight_never_falls_below_its_floor(drifts: list[float]) -> None:
    assert all(weight >= 1e-6 for weight in KlWeight().run(drifts))


def test_the_rule_of_the_paper_undoes_a_step() -> None:
    paper = KlWeight(shrink=1 / 1.1)
    assert np.isclose(paper.after(0.03).after(0.0).value, paper.value)
