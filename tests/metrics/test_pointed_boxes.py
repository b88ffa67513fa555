"""Pointed boxes against loops over pixels and over all assignments."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.metrics.pointed_boxes import inclusive_iou, matched_tests, passed_tests
from sightline.metrics.ragged import Ragged

BOX = st.tuples(*[st.integers(0, 12)] * 4)
ITEM = st.tuples(*[st.integers(0, 60)] * 6)


def pixels(box: tuple[int, ...]) -> set[tuple[int, int]]:
    x1, y1, x2, y2 = box
    return {(x, y) for x in range(x1, x2 + 1) for y in range(y1, y2 + 1)}


@given(BOX, BOX)
def test_iou_counts_pixels(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    a, b = (tuple(np.sort(np.reshape(box, (2, 2)), axis=0).ravel()) for box in (a, b))
    expected = len(pixels(a) & pixels(b)) / len(pixels(a) | pixels(b))
    np.testing.assert_allclose(inclusive_iou([a], [b]), [[expected]])


def test_swapped_corners_overlap_nothing() -> None:
    assert inclusive_iou([[50, 50, 10, 10], [50, 10, 10, 50]], [[10, 10, 50, 50]]).tolist() == [[0.0], [0.0]]


def test_numbers_that_overflow_fail() -> None:
    huge = np.array([[-1e308, -1e308, 1e308, 1e308, 0, 0]])
    assert passed_tests(huge, np.array([[10.0, 10, 50, 50, 30, 30]])).tolist() == [[0.0]]


def by_hand(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    iou = inclusive_iou([a[:4]], [b[:4]])[0, 0] > 0.5
    near = sum(abs(x - y) for x, y in zip(a[:4], b[:4], strict=True)) / 4 < 10
    close = ((a[4] - b[4]) ** 2 + (a[5] - b[5]) ** 2) ** 0.5 < 30
    inside = a[0] <= a[4] <= a[2] and a[1] <= a[5] <= a[3]
    return int(iou) + int(near) + int(close and inside)


@given(st.lists(ITEM, max_size=4), st.lists(ITEM, max_size=4))
def test_the_matching_passes_most_tests(pred: list[tuple[int, ...]], gold: list[tuple[int, ...]]) -> None:
    shorter, longer = sorted((pred, gold), key=len)
    swapped = shorter is gold and len(pred) != len(gold)
    best = max(
        sum(by_hand(b, a) if swapped else by_hand(a, b) for a, b in zip(shorter, chosen, strict=True))
        for chosen in permutations(longer, len(shorter))
    )
    flat = [np.array(items, dtype=float).reshape(-1, 6) for items in (pred, gold)]
    found = matched_tests(Ragged.from_counts(flat[0], [len(pred)]), Ragged.from_counts(flat[1], [len(gold)]))
    assert found.sum() == best
