"""Tracks in bins, agreement, intervals: properties that hold whatever the boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.core.motion import COMPASS, SCALES, SPEEDS, STILL, Motion
from sightline.metrics.spans import interval_iou, time_closeness
from sightline.metrics.tracks import describe, direction_agreement, motion_agreement, motion_change, straight

TURN = dict(zip(COMPASS, (*COMPASS[2:], *COMPASS[:2]), strict=True))  # a quarter turn counter-clockwise
motions = st.builds(Motion, st.sampled_from((*COMPASS, STILL)), st.sampled_from(SPEEDS), st.sampled_from(SCALES))
paths = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8)


def track(points: list[tuple[int, int]], side: float = 4.0) -> np.ndarray:
    return np.array([[x, y, x + side, y + side] for x, y in points], dtype=float)


@given(paths)
def test_every_track_has_known_bins_and_rest_agrees(points: list[tuple[int, int]]) -> None:
    found = describe(track(points), range(len(points)))
    assert found.known
    assert (found.direction == STILL) == (found.speed == "stationary")


@given(st.integers(-40, 40), st.integers(-40, 40))
def test_a_quarter_turn_turns_the_direction(dx: int, dy: int) -> None:
    one = describe(track([(50, 50), (50 + dx, 50 + dy)]), [0, 1])
    turned = describe(track([(50, 50), (50 + dy, 50 - dx)]), [0, 1])  # screen y grows downwards
    assert turned.direction == (one.direction if one.direction == STILL else TURN[one.direction])


@given(paths, st.floats(0.1, 10))
def test_bins_do_not_depend_on_the_size_of_the_picture(points: list[tuple[int, int]], factor: float) -> None:
    small, large = (describe(track(points) * k, range(len(points)), 0.005 * k) for k in (1.0, factor))
    assert small[1:3] == large[1:3]


@given(motions, motions)
def test_agreement_is_symmetric_and_full_for_equals(a: Motion, b: Motion) -> None:
    assert motion_agreement(a, b) == motion_agreement(b, a)
    assert motion_agreement(a, a) == pytest.approx(1)
    assert motion_change(a, a) == 0
    assert 0 <= motion_agreement(a, b) <= 1 + 1e-12


def test_every_direction_has_two_neighbours() -> None:
    assert all(sum(direction_agreement(a, b) == 0.5 for b in COMPASS) == 2 for a in COMPASS)


def test_boundaries_belong_to_the_faster_bin() -> None:
    for path, name in ((9.0, "stationary"), (10.0, "slow"), (50.0, "moderate"), (150.0, "fast")):
        boxes = [[0, 0, 3, 4], [path, 0, 3 + path, 4]]  # a diagonal of 5 pixels, 100 seconds
        assert describe(boxes, [0, 100]).speed == name


def test_straight_motion_without_time_or_size() -> None:
    assert straight([0, 0, 10, 10], [50, 0, 60, 10], 0.0) == Motion(STILL, "stationary", "stable")
    assert straight([0, 0, 10, 10], [50, 0, 60, 10], 0.0, settled=False).direction == "E"
    assert straight([0, 0, 0, 0], [50, 0, 50, 0], 1.0).scale == "stable"


def test_as_many_times_as_boxes() -> None:
    with pytest.raises(ShapeError, match="2 times for 1 boxes"):
        describe([[0, 0, 1, 1]], [0, 1])


spans = st.tuples(st.floats(-100, 100), st.floats(-100, 100))


@given(spans, spans)
def test_interval_iou_is_symmetric_and_in_range(a: tuple[float, float], b: tuple[float, float]) -> None:
    assert interval_iou(a, b) == interval_iou(b, a)
    assert 0 <= interval_iou(a, b) <= 1
    assert interval_iou(a, a) == (a[0] < a[1])


def test_intervals_that_are_none() -> None:
    found = interval_iou([[np.nan, 1], [0, np.inf], [3, 3], [0, 1]], [0, 1])
    assert found.tolist() == [0, 0, 0, 1]


def test_closeness_takes_the_nearest_key_time() -> None:
    assert time_closeness([0, 9, 4], [0, 10]) == pytest.approx([1, np.exp(-0.5), np.exp(-8)])
