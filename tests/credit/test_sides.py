"""Statistics of one side only."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch, Scores
from sightline.credit import GroupRelative, PerSide

VALUES = st.lists(st.integers(0, 3).map(float), min_size=2, max_size=6)


@given(VALUES, VALUES)
def test_each_side_is_a_group_of_its_own(left: list[float], right: list[float]) -> None:
    sides = ["original"] * len(left) + ["rephrased"] * len(right)
    batch = Batch([""] * len(sides), {"side": sides}, group=[0] * len(sides))
    found, _ = PerSide().assign(Scores.of([*left, *right]), batch)
    rule = GroupRelative(eps=1e-6)
    for values, mine in ((left, found[: len(left)]), (right, found[len(left) :])):
        np.testing.assert_allclose(mine, rule.advantages(np.array(values), np.zeros(len(values), np.int64)))


def test_sides_of_two_questions_stay_apart() -> None:
    batch = Batch([""] * 4, {"side": ["a", "b", "a", "b"]}, group=[0, 0, 1, 1])
    assert PerSide().assign(Scores.of([1, 0, 0, 1]), batch)[0].tolist() == [0, 0, 0, 0]


def test_state_goes_through() -> None:
    class Counts:
        def assign(self, scores, batch, tokens=None, state=None):
            return scores.values, (state or 0) + 1

    batch = Batch(["", ""], {"side": ["a", "b"]}, group=[0, 0])
    assert PerSide(Counts()).assign(Scores.of([1, 0]), batch, state=4)[1] == 5
