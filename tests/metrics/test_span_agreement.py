"""Span agreement against sets of positions and a matching written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.metrics.span_agreement import covered_iou, merged, span_agreement

SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 6)).map(lambda p: (p[0], p[0] + p[1])), max_size=6)


def positions(spans: list[tuple[int, int]]) -> set[int]:
    return {i for start, end in spans for i in range(start, end)}


@given(SPANS, SPANS)
def test_iou_is_that_of_sets_of_positions(ours: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> None:
    a, b = positions(ours), positions(theirs)
    assert covered_iou(ours, theirs) == pytest.approx(len(a & b) / len(a | b) if a | b else 0.0)


@given(SPANS)
def test_merged_covers_the_same_and_does_not_touch(spans: list[tuple[int, int]]) -> None:
    found = merged(spans)
    assert positions([(int(a), int(b)) for a, b in found]) == positions(spans)
    assert np.all(found[1:, 0] > found[:-1, 1])


@given(SPANS)
def test_a_verifier_agrees_with_itself(spans: list[tuple[int, int]]) -> None:
    distinct = [span for span in dict.fromkeys(spans) if span[1] > span[0]]
    found = span_agreement(distinct, distinct)
    assert found == pytest.approx((1, 1, 1, 1))


@given(SPANS, SPANS)
def test_it_lies_in_its_range(ours: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> None:
    assert all(0 <= value <= 1 + 1e-12 for value in span_agreement(ours, theirs))


def test_one_reference_is_matched_once() -> None:
    assert span_agreement([[0, 4], [0, 4], [0, 4]], [[0, 4]])[:2] == pytest.approx((1 / 3, 1))
