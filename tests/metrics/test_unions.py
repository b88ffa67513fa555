"""Unions of boxes against counting pixels, and against sums where nothing overlaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.metrics.unions import Union, covered_share, ignorable

corner = st.integers(-2, 12)
box = st.tuples(corner, corner, corner, corner)


def mask(boxes: list[tuple[int, ...]]) -> np.ndarray:
    """Unit cells of -2..12 that some box covers."""
    cells = np.zeros((14, 14), dtype=bool)
    for x1, y1, x2, y2 in boxes:
        if x1 < x2 and y1 < y2:
            cells[y1 + 2 : y2 + 2, x1 + 2 : x2 + 2] = True
    return cells


@given(st.lists(box, max_size=6), st.lists(box, max_size=3))
def test_areas_are_those_of_the_cells(boxes: list[Any], others: list[Any]) -> None:
    union = Union.of(boxes)
    assert union.area == mask(boxes).sum()
    expected = [(mask(boxes) & mask([other])).sum() for other in others]
    assert union.inside(others) == pytest.approx(expected)


@given(st.lists(box, max_size=6), st.floats(0.1, 1e6), st.floats(-1e4, 1e4))
def test_scale_and_place_do_not_matter(boxes: list[Any], scale: float, shift: float) -> None:
    moved = np.array(boxes, dtype=np.float64).reshape(-1, 4) * scale + shift
    target = np.array([[0, 0, 10, 10]]) * scale + shift
    assert covered_share(target, moved) == pytest.approx(covered_share([[0, 0, 10, 10]], boxes), abs=1e-5)


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_many_regions_are_quick() -> None:
    rng = np.random.default_rng(0)
    corners = rng.random((256, 2)) * 900
    boxes = np.hstack([corners, corners + rng.random((256, 2)) * 100])
    Union.of(boxes)


def test_no_box_covers_nothing() -> None:
    assert Union.of([]).area == 0.0
    assert np.array_equal(Union.of([[4, 4, 0, 0]]).inside([[0, 0, 4, 4]]), [0.0])
    assert np.array_equal(covered_share([[4, 4, 0, 0]], [[0, 0, 9, 9]]), [0.0])


def test_ignored_regions_need_more_than_half_of_a_box() -> None:
    assert ignorable([[0, 0, 4, 4], [0, 0, 4, 8], [4, 4, 0, 0]], [[0, 0, 4, 4]]).tolist() == [True, False, False]
    assert ignorable([[0, 0, 4, 4]], []).tolist() == [False]
