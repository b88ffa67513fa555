"""Cues against their references: the gate on the count, ties as scipy breaks them, marks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.metrics.patches import patch_f1
from sightline.rewards.visual_cues import VisualCues

index = st.integers(0, 4)
box = st.tuples(index, index, index, index)


def said(boxes: Any) -> str:
    return " ".join(f"<cue>{list(b)}</cue>" for b in boxes)


@settings(max_examples=80)
@given(st.lists(box, max_size=4), st.lists(box, max_size=4))
def test_value_is_that_of_one_assignment_by_scipy(pred: list[Any], refs: list[Any]) -> None:
    value = VisualCues()(Batch([said(pred)], {"cues": [refs]})).values[0]
    if not refs or len(pred) > len(refs):
        expected = float(not refs and not pred)
    else:
        f1 = patch_f1(np.array(pred).reshape(-1, 4), refs)
        rows, columns = linear_sum_assignment(1 - f1)
        expected = (f1[rows, columns] >= 0.5).sum() / len(refs)
    assert value == expected


@settings(max_examples=40)
@given(st.lists(box, max_size=4), st.lists(box, min_size=1, max_size=4))
def test_hits_first_never_finds_fewer(pred: list[Any], refs: list[Any]) -> None:
    batch = Batch([said(pred)], {"cues": [refs]})
    assert VisualCues(finds_first=True)(batch).values[0] >= VisualCues()(batch).values[0]


def test_marks_show_each_cue_also_behind_the_gate() -> None:
    text = said([(1, 1, 2, 2), (0, 0, 0, 0)])
    columns = {"cues": [[[1, 1, 2, 2], [5, 5, 6, 6]], [[1, 1, 2, 2]]]}
    scores = VisualCues()(Batch([text, text], columns))
    assert [mark.value for mark in scores.marks[0]] == [1.0, 0.0]
    assert [mark.value for mark in scores.marks[1]] == [0.0, 0.0]
    assert text[slice(*map(int, scores.marks[0][0].place))] == "[1, 1, 2, 2]"
    assert scores.why[1] == "2 cues for 1 references: too many"


@pytest.mark.parametrize(
    "cues", ["[1]", [[1, 2, 3]], [{"label": "cat"}], [[0, 0, float("nan"), 1]], 3, [[0, 0.5, 1, 1]]]
)
def test_wrong_references_are_named(cues: Any) -> None:
    with pytest.raises(ColumnError, match="`cues` of row 0"):
        VisualCues()(Batch(["x"], {"cues": [cues]}))


def test_arrays_and_tuples_are_references_too() -> None:
    for cues in (np.array([[1, 1, 2, 2]]), [(1, 1, 2, 2)], [{"box": np.array([1, 1, 2, 2])}]):
        assert VisualCues()(Batch([said([(1, 1, 2, 2)])], {"cues": [cues]})).values[0] == 1.0
