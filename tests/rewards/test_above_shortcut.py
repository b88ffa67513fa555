"""Grounding above a shortcut, sets of statements, counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.metrics.calibration import guessing, linear_count_closeness
from sightline.rewards.above_shortcut import BoxAboveShortcut
from sightline.rewards.boxed_count import BoxedCount, boxed_count
from sightline.rewards.option_set import OptionSet, OptionSetAboveGuessing, gold_truths

TRUTHS = st.lists(st.booleans(), min_size=1, max_size=12)


def letters(selected: list[bool]) -> str:
    return ",".join(chr(65 + i) for i, one in enumerate(selected) if one)


@given(TRUTHS, st.lists(st.booleans(), min_size=12, max_size=12))
def test_sets_are_scored_decision_by_decision(truths: list[bool], picks: list[bool]) -> None:
    picks = picks[: len(truths)]
    batch = Batch([f"\\boxed{{{letters(picks)}}}"], {"solution": [truths]})
    assert OptionSet()(batch).values[0] == pytest.approx(np.mean(np.array(truths) == picks))


@given(TRUTHS)
def test_all_and_none_together_are_worth_one(truths: list[bool]) -> None:
    """Selecting everything earns the true share, selecting nothing the rest."""
    said = [f"\\boxed{{{letters([True] * len(truths))}}}", "\\boxed{}"]
    values = OptionSet()(Batch(said, {"solution": [truths] * 2})).values
    assert values.tolist() == pytest.approx([np.mean(truths), 1 - np.mean(truths)])


def test_coin_flips_earn_nothing_above_guessing() -> None:
    sets = [[bool(n >> i & 1) for i in range(5)] for n in range(32)]
    batch = Batch(
        [f"\\boxed{{{letters(picks)}}}" for picks in sets], {"solution": [[True, False, True, True, False]] * 32}
    )
    assert OptionSetAboveGuessing(k=5.0)(batch).values.mean() == pytest.approx(0, abs=1e-12)
    assert OptionSetAboveGuessing(k=0.0)(Batch(["x"], {"solution": [[True]]})).values[0] == pytest.approx(
        -guessing(1) / (1 - guessing(1))
    )


@pytest.mark.parametrize("value", [[2], "AC", 1, [True] * 27, [None]])
def test_gold_sets_that_are_none(value: object) -> None:
    with pytest.raises(ColumnError, match="at most 26 true and false"):
        OptionSet()(Batch([""], {"solution": [value]}))
    assert gold_truths(np.array([1, 0])) == (True, False)


@pytest.mark.parametrize(
    ("value", "message"),
    [([1, 2, 3], "four finite numbers"), ({"bbox": [1, 2, 3, 4], "E": 2}, "E must lie"), ("{", "four finite numbers")],
)
def test_gold_boxes_that_are_none(value: object, message: str) -> None:
    with pytest.raises(ColumnError, match=message):
        BoxAboveShortcut()(Batch([""], {"solution": [value]}))


def test_gold_boxes_of_every_form() -> None:
    said = '<think>t</think>{"bbox": [0, 0, 10, 10]}'
    forms = [[0, 0, 10, 10], (0, 0, 10, 20), np.array([0, 0, 10, 10]), '{"bbox": [0, 0, 10, 10], "E": 0.5}']
    values = BoxAboveShortcut()(Batch([said] * 4, {"solution": forms})).values
    assert values.tolist() == [1, 0.5, 1, 1]


def test_swapped_corners_are_said_to_be() -> None:
    scores = BoxAboveShortcut()(Batch(['</think>"bbox": [9, 9, 1, 1]'], {"solution": [[1, 1, 9, 9]]}))
    assert scores.values[0] == 1
    assert "swapped corners put in order" in scores.why[0]
    assert scores.marks[0][0].place == (1, 1, 9, 9)


def test_counts() -> None:
    said = ["\\boxed{4}", "\\boxed{1,000}", "\\boxed{-3/2}", "\\boxed{1} or \\boxed{2}", "\\boxed{3/0}"]
    assert [boxed_count(text) for text in said[:4]] == [4, 1000, -1.5, 2]
    values = BoxedCount(linear_count_closeness)(Batch(said, {"solution": [5, "1000", -1.5, 2.0, 3]})).values
    assert values.tolist() == [0.8, 1, 1, 1, 0]
    with pytest.raises(ColumnError, match="it needs a finite number"):
        BoxedCount()(Batch([""], {"solution": ["many"]}))
