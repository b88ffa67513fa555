"""Credit rules against the numbers that trainers' own functions give."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.core import NA, Batch, Scores
from sightline.core.errors import ColumnError, ShapeError
from sightline.credit import (
    BatchStd,
    DynamicSampling,
    GroupRelative,
    LeaveOneOut,
    NormaliseThenSum,
    Tokens,
    WhitenedReturns,
    informative,
)

VALUES = [1, 0, 0.5, 0.5, 1, 1]
GROUP = [0, 0, 0, 0, 1, 1]
LENGTHS = [2, 3, 1, 2, 3, 1]
BATCH = Batch(["x"] * 6, group=GROUP)


def scores(values: list[float]) -> Scores:
    return Scores(np.array(values, float), ["abstain: x" if np.isnan(v) else "" for v in values], [()] * len(values))


@pytest.mark.parametrize(
    ("credit", "expected"),
    [
        (GroupRelative(eps=1e-6), [1.22474, -1.22474, 0, 0, 0, 0]),
        (GroupRelative(), [1.22444, -1.22444, 0, 0, 0, 0]),
        (GroupRelative(scale=None), [0.5, -0.5, 0, 0, 0, 0]),
        (LeaveOneOut(), [0.66667, -0.66667, 0, 0, 0, 0]),
    ],
)
def test_worked_example(credit: GroupRelative | LeaveOneOut, expected: list[float]) -> None:
    advantages, state = credit.assign(scores(VALUES), BATCH)
    assert advantages == pytest.approx(expected, abs=1e-5)
    assert state is None


def test_reinforce_plus_plus_with_group_baseline() -> None:
    mask = np.arange(3) < np.array(LENGTHS)[:, None]
    advantages, _ = WhitenedReturns(baseline=True).assign(scores(VALUES), BATCH, Tokens(mask))
    expected = [1.6204, -1.37111, 0.12465, 0.12465, 0.12465, 0.12465]
    assert advantages == pytest.approx(np.where(mask, np.array(expected)[:, None], 0.0), abs=1e-5)


def test_unscorable_rollouts_are_left_out() -> None:
    batch = Batch(["x"] * 4, group=[0] * 4)
    advantages, _ = GroupRelative().assign(scores([1, NA, 0, 0.5]), batch)
    assert advantages == pytest.approx([0.9998, 0, -0.9998, 0], abs=1e-4)
    sums, _ = GroupRelative().assign(scores([1, 0.5, NA, 2]), batch)
    assert sums == pytest.approx([-0.21819, -0.87276, 0, 1.09095], abs=1e-5)


def test_sum_first_and_normalise_first_differ() -> None:
    parts = {"a": scores([1, 0, 1, 0]), "b": scores([0.80, 0.82, 0.84, 0.86])}
    total = Scores(parts["a"].values + parts["b"].values, [""] * 4, [()] * 4, parts)
    batch = Batch(["x"] * 4, group=[0] * 4)
    first, _ = GroupRelative().assign(total, batch)
    assert first == pytest.approx([0.82984, -0.90046, 0.90046, -0.82984], abs=1e-5)
    normalised, _ = NormaliseThenSum().assign(total, batch)
    assert normalised == pytest.approx([-0.2778, -1.1927, 1.1927, 0.2778], abs=1e-4)
    only_a, _ = NormaliseThenSum((("a", 1.0),), eps=None).assign(total, batch)
    assert only_a == pytest.approx(GroupRelative().assign(parts["a"], batch)[0])
    with pytest.raises(ColumnError, match="weighs part `c`"):
        NormaliseThenSum((("c", 1.0),)).assign(total, batch)


def test_lone_and_constant_groups() -> None:
    batch = Batch(["x"] * 4, group=[0, 1, 1, 2])
    values = scores([3.0, 0.1 + 0.2, 0.3, NA])
    assert GroupRelative().assign(scores([3.0, 0.7, 0.7, NA]), batch)[0].tolist() == [0, 0, 0, 0]
    assert GroupRelative(keep_lone=True).assign(values, batch)[0][0] == 3.0
    assert LeaveOneOut(keep_lone=True).assign(values, batch)[0][0] == 3.0
    assert LeaveOneOut().assign(values, batch)[0][0] == 0.0


def test_batch_scaling_uses_raw_rewards_of_the_batch() -> None:
    values = np.array(VALUES, float)
    expected = (values - np.array([0.5] * 4 + [1.0] * 2)) / (values.std(ddof=1) + 1e-4)
    assert GroupRelative(scale=BatchStd()).assign(scores(VALUES), BATCH)[0] == pytest.approx(expected)


def test_groups_need_not_lie_together() -> None:
    order = np.array([0, 4, 1, 5, 2, 3])
    batch = Batch(["x"] * 6, group=[GROUP[i] for i in order])
    advantages, _ = GroupRelative().assign(scores([VALUES[i] for i in order]), batch)
    assert advantages == pytest.approx(GroupRelative().assign(scores(VALUES), BATCH)[0][order])


def test_dynamic_sampling_hides_groups_without_signal() -> None:
    assert informative(np.array(VALUES, float), BATCH.group).tolist() == [True] * 4 + [False] * 2
    kept, _ = DynamicSampling(GroupRelative(scale=BatchStd())).assign(scores(VALUES), BATCH)
    alone, _ = GroupRelative(scale=BatchStd()).assign(scores(VALUES[:4]), Batch(["x"] * 4, group=[0] * 4))
    assert kept == pytest.approx([*alone, 0, 0])


def test_whitening_needs_a_mask() -> None:
    with pytest.raises(ShapeError, match="needs the tokens' mask"):
        WhitenedReturns().assign(scores(VALUES), BATCH)


def test_discounted_returns() -> None:
    mask = np.ones((2, 2), bool)
    advantages, _ = WhitenedReturns(gamma=0.5).assign(scores([1, 0]), Batch(["a", "b"]), Tokens(mask))
    raw = np.array([[0.5, 1.0], [0, 0]])
    assert advantages == pytest.approx((raw - raw.mean()) / np.sqrt(raw.var(ddof=1) + 1e-8))
