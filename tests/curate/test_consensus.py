"""Boxes that several models agree on, and questions worth sampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.core.missing import Missing
from sightline.curate.consensus import agreed_box, agreed_boxes, undecided

side = st.integers(0, 20)


@given(st.lists(st.tuples(side, side, side, side), min_size=1, max_size=3))
def test_a_mean_box_lies_within_the_boxes_it_is_made_of(boxes: list[tuple[int, ...]]) -> None:
    found = agreed_box(boxes)
    if not isinstance(found, Missing):
        array = np.array(boxes, dtype=float)
        assert (array.min(axis=0) <= found).all()
        assert (found <= array.max(axis=0)).all()


def test_one_disputed_pair_drops_the_box() -> None:
    assert isinstance(agreed_box([[0, 0, 4, 4], [0, 0, 4, 2], [0, 2, 4, 4]]), Missing)
    # exactly at the bar
    assert not isinstance(agreed_box([[0, 0, 4, 4], [0, 0, 4, 2]]), Missing)


def test_one_disputed_label_drops_the_sample() -> None:
    good, bad = {"cat": [0, 0, 4, 4], "dog": [5, 5, 9, 9]}, {"cat": [0, 0, 4, 4], "dog": [8, 8, 12, 12]}
    assert set(agreed_boxes([good, good, good])) == {"cat", "dog"}  # type: ignore[arg-type]
    found = agreed_boxes([good, bad, good])
    assert isinstance(found, Missing)
    assert found.why.startswith("`dog`")


def test_no_box_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ShapeError, match="at least one"):
        agreed_box([])


def test_undecided_questions() -> None:
    assert undecided([[1, 0, 1], [1, 1, 1], [0, 0, 0]]).tolist() == [True, False, False]
