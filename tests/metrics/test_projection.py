"""Closeness to a goal against the matrix form of its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sightline.core.errors import ShapeError
from sightline.metrics.projection import goal_closeness, mean_direction

NUMBERS = st.floats(-5, 5, width=32).map(lambda x: round(x, 3))
VECTORS = arrays(np.float64, (4, 3), elements=NUMBERS)


def by_matrix(states: np.ndarray, goals: np.ndarray, baselines: np.ndarray, alpha: float) -> np.ndarray:
    g, b = ((p / np.linalg.norm(p, axis=1, keepdims=True)).mean(0) for p in (goals, baselines))
    d = g - b
    M = alpha * np.outer(d, d) / (d @ d) + (1 - alpha) * np.eye(len(d))
    s = states / np.linalg.norm(states, axis=1, keepdims=True)
    return 1 - np.square((s - g) @ M).sum(1) / 2


@given(VECTORS, VECTORS, VECTORS, st.floats(0, 1))
def test_it_is_the_matrix_form(states: np.ndarray, goals: np.ndarray, baselines: np.ndarray, alpha: float) -> None:
    lengths = [np.linalg.norm(array, axis=1).min() for array in (states, goals, baselines)]
    if min(lengths) < 1e-2 or np.linalg.norm(mean_direction(goals) - mean_direction(baselines)) < 1e-2:
        return
    expected = by_matrix(states, goals, baselines, alpha)
    for guarded in (True, False):
        got = goal_closeness(states, goals, baselines, alpha, guarded)
        assert got == pytest.approx(expected, abs=1e-9)
        assert ((got >= -1) & (got <= 1)).all()


@given(VECTORS, VECTORS)
def test_more_strength_never_lowers_a_reward(states: np.ndarray, goals: np.ndarray) -> None:
    """Projection takes distance away: R grows with alpha."""
    baselines = np.ones((4, 3))
    if np.linalg.norm(goals, axis=1).min() < 1e-2:
        return
    rewards = [goal_closeness(states, goals, baselines, alpha) for alpha in (0, 0.3, 0.7, 1)]
    assert (np.diff(rewards, axis=0) >= -1e-12).all()


def test_alpha_0_and_one_prompt_is_the_cosine() -> None:
    assert goal_closeness([[3, 4], [0, -2]], [[10, 0]]) == pytest.approx([0.6, 0.0])


def test_a_state_earns_alone_what_it_earns_among_others() -> None:
    rng = np.random.default_rng(0)
    states, goals, baselines = rng.normal(size=(50, 33)), rng.normal(size=(2, 33)), rng.normal(size=(2, 33))
    together = goal_closeness(states, goals, baselines, 0.4)
    assert [goal_closeness(one[None], goals, baselines, 0.4)[0] for one in states] == together.tolist()


@pytest.mark.parametrize(
    ("states", "goals", "baselines", "alpha"),
    [
        ([[1, 0]], [], [], 0.5),
        ([[1, 0]], [[1, 0]], [[1, 0], [0, 1]], 0.5),
        ([[1, 0]], [[0, 0]], [[1, 0]], 0.5),
        ([[1, 0]], [[1, 0]], [[0, 0]], 0.5),
        ([[1, 0, 0]], [[1, 0]], [[0, 1]], 0.5),
        ([1, 0], [[1, 0]], [[0, 1]], 0.5),
        ([[1, np.nan]], [[1, 0]], [[0, 1]], 0.5),
        ([[1, 0]], [[1, 0]], [[0, 1]], 1.1),
        ([[1, 0]], [[1, 0]], [[0, 1]], float("nan")),
        ([[1, 0]], [[1, 0]], None, 0.5),
    ],
)
def test_what_cannot_be_compared_is_refused(states: object, goals: object, baselines: object, alpha: float) -> None:
    with pytest.raises(ShapeError):
        goal_closeness(states, goals, baselines, alpha)  # type: ignore[arg-type]


def test_no_states_no_rewards() -> None:
    assert goal_closeness(np.zeros((0, 2)), [[1, 0]], [[0, 1]], 0.5).shape == (0,)
