"""The weighted detection score: its three parts, labels and marks."""

from __future__ import annotations

import json

import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.box_score import BoxScore

CAT = {"bbox_2d": [10, 10, 50, 50], "label": "cat"}
DOG = {"bbox_2d": [60, 60, 100, 100], "label": "dog"}


def said(*items: object) -> str:
    return f"<answer>```json\n{json.dumps(items)}\n```</answer>"


def score(text: str, gold: object = (CAT, DOG), **options: object) -> float:
    return float(BoxScore(**options)(Batch([text], {"solution": [gold]})).values[0])  # type: ignore[arg-type]


def test_each_weight_alone() -> None:
    text = said(CAT, {**DOG, "label": "cow"}, {"bbox_2d": [0, 0, 1, 1], "label": "cat"})
    assert score(text, weights=(1.0, 0.0, 0.0)) == pytest.approx(0.5)
    assert score(text, weights=(0.0, 1.0, 0.0)) == pytest.approx(0.5)
    assert score(text, weights=(0.0, 0.0, 1.0)) == pytest.approx(1 - (0 + 1 / 3) / 2)


def test_labels_in_any_case_and_none_matches_nothing() -> None:
    assert score(said({**CAT, "label": "CAT"}, {**DOG, "label": "Dog"})) == 1.0
    bare = [{"bbox_2d": CAT["bbox_2d"]}]
    assert score(said(*bare), bare) == pytest.approx(0.3)


def test_items_without_a_box_are_false_alarms() -> None:
    assert score(said(CAT, DOG, 7, {"label": "cat"})) == pytest.approx(0.7 + 0.3 * (1 - 0.5 / 2))


@pytest.mark.parametrize("gold", ["None", "<answer>none</answer>", None])
def test_with_nothing_to_find_only_the_word_is_right(gold: object) -> None:
    assert [score(f"<answer>{text}</answer>", gold) for text in ("None", "no cat", "")] == [1.0, 0.0, 0.0]
    assert score(said(), gold) == 0.0


def test_marks_and_reason() -> None:
    scores = BoxScore()(Batch([said(CAT, {**DOG, "label": "cow"})], {"solution": [[CAT, DOG]]}))
    (marks,) = scores.marks
    assert [(mark.value, mark.why) for mark in marks] == [(1.0, "IoU 1"), (0.0, "unmatched")]
    assert scores.why == ["2 of 2 gold boxes matched with 2 boxes"]


def test_unreadable_gold_is_refused() -> None:
    with pytest.raises(ColumnError, match=r"BoxScore: column `solution` of row 0 is .*item 1 of the gold list"):
        score("", [CAT, {"label": "dog"}])
