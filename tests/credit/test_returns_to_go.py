"""Returns and advantages with a critic, over policy tokens only."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.credit import gae, returns_to_go, whiten

REWARDS = st.lists(st.floats(-3, 3), min_size=1, max_size=8)


@given(REWARDS, st.floats(0, 1))
def test_without_a_critic_and_with_lambda_1_advantages_are_returns(rewards: list[float], gamma: float) -> None:
    given_, mask = np.array([rewards]), np.ones((1, len(rewards)), dtype=bool)
    np.testing.assert_allclose(
        gae(given_, np.zeros_like(given_), mask, gamma), returns_to_go(given_, mask, gamma), atol=1e-9
    )


def test_one_step_advantages_by_hand() -> None:
    rewards, values = np.array([[1.0, 0.0, 2.0]]), np.array([[0.5, 1.0, 1.5]])
    found = gae(rewards, values, np.ones((1, 3), bool), gamma=0.9, lam=0.0)
    np.testing.assert_allclose(found, [[1.0 + 0.9 - 0.5, 0.9 * 1.5 - 1.0, 2.0 - 1.5]])
    found = gae(rewards, values, np.ones((1, 3), bool), gamma=0.9, lam=0.5)
    np.testing.assert_allclose(found, [[1.4 + 0.45 * (0.35 + 0.45 * 0.5), 0.35 + 0.45 * 0.5, 0.5]])


def test_a_tools_tokens_pass_no_time() -> None:
    mask = np.array([[True, False, False, True]])
    rewards = np.array([[0.0, 7.0, 7.0, 1.0]])
    assert returns_to_go(rewards, mask, 0.5).tolist() == [[0.5, 0.0, 0.0, 1.0]]
    assert gae(rewards, np.zeros((1, 4)), mask, 0.5).tolist() == [[0.5, 0.0, 0.0, 1.0]]


def test_whitening() -> None:
    values, mask = np.array([[1.0, 2.0], [3.0, 100.0]]), np.array([[True, True], [True, False]])
    found = whiten(values, mask)
    np.testing.assert_allclose(found[mask].mean(), 0, atol=1e-9)
    np.testing.assert_allclose(found[mask].std(), 1, atol=1e-6)
    assert found[1, 1] == 0
    assert not whiten(values, np.zeros((2, 2), bool)).any()
