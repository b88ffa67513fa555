"""Agreement of boxes over views, beside plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.metrics.view_agreement import (
    in_order,
    projected_box,
    released_agreement,
    thousandths_matrix,
    view_agreement,
)

EDGE = st.integers(0, 1000)
BOX = st.tuples(EDGE, EDGE, EDGE, EDGE)


def released_by_hand(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    """The released arithmetic, statement by statement, for one pair."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    inter = 0 if wide < 0 or high < 0 else wide * high
    iou = inter / max(sum(areas) - inter, 1e-6)
    hull = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
    return (iou - (hull - (sum(areas) - iou * sum(areas))) / max(hull, 1e-6) + 1) / 2


@given(BOX, BOX)
def test_released_arithmetic(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    assert float(released_agreement(a, b)) == pytest.approx(released_by_hand(a, b), rel=1e-9, abs=1e-9)


@given(BOX, BOX)
def test_strict_is_symmetric_bounded_and_blind_to_corner_order(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    value = float(view_agreement(a, b))
    assert 0 <= value <= 1
    assert value == pytest.approx(float(view_agreement(b, a)))
    assert value == pytest.approx(float(view_agreement(in_order(a), b)))
    if a[0] != a[2] and a[1] != a[3]:
        assert float(view_agreement(a, a)) == 1.0 > float(released_agreement(in_order(a), in_order(a)))


def test_official_pays_half_overlap_best() -> None:
    shifts = np.arange(0, 301, 10)
    boxes = np.stack([shifts, 0 * shifts, shifts + 300, 0 * shifts + 300], axis=1)
    official, strict = released_agreement(boxes[:1], boxes), view_agreement(boxes[:1], boxes)
    assert shifts[official.argmax()] == 100
    assert official.max() == pytest.approx(0.625)
    assert strict.argmax() == 0
    assert (np.diff(strict) < 0).all()


def test_batches_are_rows_by_themselves() -> None:
    rng = np.random.default_rng(0)
    boxes, matrices = rng.uniform(0, 1000, (20, 4)), rng.normal(size=(20, 3, 3))
    matrices[:, 2] = (0, 0, 1)
    sizes = rng.uniform(100, 900, (20, 2))
    for raw in (False, True):
        together = projected_box(boxes, matrices, *sizes.T, raw)
        alone = [projected_box(b, m, *s, raw) for b, m, s in zip(boxes, matrices, sizes, strict=True)]
        np.testing.assert_allclose(together, alone)


def test_square_pictures_of_a_thousand_pixels_need_no_change_of_units() -> None:
    matrix = np.array([[0.9, 0.1, 5], [-0.1, 0.9, 7], [0, 0, 1]])
    np.testing.assert_allclose(thousandths_matrix(matrix, 1000, 1000), matrix)


def test_what_is_no_matrix_is_named() -> None:
    with pytest.raises(ShapeError, match="3x3"):
        projected_box([0, 0, 1, 1], [[1, 0, 0], [0, 1, 0]])
