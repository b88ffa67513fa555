"""A label among the rollouts of its group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch, Scores
from sightline.credit import GroupRelative, LabelApart, LabelInGroup
from sightline.credit.injected_label import advantages_with_label

ROLLOUTS = st.lists(st.integers(0, 7).map(float), min_size=1, max_size=8)


def by_hand(rollouts: list[float], label: float, smooth: bool) -> np.ndarray:
    if smooth and max(rollouts) >= label:
        label = float(np.mean(rollouts))
    values = np.array([*rollouts, label])
    if np.ptp(values) == 0:
        return np.zeros(len(values))
    return (values - values.mean()) / (values.std(ddof=1) + 1e-6)


@given(ROLLOUTS, st.integers(0, 7).map(float), st.booleans())
def test_as_the_formula_says(rollouts: list[float], label: float, smooth: bool) -> None:
    found = advantages_with_label(rollouts, label, smooth=smooth)
    np.testing.assert_allclose([*found.rollouts, found.label], by_hand(rollouts, label, smooth), atol=1e-7)


def test_groups_do_not_mix_and_labels_stand_anywhere() -> None:
    batch = Batch([""] * 6, {"injected": [True, False, False, False, False, None]}, group=[0, 0, 0, 1, 1, 1])
    found, _ = LabelInGroup().assign(Scores.of([6, 0, 0, 5, 1, 3]), batch)
    np.testing.assert_allclose(found[:3], by_hand([0, 0], 6, True)[[2, 0, 1]], atol=1e-7)
    np.testing.assert_allclose(found[3:], GroupRelative(eps=1e-6).advantages(np.array([5.0, 1, 3]), np.zeros(3, int)))


def test_what_cannot_be_scored_is_left_out() -> None:
    why = ["abstain: x", "", ""]
    batch = Batch([""] * 3, {"injected": [False, False, True]}, group=[0] * 3)
    assert LabelInGroup().assign(Scores.of([np.nan, 2, 2], why), batch)[0].tolist() == [0, 0, 0]
    lone = Scores.of([np.nan, np.nan, 6], ["abstain: x", "abstain: x", ""])
    assert LabelInGroup().assign(lone, batch)[0].tolist() == [0, 0, 0]
    blind = Scores.of([1, 0, np.nan], ["", "", "error: judge"])
    np.testing.assert_allclose(LabelInGroup().assign(blind, batch)[0], [0.707106, -0.707106, 0], atol=1e-5)


def test_without_labels_it_is_the_rule_itself() -> None:
    values, batch = np.array([1.0, 0, 0]), Batch([""] * 3, group=[0] * 3)
    expected = GroupRelative(eps=1e-6).advantages(values, batch.group)
    assert LabelInGroup().assign(Scores.of(values), batch)[0].tolist() == expected.tolist()
    assert LabelApart().assign(Scores.of(values), batch)[0].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (LabelApart(None), [0, 0, 1]),
        (LabelApart(weight=0.0), [0.707106, -0.707106, 0]),
        (LabelApart(), [0.707106, -0.707106, 1]),
    ],
)
def test_baselines(rule: LabelApart, expected: list[float]) -> None:
    batch = Batch([""] * 3, {"injected": [False, False, True]}, group=[0] * 3)
    np.testing.assert_allclose(rule.assign(Scores.of([3, 1, 6]), batch)[0], expected, atol=1e-5)
