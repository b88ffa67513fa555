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


def test_flips_of_right_and_wrong() -> None:
    found = drift({"a": np.array([1.0, 0, NAN, 0])}, {"a": np.array([0.0, 1, 1, 0])})["a"]
    assert (found.rescued, found.overridden) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
