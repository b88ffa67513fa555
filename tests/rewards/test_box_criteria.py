"""Criteria of labelled boxes: the pairing against brute force, data errors, floods."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.metrics.boxes import paired_giou, paired_iou
from sightline.rewards import box_criteria
from sightline.rewards.box_criteria import BoxPairing, BoxPrecision, BoxRecall

GOLD = [["cat", [0, 0, 40, 40]], ["dog", [50, 50, 90, 90]]]
corner = st.integers(0, 20)
box = st.tuples(corner, corner, st.integers(1, 15), st.integers(1, 15)).map(
    lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]
)
labelled = st.lists(st.tuples(st.sampled_from("ab"), box), min_size=1, max_size=4)


def said(items: list[Any]) -> str:
    return json.dumps([{"bbox_2d": b, "label": label} for label, b in items])


def cost(a: Any, b: Any) -> float:
    distance = sum(abs(x - y) for x, y in zip(a[1], b[1], strict=True))
    return distance - float(a[0] == b[0]) - float(paired_giou(a[1], b[1]))


def cheapest(pred: list[Any], gold: list[Any]) -> float:
    few, many = (pred, gold) if len(pred) <= len(gold) else (gold, pred)
    swap = len(pred) > len(gold)
    orders = permutations(range(len(many)), len(few))
    pair = (lambda i, j: cost(many[j], few[i])) if swap else (lambda i, j: cost(few[i], many[j]))
    return min(sum(pair(i, j) for i, j in enumerate(order)) for order in orders)


@settings(max_examples=60)
@given(labelled, labelled)
def test_pairing_has_the_least_total_cost(pred: list[Any], gold: list[Any]) -> None:
    batch = Batch([said(pred)], {"solution": [[list(g) for g in gold]]})
    right, _ = batch.once(BoxPairing().gold)
    found = batch.once(BoxPairing())
    matched = box_criteria.match_boxes(
        found.pred, right, box_criteria._least_cost, similarity=box_criteria._nearness
    ).gold
    total = sum(cost(pred[i], gold[j]) for i, j in enumerate(matched.tolist()) if j >= 0)
    assert total == pytest.approx(cheapest(pred, gold), abs=1e-9)
    assert found.paired.sum() == min(len(pred), len(gold))


@settings(max_examples=40)
@given(labelled, labelled)
def test_strict_never_pays_more_than_released(pred: list[Any], gold: list[Any]) -> None:
    batch = Batch([said(pred)], {"solution": [[list(g) for g in gold]]})
    released = BoxPairing(labels_count=False)
    strict = float(BoxPrecision()(batch).values[0])
    assert strict <= float(BoxPrecision(released, over="paired")(batch).values[0]) + 1e-12


def test_both_rewards_share_one_pairing(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = box_criteria.match_boxes
    monkeypatch.setattr(box_criteria, "match_boxes", lambda *a, **k: calls.append(1) or real(*a, **k))
    (BoxRecall() + BoxPrecision())(Batch([said(GOLD)], {"solution": [GOLD]}))
    assert len(calls) == 1


def test_quality_is_an_option() -> None:
    batch = Batch([said([["cat", [20, 0, 60, 40]]])], {"solution": [[["cat", [0, 0, 40, 40]]]]})
    assert BoxPrecision(BoxPairing(quality=paired_iou))(batch).values == pytest.approx([1 / 3])
    # the enclosing box holds no more than the union here, so both are equal
    assert BoxPrecision()(batch).values == pytest.approx([1 / 3])
    apart = Batch([said([["cat", [40, 40, 80, 80]]])], {"solution": [[["cat", [20, 20, 60, 60]]]]})
    assert BoxPrecision(BoxPairing(quality=paired_iou))(apart).values == pytest.approx([400 / 2800])
    # union 2800 of an enclosing 3600: 1/7 - 2/9 < 0
    assert BoxPrecision()(apart).values == pytest.approx([0.0])


def test_marks_carry_what_each_box_earned() -> None:
    scores = BoxPrecision()(Batch([said([*GOLD, ["cat", [1, 1, 3, 3]]])], {"solution": [GOLD]}))
    assert [(mark.place[0], mark.value) for mark in scores.marks[0]] == [(0.0, 1.0), (50.0, 1.0), (1.0, 0.0)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("solution", [["cat", [0, 0, 0, 40]]]),
        ("solution", [[3, [0, 0, 40, 40]]]),
        ("target_id_maps", {"dog": 1}),
        ("target_id_maps", ["cat", "dog"]),
        ("target_id_maps", "cat, dog"),
        ("target_id_maps", {"cat": True, "dog": 2}),
        ("model_size", [0, 100]),
        ("num_instances", 1),
    ],
)
def test_wrong_data_is_named(column: str, value: Any) -> None:
    row = {"completion": "[]", "solution": GOLD, "width": 100, "height": 100, column: value}
    with pytest.raises(ColumnError, match=f"`{column}` of row 0"):
        BoxRecall()(Batch.from_rows([row]))


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_floods_are_counted_and_quick() -> None:
    flood = said([["cat", [0, 0, 40, 40]]] + [["cat", [41 + i % 7, 41, 60 + i % 9, 60]] for i in range(6_000)])
    many = [["cat", [i * 10, 0, i * 10 + 9, 9]] for i in range(30)]
    batch = Batch([flood], {"solution": [many]})
    scores = BoxPrecision()(batch)
    assert "6001 boxes" in scores.why[0]
    assert scores.values[0] < 0.001
    # too long for JSON: whole items are found one by one, and counted all the same
    longer = flood[:-1] + flood[1:-1] * 4
    assert BoxPrecision()(Batch([longer], {"solution": [many]})).values[0] < 0.001


def test_coordinates_beyond_any_picture_neither_raise_nor_pay() -> None:
    texts = [said([["cat", [0, 0, 1e308, 1e308]]]), said([["cat", [-1e308, -1e308, 1e308, 1e308]]])]
    columns = {"solution": [GOLD] * 2, "width": [100] * 2, "height": [100] * 2, "model_size": [[1, 1]] * 2}
    assert np.all(BoxPrecision()(Batch(texts, columns)).values < 1e-9)


@pytest.mark.parametrize("ids", ['{"Cat ": 1, "kitten": 1, "dog": 2}', {"Cat ": 1, "kitten": 1, "dog": 2, "bus": None}])
def test_maps_are_json_or_mappings_with_the_names_of_other_rows(ids: Any) -> None:
    text = said([["Kitten", [0, 0, 40, 40]], ["bus", [50, 50, 90, 90]]])
    batch = Batch.from_rows([{"completion": text, "solution": GOLD, "target_id_maps": ids}])
    assert BoxPrecision()(batch).values[0] == 0.5
