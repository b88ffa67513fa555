import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sightline.core.errors import ShapeError
from sightline.metrics import box_area, box_giou, box_iou, finite_boxes, paired_giou, paired_iou, proper_boxes

ANY = st.floats(allow_nan=True, allow_infinity=True)
SMALL = st.integers(-30, 30).map(float)


def box_arrays(numbers):
    return st.integers(0, 6).flatmap(lambda n: arrays(np.float64, (n, 4), elements=numbers))


def iou_by_hand(a, b, overlap_above=0.0):
    """One pair, from the definition."""
    if not (a[0] < a[2] and a[1] < a[3] and b[0] < b[2] and b[1] < b[3]):
        return 0.0
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = width * height if width > overlap_above and height > overlap_above else 0.0
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


@given(box_arrays(SMALL), box_arrays(SMALL), st.sampled_from([0.0, 1.0, 2.5]))
def test_iou_is_the_definition(a, b, overlap_above):
    wanted = [[iou_by_hand(p, g, overlap_above) for g in b] for p in a]
    assert box_iou(a, b, overlap_above=overlap_above).tolist() == np.reshape(wanted, (len(a), len(b))).tolist()


@given(box_arrays(ANY), box_arrays(ANY))
def test_iou_is_symmetric_and_between_0_and_1_whatever_the_numbers(a, b):
    iou = box_iou(a, b)
    assert iou.shape == (len(a), len(b))
    assert ((iou >= 0) & (iou <= 1 + 1e-12)).all()
    assert np.array_equal(iou, box_iou(b, a).T)
    assert not iou[~proper_boxes(a)].any()


@given(box_arrays(ANY), box_arrays(ANY))
def test_giou_is_symmetric_and_between_minus_1_and_1_whatever_the_numbers(a, b):
    giou = box_giou(a, b)
    assert ((giou >= -1 - 1e-12) & (giou <= 1 + 1e-12)).all()
    assert np.array_equal(giou, box_giou(b, a).T)
    assert (giou <= box_iou(a, b) + 1e-12).all()
    assert (giou[~proper_boxes(a)] == -1).all()


@given(box_arrays(ANY))
def test_a_proper_box_equals_itself(a):
    valid = proper_boxes(a)
    assert paired_iou(a, a) == pytest.approx(np.where(valid, 1.0, 0.0))
    assert paired_giou(a, a) == pytest.approx(np.where(valid, 1.0, -1.0))


@given(box_arrays(ANY), box_arrays(ANY))
def test_raw_arithmetic_never_gives_nan(a, b):
    for overlap in (box_iou, box_giou):
        assert not np.isnan(overlap(a, b, validity=finite_boxes)).any()


@given(box_arrays(SMALL), box_arrays(SMALL), st.integers(-50, 50), st.integers(-50, 50))
def test_moving_both_changes_nothing(a, b, x, y):
    move = np.array([x, y, x, y], dtype=float)
    assert np.array_equal(box_iou(a, b), box_iou(a + move, b + move))
    assert np.array_equal(box_giou(a, b), box_giou(a + move, b + move))


@given(box_arrays(SMALL), box_arrays(SMALL), st.sampled_from([2.0**-700, 2.0**-520, 2.0**600, 2.0**1000]))
def test_scaling_both_changes_nothing_even_where_areas_overflow_or_vanish(a, b, scale):
    assert box_iou(a * scale, b * scale) == pytest.approx(box_iou(a, b), abs=1e-12)
    assert box_giou(a * scale, b * scale) == pytest.approx(box_giou(a, b), abs=1e-12)
    assert box_iou(a * scale, b * scale, overlap_above=scale) == pytest.approx(
        box_iou(a, b, overlap_above=1), abs=1e-12
    )


@given(arrays(np.float64, (3, 2, 4), elements=SMALL), arrays(np.float64, (3, 4, 4), elements=SMALL))
def test_a_batch_is_its_rows(a, b):
    assert np.array_equal(box_iou(a, b), [box_iou(p, g) for p, g in zip(a, b, strict=True)])
    assert np.array_equal(box_giou(a, b), [box_giou(p, g) for p, g in zip(a, b, strict=True)])
    assert np.array_equal(paired_iou(a, b[:, :2]), np.diagonal(box_iou(a, b[:, :2]), axis1=1, axis2=2))


@pytest.mark.parametrize(
    ("box", "what"),
    [
        ([50, 50, 10, 10], "both corners swapped"),
        ([50, 10, 10, 50], "x swapped"),
        ([10, 10, 10, 50], "no width"),
        ([10, 10, float("nan"), 50], "not a number"),
        ([float("-inf"), 10, 50, 50], "infinite"),
    ],
)
def test_an_improper_box_overlaps_nothing(box, what):
    assert box_iou([box], [[10, 10, 50, 50], box]).tolist() == [[0.0, 0.0]], what
    assert box_giou([box], [[10, 10, 50, 50], box]).tolist() == [[-1.0, -1.0]], what
    assert box_area(box) == 0


def test_swapped_corners_reach_the_top_in_raw_arithmetic_only():
    swapped, box = [[500, 500, 100, 100]], [[100, 100, 500, 500]]
    assert box_giou(swapped, box, validity=finite_boxes)[0, 0] + 1 == 2.0
    assert box_giou(swapped, box)[0, 0] + 1 == 0.0


@pytest.mark.parametrize(
    ("pred", "gold", "reward"),
    [((100, 100, 500, 500), (300, 300, 700, 700), 0.920635), ((0, 0, 100, 100), (900, 900, 1000, 1000), 0.02)],
)
def test_giou_of_the_published_examples(pred, gold, reward):
    for validity in (proper_boxes, finite_boxes):
        assert box_giou([pred], [gold], validity)[0, 0] + 1 == pytest.approx(reward, abs=5e-7)


def test_an_overlap_of_one_pixel_does_not_count_in_the_released_test():
    a, b = [[0, 0, 10, 10]], [[9, 0, 19, 10]]
    assert box_iou(a, b)[0, 0] == pytest.approx(10 / 190)
    assert box_iou(a, b, overlap_above=1)[0, 0] == 0
    assert box_iou([[0, 0, 0.5, 0.5]], [[0, 0, 0.5, 0.5]], overlap_above=1)[0, 0] == 0


@pytest.mark.parametrize(
    "bad", [[1, 2, 3], [[1, 2, 3]], 7, [["a", 1, 2, 3]], [[1, 2, 3, 4], [1, 2]], [[10**400, 0, 1, 1]]]
)
def test_what_is_no_box_array_is_named(bad):
    with pytest.raises(ShapeError, match="box_iou a: needs"):
        box_iou(bad, [[0, 0, 1, 1]])
