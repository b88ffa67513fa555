"""Ways of reasoning: rarity within groups, what the judge is asked, what becomes of its replies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.pathways import JudgedPathways, Pathways, rarity_paid
from tests.rewards.replying import ASKED, Says

SPATIAL = Says('{"heuristic": "spatial", "validity": 1}')


def rows(*texts: str, **columns: Any) -> Batch:
    base = {"answer": "B", "targets": [[0, 0, 4, 4], [6, 6, 9, 9]], "group": 0}
    return Batch.from_rows([{**base, **columns, "completion": text} for text in texts])


def test_the_judge_sees_right_answers_only_with_boxes_named() -> None:
    think = "the <box>[0,0,4,3]</box> left of <box> [6, 6, 9, 9] </box>, not <box>[20,20,30,30]</box> or <box>?</box>"
    batch = rows(
        f"<think>{think}</think><answer>B</answer>",
        f"<think>{think}</think><answer>A</answer>",
        target_labels=["cat", "dog"],
        problem="Where is the cat?",
        heuristics={"spatial": "where things are"},
    )
    scores = JudgedPathways(SPATIAL)(batch)
    (question,) = ASKED
    assert question.field("reasoning") == "the cat left of dog, not unknown region or <box>?</box>"
    assert question.field("heuristics") == ("spatial: where things are",)
    assert question.field("question") == "Where is the cat?"
    assert scores.values.tolist() == pytest.approx([1 / 1.5, 0.0])
    assert '{"heuristic": "spatial", "validity": 0.5}' in question.text()


def test_targets_without_labels_are_numbered() -> None:
    JudgedPathways(SPATIAL)(rows("<think>at <box>[6,6,9,9]</box></think><answer>B</answer>"))
    assert ASKED[0].field("reasoning") == "at target 2"


def test_groups_do_not_mix() -> None:
    names = ["a", "a", "a", "b"]
    alone = rarity_paid(names, np.ones(4), np.ones(4, dtype=bool), np.array([0, 1, 2, 3]), 0.5)
    together = rarity_paid(names, np.ones(4), np.ones(4, dtype=bool), np.zeros(4, dtype=int), 0.5)
    assert alone == pytest.approx([2 / 3] * 4)
    assert together == pytest.approx([0.75, 0.75, 0.75, 1.375 / 1.5])


@pytest.mark.parametrize("delta", [0.0, 0.5, 2.0])
def test_rarity_stays_in_range_and_never_beats_validity(delta: float) -> None:
    rng = np.random.default_rng(0)
    names: list[str | None] = [str(n) if n else None for n in rng.integers(0, 4, 200)]
    validity, right = rng.random(200), rng.random(200) < 0.6
    paid = rarity_paid(names, validity, right, rng.integers(0, 20, 200), delta)
    assert (paid <= validity + 1e-12).all()
    assert (paid[~right] == 0).all()
    assert (paid[right] >= 0).all()


def test_a_single_reference_way_is_a_list_of_one() -> None:
    texts = ("<think>left</think><answer>B</answer>", "<think>larger</think><answer>B</answer>")
    free = Pathways()(rows(*texts, targets=[])).values
    tied = Pathways()(rows(*texts, targets=[], heuristics=["spatial"])).values
    assert (free > 0).all()
    assert tied[0] > 0 == tied[1]


@pytest.mark.parametrize("labels", [["cat"], "cat dog"])
def test_every_target_needs_its_label(labels: Any) -> None:
    with pytest.raises(ColumnError, match="`target_labels` of row 0"):
        JudgedPathways(SPATIAL)(rows("x", target_labels=labels))
