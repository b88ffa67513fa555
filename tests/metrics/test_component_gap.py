"""The identities of joint and decoupled advantages on random groups, and the counterexamples to what is printed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.core.errors import ConfigError, ShapeError
from sightline.metrics.component_gap import component_gap, standardised, surrogate


@st.composite
def groups(draw):
    size, parts = draw(st.integers(2, 8)), draw(st.integers(1, 4))
    rewards = draw(st.lists(st.lists(st.integers(0, 4), min_size=size, max_size=size), min_size=parts, max_size=parts))
    weights = np.array(draw(st.lists(st.integers(1, 9), min_size=parts, max_size=parts)), float)
    ratio = draw(st.lists(st.floats(0.3, 2.0), min_size=size, max_size=size))
    return np.array(rewards) / 4, weights / weights.sum(), np.array(ratio)


@settings(max_examples=200)
@given(groups())
def test_identities(group) -> None:
    rewards, weights, ratio = group
    found = component_gap(rewards, weights, ratio)
    assert found.decoupled == pytest.approx((ratio * found.advantage_decoupled).mean(), abs=1e-9)
    if found.sigma_joint == 0:
        assert found.bound is None
        assert found.joint == 0
        assert not found.matched.any()
        assert found.gap == pytest.approx(found.decoupled)
        return
    assert np.abs(found.residual).max() < 1e-9
    assert found.rematched == pytest.approx(found.joint, abs=1e-9)
    shrunk = weights * (1 - found.sigma / found.sigma_joint)
    assert found.gap == pytest.approx(float(shrunk @ (standardised(rewards) @ ratio)) / len(ratio), abs=1e-9)
    assert abs(found.gap) <= found.bound + 1e-9
    covariance = np.cov(rewards, ddof=0).reshape(len(weights), -1)
    assert found.sigma_joint**2 == pytest.approx(float(weights @ covariance @ weights), abs=1e-9)
    known = ~np.isnan(found.correlation)
    scaled = covariance / np.maximum(np.outer(found.sigma, found.sigma), 1e-12)
    np.testing.assert_allclose(found.correlation[known], scaled[known], atol=1e-9)


def test_printed_bound_is_none() -> None:
    found = component_gap([[0, 1], [1, 0]], [0.75, 0.25], [0.9, 1.1])
    assert np.abs(found.residual).max() == 0
    assert found.gap == pytest.approx(-0.05)


def test_one_constant_component_of_three_does_not_make_them_proportional() -> None:
    found = component_gap([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 1, 1]], [0.2, 0.4, 0.4])
    both = np.array([found.advantage_joint, found.advantage_decoupled])
    assert np.linalg.matrix_rank(both, tol=1e-6) == 2


def test_sample_deviation_changes_the_advantages_by_one_factor_and_the_weights_not_at_all() -> None:
    rewards, weights = np.array([[1, 1, 0, 1.0], [1, 0, 0, 1], [0, 1, 0, 1]]), np.array([0.2, 0.5, 0.3])
    found, whole = component_gap(rewards, weights), weights @ rewards
    np.testing.assert_allclose(
        (whole - whole.mean()) / whole.std(ddof=1), found.advantage_joint * np.sqrt(3 / 4), atol=1e-12
    )
    np.testing.assert_allclose(weights * rewards.std(1, ddof=1) / whole.std(ddof=1), found.matched, atol=1e-12)


def test_clip_with_ratios_inside_it_changes_nothing() -> None:
    given = ([[1, 0, 0], [0, 0, 1]], [0.5, 0.5], [0.9, 1.0, 1.15])
    free, clipped = component_gap(*given), component_gap(*given, clip=0.2)
    assert (free.joint, free.decoupled, free.bound) == (clipped.joint, clipped.decoupled, clipped.bound)
    assert component_gap(*given, clip=0.1).bound is None


def test_surrogate_takes_the_smaller_product() -> None:
    assert surrogate([1.0], [3.0]) == pytest.approx(1.2)
    assert surrogate([-1.0], [3.0]) == pytest.approx(-3.0)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (([[0, 1]], [0.5, 0.5]), ShapeError),
        (([0, 1], [1.0]), ShapeError),
        (([[0, 1]], [-1.0]), ConfigError),
        (([[0, 1]], [float("nan")]), ConfigError),
        (([[0, 1]], [1.0], [1.0]), ShapeError),
    ],
)
def test_wrong_arguments(given, error) -> None:
    with pytest.raises(error):
        component_gap(*given)
