"""A rating that a judge writes, and what becomes of one that cannot be read."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.judges import ScriptedJudge, Verdict
from sightline.rewards.rated_fit import FirstNumber, RatedFit

MARKED = [("7.5pts", 7.5), ("_8_", 8.0), ("**6.5**", 6.5), ("1e1", 10.0), ("5-7", 5.0), ("9th", 9.0)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7.0),
        ("Score: 7/10", 7.0),
        ("0", 0.0),
        ("10.0", 10.0),
        (".5", 0.5),
        ("v2 is 3", 3.0),
        ("7. Good", 7.0),
        *MARKED,
    ],
)
def test_first_number(text: str, value: float) -> None:
    assert FirstNumber(0, 10)(text) == value


@pytest.mark.parametrize("text", ["", "seven", "-1", "10.5", "100 then 5", "1e400", "9" * 5000])
def test_no_legal_number(text: str) -> None:
    assert isinstance(FirstNumber(0, 10)(text), Missing)


def test_a_judge_that_fails_does_not_count_in_the_mean() -> None:
    judge = ScriptedJudge(("4", Verdict(error="HTTP 500"), "?", "8"))
    batch = Batch([""] * 4, {"caption": ["a"] * 4, "images": [f"{n}.png" for n in range(4)]}, group=[0] * 4)
    scores = RatedFit(judge)(batch)
    assert scores.values[[0, 2, 3]].tolist() == [4.0, 6.0, 8.0]
    assert scores.errors.tolist() == [False, True, False, False]
    assert "mean of its group" in scores.why[2]


def test_groups_fill_their_own_gaps() -> None:
    judge = ScriptedJudge(("4", "?", "?", "8"))
    batch = Batch([""] * 4, {"caption": ["a"] * 4, "images": [f"{n}.png" for n in range(4)]}, group=[0, 0, 1, 2])
    scores = RatedFit(judge)(batch)
    assert scores.values[[0, 1, 3]].tolist() == [4.0, 4.0, 8.0]
    assert scores.abstained[2]
    assert np.isnan(scores.values[2])
