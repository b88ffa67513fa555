"""Boxes in the forms that policies write, and as arrays."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Missing
from sightline.parse import Detections, box_table, first_int_box, first_point_pair, is_box, point_pairs

WITH_SCORE = Detections("Position", None, "Confidence")

coordinates = st.one_of(st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=2), st.just(10**400))
items = st.one_of(
    st.fixed_dictionaries({"bbox_2d": st.lists(coordinates, max_size=5), "label": st.text() | st.integers()}),
    coordinates,
)


@given(st.lists(items, max_size=6))
def test_every_item_is_counted_and_only_finite_boxes_are_valid(written):
    found = Detections()(json.dumps(written))
    assert found.count == len(written) == len(found.xyxy) == len(found.labels) == len(found.scores) == len(found.valid)
    table = box_table([found, Missing("nothing"), found])
    assert table.counts.tolist() == [found.count, -1, found.count]
    assert np.isfinite(table.xyxy).all(axis=1).tolist() == found.valid * 2 == table.valid.tolist()
    assert np.diff(table.offsets).tolist() == [found.count, 0, found.count]


@pytest.mark.parametrize(
    "box", [[1, 2, 3], [1, 2, 3, 4, 5], [True, 2, 3, 4], ["1", 2, 3, 4], [1, 2, 3, float("nan")], "1234", None, {}, 7]
)
def test_no_box(box):
    assert not is_box(box)


def test_swapped_corners_and_floats_stay_as_written():
    found = Detections()('[{"bbox_2d": [30, 4.5, 3, 1], "label": "cat"}]')
    assert (found.xyxy, found.valid) == ([[30, 4.5, 3, 1]], [True])


@pytest.mark.parametrize("score", ['"0.9"', "true", "null", "NaN", "1e999"])
def test_an_item_without_a_numeric_confidence_is_kept_and_invalid_or_fails_all(score):
    text = f'[{{"Position": [1, 2, 3, 4], "Confidence": 0.5}}, {{"Position": [1, 2, 3, 4], "Confidence": {score}}}]'
    found = WITH_SCORE(text)
    assert (found.count, found.valid, found.scores[0]) == (2, [True, False], 0.5)
    failing = Detections("Position", None, "Confidence", bad_item="fail")
    assert failing(text).why == "item 1 has no box of 4 finite numbers with a confidence"


def test_a_flood_is_counted_but_not_read():
    text = json.dumps([{"bbox_2d": [1, 2, 3, 4], "label": "a"}] * 5000)
    found = Detections()(text)
    assert (found.count, len(found.xyxy)) == (5000, 4096)


def test_an_empty_list_is_found_and_no_list_is_missing():
    assert Detections()("[]").count == 0
    assert Detections()("None") == Missing("not JSON")


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("[1,2,3,4]", (1, 2, 3, 4)),
        ("[1,  2,\n3, 4] and [5,6,7,8]", (1, 2, 3, 4)),
        ("[[1,2,3,4]]", (1, 2, 3, 4)),
        ("[1,2,3] [5,6,7,8]", (5, 6, 7, 8)),
        ("[-1,2,3,4]", None),
        ("[1,2,3,4,5]", None),
        ("[1.0,2,3,4]", None),
        (f"[{'9' * 5000},2,3,4]", None),
    ],
)
def test_first_int_box(text, box):
    found = first_int_box(text)
    assert isinstance(found, Missing) if box is None else found == box


def test_point_pairs():
    assert first_point_pair("( 1 , 2 ) , ( 3 , 4 ) (5,6),(7,8)") == (1, 2, 3, 4)
    assert point_pairs("(1,2),(3,4),(5,6),(7,8)") == [(1, 2, 3, 4), (5, 6, 7, 8)]
    assert first_point_pair("(500,500),(100,100)") == (500, 500, 100, 100)
    assert not first_point_pair("(1.5,2),(3,4)")
    assert not point_pairs(f"(1,2),(3,4) (1,2),(3,{'9' * 400})")
