"""Lists of boxes with points: what is read, what is paid, how fast."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.rewards.pointed_boxes import PointedBoxes, PointedBoxFit, PointedBoxForm, gold_items, pointed_boxes
from sightline.rewards.repeated_sentences import FewRepeats, sentence_repeats
from sightline.rewards.written import WrittenByPolicy

ITEM = {"bbox_2d": [10, 10, 50, 50], "point_2d": [30, 30]}
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["bbox_2d", "point_2d"]), inner),
    max_leaves=12,
)


@given(VALUE)
def test_any_json_is_read(value: object) -> None:
    found = pointed_boxes(json.dumps(value))
    assert isinstance(found, PointedBoxes) == isinstance(value, list)
    scores = PointedBoxFit()(Batch([f"<answer>{json.dumps(value)}</answer>"], {"solution": [[ITEM]]}))
    assert 0 <= scores.values[0] <= 3


@pytest.mark.parametrize(
    ("text", "keys", "whole"),
    [
        ("[]", 2, True),
        ('[{"bbox_2d": [1,2,3,4], "point_2d": [1,2]}]', 2, True),
        ('[{"bbox_2d": [1,2,3], "point_2d": [1,2]}]', 1, False),
        ('[{"bbox_2d": [1,2,3,"4"], "point_2d": [1,2]}]', 2, False),
        ('[{"bbox_2d": [1,2,3,1e999], "point_2d": [1,2]}]', 2, False),
        ('["bbox_2d", {"bbox_2d": [1,2,3,4], "point_2d": [1,2]}]', 1, False),
    ],
)
def test_keys_and_numbers_are_told_apart(text: str, keys: float, whole: bool) -> None:
    found = pointed_boxes(text)
    assert not isinstance(found, Missing)
    assert (found.keys, found.items is not None) == (keys, whole)


def test_gold_as_list_text_or_arrays() -> None:
    expected = [(10.0, 10.0, 50.0, 50.0, 30.0, 30.0)]
    arrays = [{key: np.array(value) for key, value in ITEM.items()}]
    for value in ([ITEM], json.dumps([ITEM]), f"<answer>{json.dumps([ITEM])}</answer>", arrays, np.array([ITEM])):
        assert gold_items(value) == expected
    with pytest.raises(ColumnError, match="row 1 is 7; it needs a list of items"):
        PointedBoxFit()(Batch(["", ""], {"solution": [[ITEM], 7]}))


def test_marks_lie_on_the_boxes() -> None:
    junk = {"bbox_2d": [200, 200, 210, 210], "point_2d": [205, 205]}
    scores = PointedBoxFit()(Batch([f"<answer>{json.dumps([junk, ITEM])}</answer>"], {"solution": [[ITEM]]}))
    assert [(mark.place, mark.value) for mark in scores.marks[0]] == [((200, 200, 210, 210), 0), ((10, 10, 50, 50), 3)]


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_thousand_rollouts_are_quick() -> None:
    said = f"<think>t</think><answer>{json.dumps([ITEM] * 3)}</answer>"
    batch = Batch([said] * 1000, {"solution": [[ITEM] * 3] * 1000})
    (PointedBoxFit() + PointedBoxForm() + FewRepeats())(batch)


@given(st.lists(st.sampled_from(["a", " a ", "b", "", "\n"]), max_size=8))
def test_repeats_are_pieces_seen_before(pieces: list[str]) -> None:
    seen: list[str] = []
    repeats = 0
    for piece in (piece.strip() for piece in pieces):
        repeats += piece in seen and bool(piece)
        seen.append(piece)
    assert sentence_repeats(".".join(pieces)) == repeats


def test_only_the_policy_passes_the_gate() -> None:
    assert WrittenByPolicy()(Batch(["a"])).values.tolist() == [1]
    assert WrittenByPolicy()(Batch(["a", "b"], {"injected": [True, None]})).values.tolist() == [0, 1]
