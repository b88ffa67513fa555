from __future__ import annotations

import numpy as np
import pytest

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.scores import Scores
from sightline.credit.after_average import AfterAverage
from sightline.credit.group_relative import GroupRelative

RULE = AfterAverage("small", 0.5, "enough", above=0.5, decay=0.5, credit=GroupRelative(scale=None))
BATCH = Batch(["", ""], group=[0, 0])


def scores(enough: list[float], small: list[float]) -> Scores:
    parts = {"enough": Scores.of(np.array(enough), [""] * 2), "small": Scores.of(np.array(small), [""] * 2)}
    return Scores(np.array([1.0, 1.0]) + 0.5 * np.array(small), [""] * 2, [(), ()], parts)


def test_waits_opens_and_closes_again() -> None:
    state = None
    found = []
    for enough in ([0, 0], [1, 1], [1, 1], [0, 0]):  # averages 0, 0.5, 0.75, 0.375
        advantages, state = RULE.assign(scores(enough, [1, 0]), BATCH, state=state)
        found.append(advantages.tolist())
    assert found == [[0, 0], [0, 0], [0.25, -0.25], [0, 0]]
    assert state["average"] == pytest.approx(0.375)


def test_unknown_parts_change_nothing() -> None:
    nan = float("nan")
    parts = {"enough": Scores.of(np.array([nan, nan]), ["abstain: x"] * 2), "small": Scores.of([0, 1])}
    blank = Scores(np.array([1.0, 1.5]), ["", ""], [(), ()], parts)
    advantages, state = RULE.assign(blank, BATCH)
    assert state["average"] is None
    assert advantages.tolist() == [0, 0]


def test_says_which_part_is_missing() -> None:
    with pytest.raises(ColumnError, match="`small`"):
        RULE.assign(Scores.of([1, 0]), BATCH)
