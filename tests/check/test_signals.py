"""What given rollouts can teach: dead groups, saturation, drift."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.check.signals import drift, signal
from sightline.core.errors import ShapeError

NAN = float("nan")


def test_dead_groups_and_ends() -> None:
    values = np.array([1.0, 1.0, 0.0, 1.0, 0.5, NAN, 0.0])
    found = signal(values, np.array([0, 0, 1, 1, 2, 2, 3]))
    assert (found.rollouts, found.groups, found.dead) == (6, 2, 0.5)  # alone, a rollout makes no group
    assert (found.top, found.floor) == (pytest.approx(3 / 6), pytest.approx(2 / 6))


def test_groups_may_lie_apart() -> None:
    assert signal(np.array([1.0, 0.0, 1.0, 0.0]), np.array([5, 2, 5, 2])).dead == 1.0


def test_nothing_to_count() -> None:
    found = signal(np.array([NAN]), np.array([0]))
    assert (found.rollouts, found.groups) == (0, 0)
    assert np.isnan(found.dead)
    with pytest.raises(ShapeError, match="2 values for 1"):
        signal(np.zeros(2), np.zeros(1, dtype=np.int64))


def test_drift_beyond_chance() -> None:
    rng = np.random.default_rng(0)
    before = {"reward": rng.normal(0, 1, 400), "same": rng.normal(0, 1, 400), "gone": np.zeros(3)}
    after = {"reward": rng.normal(0.5, 1, 300), "same": before["same"] + 0.01}
    found = drift(before, after)
    assert set(found) == {"reward", "same"}
    assert found["reward"].drifts
    assert not found["same"].drifts
    assert np.isnan(found["same"].rescued)


def test_rollouts_of_one_prompt_are_no_independent_ones() -> None:
    """Eight equal rollouts a prompt say no more than one: the same means, and a drift by chance only."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 12), rng.normal(0.6, 1, 12)
    many = {"r": np.repeat(a, 8)}, {"r": np.repeat(b, 8)}
    group = np.repeat(np.arange(12), 8)
    alone, together, blind = drift({"r": a}, {"r": b})["r"], drift(*many, (group, group))["r"], drift(*many)["r"]
    assert together.p == pytest.approx(alone.p)
    assert together.error == pytest.approx(alone.error)
    assert blind.p < together.p / 10
    assert np.isnan(drift(*many, (0 * group, 0 * group))["r"].p)


def test_a_difference_that_means_do_not_show() -> None:
    wide = np.tile([-1.0, 1.0], 100)
    found = drift({"r": wide}, {"r": wide * 0.1})["r"]
    assert not found.drifts
    assert found.distance == 0.5
    assert drift({"r": np.ones(9)}, {"r": np.zeros(9)})["r"].p == 0.0
    assert drift({"r": np.ones(9)}, {"r": np.ones(9)})["r"].p == 1.0
    assert drift({"r": np.full(3, NAN)}, {"r": np.full(3, NAN)}) == {}


def test_flips_of_right_and_wrong() -> None:
    found = drift({"a": np.array([1.0, 0, NAN, 0])}, {"a": np.array([0.0, 1, 1, 0])})["a"]
    assert (found.rescued, found.overridden) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
