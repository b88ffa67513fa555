"""Salience-weighted fit against brute force, and what floods and faulty data do."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.metrics.boxes import box_iou
from sightline.rewards.target_boxes import DualOverlap, SalientBoxes

corner = st.integers(0, 12)
side = st.integers(1, 9)
box = st.tuples(corner, corner, side, side).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
distinct = st.lists(box, max_size=4, unique=True)


def said(boxes: Any) -> str:
    return " ".join(f"<box>{list(b)}</box>" for b in boxes)


def value(pred: Any, targets: Any, salience: Any = None, reward: Any = None) -> float:
    columns = {"targets": [[list(t) for t in targets]], "salience": [salience]}
    return float((reward or SalientBoxes())(Batch([said(pred)], columns)).values[0])


@settings(max_examples=80)
@given(distinct, st.lists(box, min_size=1, max_size=3), st.data())
def test_value_is_that_of_the_best_assignment(pred: list[Any], targets: list[Any], data: Any) -> None:
    weights = data.draw(st.lists(st.sampled_from([0.1, 0.5, 1.0]), min_size=len(targets), max_size=len(targets)))
    iou = box_iou(np.array(pred).reshape(-1, 4), targets) * weights
    padded = np.vstack([iou, np.zeros((len(targets), len(targets)))])
    best = max(sum(padded[i, k] for k, i in enumerate(o)) for o in permutations(range(len(padded)), len(targets)))
    expected = best / sum(weights) * min(1.0, len(targets) / max(1, len(pred)))
    assert value(pred, targets, weights) == pytest.approx(expected)


@settings(max_examples=40)
@given(distinct, st.lists(box, min_size=1, max_size=3))
def test_order_and_repeats_of_mentions_change_nothing(pred: list[Any], targets: list[Any]) -> None:
    assert value([*reversed(pred), *pred], targets) == pytest.approx(value(pred, targets))


def test_equal_saliences_give_the_mean_overlap() -> None:
    assert value([(0, 0, 4, 4)], [(0, 0, 4, 4), (8, 8, 12, 12)], [0.1, 0.1]) == pytest.approx(0.5)


def test_flooding_never_pays() -> None:
    target = [(0, 0, 8, 8)]
    grid = [(x, y, x + 8, y + 8) for x in range(0, 40, 4) for y in range(0, 40, 4)]
    assert value(grid, target) == pytest.approx(1 / len(grid))
    assert value(grid, target, reward=DualOverlap()) > 0.5  # the baseline's weakness


@pytest.mark.parametrize("salience", [[0.0], [1.5], [1.0, 1.0], "1", [True], [float("nan")]])
def test_faulty_salience_is_named(salience: Any) -> None:
    with pytest.raises(ColumnError, match="`salience` of row 0"):
        value([], [(0, 0, 4, 4)], salience)


@pytest.mark.parametrize("targets", [[[4, 4, 0, 0]], [[0, 0, 4]], "[0,0,4,4]", 7])
def test_faulty_targets_are_named(targets: Any) -> None:
    with pytest.raises(ColumnError, match="`targets` of row 0"):
        SalientBoxes()(Batch(["x"], {"targets": [targets]}))


def test_arrays_are_targets_too() -> None:
    for targets in (np.array([[0, 0, 4, 4]]), [(0, 0, 4, 4)], [np.array([0, 0, 4, 4])]):
        assert SalientBoxes()(Batch([said([(0, 0, 4, 4)])], {"targets": [targets]})).values[0] == 1.0
