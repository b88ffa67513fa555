"""Boxes with confidences: one matching for both rewards, marks, gold values of any shape."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards import matched_boxes
from sightline.rewards.matched_boxes import BoxConfidence, BoxFit

BOTH = BoxFit().named("iou") + BoxConfidence().named("confidence")
GOLD = "[{'Position': [10, 10, 50, 50]}, {'Position': [60, 60, 100, 100]}]"


def said(*boxes: tuple[list[float], object]) -> str:
    items = ", ".join(f"{{'Position': {box}, 'Confidence': {confidence}}}" for box, confidence in boxes)
    return f"<answer>[{items}]</answer>"


def score(text: str, gold: object = GOLD) -> tuple[float, float]:
    scores = BOTH(Batch([text], {"solution": [gold]}))
    return float(scores.parts["iou"].values[0]), float(scores.parts["confidence"].values[0])


def test_both_rewards_share_one_matching(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = matched_boxes.match_boxes

    def counted(*args: object, **kwargs: object) -> object:
        calls.append(1)
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(matched_boxes, "match_boxes", counted)
    BOTH(Batch([said(([10, 10, 50, 50], 0.9))], {"solution": [GOLD]}))
    assert len(calls) == 1


def test_marks_show_every_box_and_what_it_earned() -> None:
    text = said(([10, 10, 50, 50], 0.9), ([0, 0, 1, 1], 0.3), ([10, 10, 50, 50], 0.1))
    (fits,) = BoxFit()(Batch([text], {"solution": [GOLD]})).marks
    assert [(mark.place, mark.value, mark.why) for mark in fits] == [
        ((10.0, 10.0, 50.0, 50.0), 1.0, "IoU 1"),
        ((0.0, 0.0, 1.0, 1.0), 0.0, "no gold box fits"),
    ]
    (honest,) = BoxConfidence()(Batch([text], {"solution": [GOLD]})).marks
    assert [(round(mark.value, 6), mark.why) for mark in honest] == [(0.9, "honest by 0.9"), (0.7, "honest by 0.7")]
    assert fits[0].frame is not None
    assert fits[0].frame.kind == "thousand"


@pytest.mark.parametrize(
    "gold",
    [
        [{"Position": [10, 10, 50, 50], "Confidence": 1}],
        [{"Position": np.array([10, 10, 50, 50])}],
        [{"Position": (np.int64(10), 10.0, np.float32(50), 50)}],
        "[{'Position': [10, 10, 50, 50], 'Confidence': 1}]",
        '<answer>[{"Position": [10, 10, 50, 50]}]</answer>',
    ],
    ids=["list", "array", "tuple", "text", "tagged"],
)
def test_gold_boxes_of_any_shape(gold: object) -> None:
    assert score(said(([10, 10, 50, 50], 0.9)), gold) == (1.0, 0.9)


@pytest.mark.parametrize("gold", [None, [], "[]", "No Objects", "<answer> no objects </answer>"])
def test_nothing_to_find(gold: object) -> None:
    assert score("<answer>No Objects</answer>", gold) == (1.0, 1.0)
    assert score("<answer>[]</answer>", gold) == (1.0, 1.0)
    assert score(said(([0, 0, 1, 1], 0)), gold) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("gold", "why"),
    [
        ("garden phlox", "it needs a list of boxes: not JSON"),
        ([{"Position": [1, 2, 3]}], "item 0 of the gold list has no box of four finite numbers"),
        ([[1, 2, 3, 4]], "item 0 of the gold list has no box"),
        (7, "it needs a list of boxes, or a text that holds one"),
        ({"Position": [1, 2, 3, 4]}, "it needs a list of boxes, or a text"),
    ],
)
def test_unreadable_gold_is_refused(gold: object, why: str) -> None:
    with pytest.raises(ColumnError, match=f"BoxFit: column `solution` of row 1 is .*; {why}"):
        BOTH(Batch(["", ""], {"solution": [GOLD, gold]}))


def test_repeats_are_found_among_many_boxes() -> None:
    rng = np.random.default_rng(0)
    boxes = rng.uniform(0, 1000, (300, 4)).round(3).tolist()
    text = said(*((box, 0.5) for box in boxes), *((box, 0.9) for box in boxes))
    _, confidence = score(text, "[{'Position': [1000, 1000, 1001, 1001]}]")
    assert confidence == pytest.approx(0.5)  # the first of each pair stays


def test_huge_confidences_stay_in_range() -> None:
    boxes = [([10, 10, 50, 50], 1.7e308), ([60, 60, 100, 100], 1.7e308), ([0, 0, 1, 1], 1.7e308)]
    unclipped = BoxConfidence(matched_boxes.ConfidentBoxes(clip=False))
    assert unclipped(Batch([said(*boxes)], {"solution": [GOLD]})).values.tolist() == [1.0]
    assert score(said(*boxes)) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
