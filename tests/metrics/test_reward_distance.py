"""Reward distance against Pearson's correlation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.metrics.projection import goal_closeness
from sightline.metrics.reward_distance import epic_distance, success_rate

PAIRS = st.lists(st.tuples(st.floats(-3, 3).map(lambda x: round(x, 4)), st.booleans()), min_size=2, max_size=30)


@given(PAIRS)
def test_rho_is_pearsons(pairs: list[tuple[float, bool]]) -> None:
    rewards, labels = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    assume(np.ptp(rewards) > 1e-3 and np.ptp(labels) > 0)
    found = epic_distance(rewards, labels)
    assert found.rho == pytest.approx(np.corrcoef(rewards, labels)[0, 1], abs=1e-9)
    assert found.distance == pytest.approx(np.sqrt((1 - found.rho) / 2), abs=1e-9)
    assert found.why == ""


@pytest.mark.parametrize(
    ("rewards", "labels", "why"),
    [([1, 1], [0, 1], "equal"), ([0, 1], [1, 1], "one kind"), ([0, 1], [0, 0], "one kind"), ([], [], "one kind")],
)
def test_undefined_says_why(rewards: list[float], labels: list[int], why: str) -> None:
    found = epic_distance(rewards, labels)
    assert np.isnan(found.rho)
    assert np.isnan(found.distance)
    assert why in found.why


@pytest.mark.parametrize(
    ("rewards", "labels"), [([0, 1], [0]), ([0, 1], [0, 0.5]), ([0, np.nan], [0, 1]), ([[0]], [[1]])]
)
def test_other_input_is_refused(rewards: list[float], labels: list[float]) -> None:
    with pytest.raises(ShapeError, match="epic_distance"):
        epic_distance(rewards, labels)


def test_half_of_the_steps_is_enough() -> None:
    assert success_rate([49.9, 50, 100]) == pytest.approx(2 / 3)
    assert np.isnan(success_rate([]))


@pytest.mark.parametrize("seed", range(5))
def test_projection_helps_where_nuisance_lies_across_it(seed: int) -> None:
    """A toy encoder: states of length 1 with a task axis, what both texts share, and nuisance that eats into that."""
    rng = np.random.default_rng(seed)
    task, nuisance = np.linspace(-0.3, 0.3, 80), rng.uniform(0, 0.95, 80)
    goal, baseline = [[1.0, 1.0, 0.0]], [[-1.0, 1.0, 0.0]]
    alphas = (0.0, 0.5, 1.0)

    def rewards(other: np.ndarray, alpha: float) -> np.ndarray:
        states = np.column_stack([task, np.sqrt(1 - task**2 - other**2), other])
        return goal_closeness(states, goal, baseline, alpha)

    rho = [epic_distance(rewards(nuisance, alpha), task > 0.1).rho for alpha in alphas]
    assert rho[0] < rho[1]
    assert rho[0] < rho[2]
    assert all((np.diff(rewards(np.zeros(80), alpha)) > 0).all() for alpha in alphas)
