"""Contradictions between a choice and what a reader of the reasoning comes to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.metrics.contradictions import contradictions

NAN = float("nan")


def test_nothing_to_count() -> None:
    assert contradictions([], [])["rate"] is None
    assert contradictions([None, 0], [[0.5, 0.5], [NAN, NAN]], [0, 0]) == {
        "rate": None, "counted": 0, "accuracy_agreeing": None, "accuracy_contradicting": None
    }  # fmt: skip


def test_lengths_must_fit() -> None:
    with pytest.raises(ShapeError, match="right options"):
        contradictions([0], [[0.5, 0.5]], [0, 1])


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=20))
def test_accuracies_add_up(rows: list[tuple[int, float, int]]) -> None:
    choices, right = [c for c, _, _ in rows], [r for _, _, r in rows]
    found = contradictions(choices, [[p, 1 - p] for _, p, _ in rows], right)
    rate = found["rate"]
    total = sum(c == r for c, r in zip(choices, right, strict=True)) / len(rows)
    parts = (1 - rate) * (found["accuracy_agreeing"] or 0) + rate * (found["accuracy_contradicting"] or 0)
    assert parts == pytest.approx(total)
