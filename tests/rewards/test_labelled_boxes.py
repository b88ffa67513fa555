"""Average precision of fenced lists: gold values, marks, and what saying nothing is worth."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.labelled_boxes import AveragePrecision

CAT = {"bbox_2d": [10, 10, 50, 50], "label": "cat"}
DOG = {"bbox_2d": [60, 60, 100, 100], "label": "dog"}


def fenced(*items: object) -> str:
    return f"```json\n{json.dumps(items)}\n```"


def score(reward: AveragePrecision, text: str, gold: object) -> float:
    return float(reward(Batch([text], {"solution": [gold]})).values[0])


@pytest.mark.parametrize(
    "gold",
    [
        [CAT, DOG],
        json.dumps([CAT, DOG]),
        fenced(CAT, DOG),
        f"<answer>{fenced(CAT, DOG)}</answer>",
        [{**CAT, "bbox_2d": np.array(CAT["bbox_2d"])}, {**DOG, "bbox_2d": tuple(DOG["bbox_2d"])}],
        np.array([CAT, DOG]),
    ],
    ids=["list", "bare", "fenced", "tagged", "arrays", "array of objects"],
)
def test_gold_lists_of_any_shape(gold: object) -> None:
    assert score(AveragePrecision(price=True), f"<answer>{fenced(CAT, DOG)}</answer>", gold) == 1.0


def test_marks_compare_boxes_with_gold_of_their_label() -> None:
    text = f"<answer>{fenced(CAT, {**DOG, 'label': 'cat'}, {'label': 'cat'})}</answer>"
    scores = AveragePrecision()(Batch([text], {"solution": [[CAT, DOG]]}))
    (marks,) = scores.marks
    assert [(mark.value, mark.why) for mark in marks] == [(1.0, "cat IoU 1.00"), (0.0, "cat fits nothing")]
    assert scores.why == ["3 items for 2 gold boxes"]


def test_nothing_without_answer_tags() -> None:
    anywhere = AveragePrecision(block=None)
    assert score(AveragePrecision(), "None", "None") == 0.0
    assert score(anywhere, "None", "None") == 1.0
    assert score(anywhere, "<think>no cat</think><answer>None</answer>", "None") == 1.0
    assert score(anywhere, "<think>no cat</think><answer>nothing</answer>", "None") == 0.0


def test_prose_is_nothing_only_if_lax() -> None:
    text = "<answer>I see no cat</answer>"
    assert score(AveragePrecision(), text, "None") == 0.0
    assert score(AveragePrecision(lax_nothing=True), text, "None") == 1.0
    unlabelled = f"<answer>{fenced({'bbox_2d': [1, 2, 3, 4]})}</answer>"
    assert score(AveragePrecision(lax_nothing=True), unlabelled, "None") == 0.0


def test_a_flood_is_priced_by_all_it_wrote() -> None:
    text = f"<answer>{fenced(CAT, *[{'bbox_2d': [0, 0, 1, 1], 'label': 'cat'}] * 5000)}</answer>"
    assert score(AveragePrecision(), text, [CAT]) == 1.0
    assert score(AveragePrecision(price=True), text, [CAT]) == pytest.approx(1 / 5001)


@pytest.mark.parametrize("box", [[1, 2, 3], [1, 2, 3, "x"], None, [1, 2, 3, float("inf")]])
def test_a_gold_item_without_a_box_is_refused(box: object) -> None:
    wanted = "AveragePrecision: column `solution` of row 0 is .*; item 0 of the gold list has no box of four finite"
    with pytest.raises(ColumnError, match=wanted):
        score(AveragePrecision(), "", [{"bbox_2d": box, "label": "cat"}])
