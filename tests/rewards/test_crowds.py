"""Precision and recall in crowds, and looking where rollouts disagree."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.core import Batch
from sightline.core.errors import ColumnError, ConfigError
from sightline.metrics.boxes import box_iou
from sightline.rewards.crowds import CrowdFound
from sightline.rewards.looking import Disagreement, LookCalibration, LooksWhereUnsure

G1, G2 = [0, 0, 40, 40], [50, 50, 90, 90]
corner = st.integers(0, 12)
side = st.integers(1, 9)
box = st.tuples(corner, corner, side, side).map(lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]])


def items(boxes: Any) -> str:
    return json.dumps([{"bbox_2d": list(map(float, b)), "label": "person"} for b in boxes])


def batch(answers: list[Any], gold: Any, looks: list[Any] | None = None, **columns: Any) -> Batch:
    looks = looks or [[]] * len(answers)
    rows = zip(answers, looks, strict=True)
    texts = [f"<think>t</think><look>{items(b)}</look><answer>{items(a)}</answer>" for a, b in rows]
    base = {"boxes": gold, "query": "person", "image_size": [100, 100], "group": 0, **columns}
    return Batch.from_rows([{**base, "completion": text} for text in texts])


@settings(max_examples=60)
@given(st.lists(box, max_size=4), st.lists(box, max_size=4))
def test_soft_hits_never_beat_hits_and_weights_mix(pred: list[Any], gold: list[Any]) -> None:
    rows = batch([pred], gold)
    hard, soft = (float(CrowdFound(soft=soft)(rows).values[0]) for soft in (False, True))
    precision = float(CrowdFound(precision=1.0, recall=0.0)(rows).values[0])
    recall = float(CrowdFound(precision=0.0, recall=1.0)(rows).values[0])
    assert 0 <= soft <= hard <= 1
    assert hard == pytest.approx((precision + recall) / 2)


@settings(max_examples=60)
@given(st.lists(st.lists(box, max_size=3), min_size=2, max_size=4), st.lists(box, min_size=1, max_size=3))
def test_disagreement_is_the_population_variance_of_the_best_overlap(answers: list[Any], gold: list[Any]) -> None:
    found = batch(answers, gold).once(Disagreement())
    best = [box_iou(np.array(a).reshape(-1, 4), gold).max(axis=0, initial=0.0) for a in answers]
    expected = np.tile(np.var(best, axis=0), len(answers))
    assert found == pytest.approx(expected)
    assert (found <= 0.25 + 1e-12).all()


def test_example_of_the_sheet() -> None:
    found = batch([[G1], [G1, G2], [G1, [50, 50, 90, 70]], [G1]], [G1, G2]).once(Disagreement())
    assert found.tolist() == [0.0, 0.171875] * 4


@settings(max_examples=40)
@given(st.lists(st.lists(box, max_size=3), min_size=2, max_size=4), st.lists(box, max_size=3), st.randoms())
def test_order_of_the_rollouts_does_not_matter(answers: list[Any], gold: list[Any], random: Any) -> None:
    order = list(range(len(answers)))
    random.shuffle(order)
    looks = [[[0, 0, 30 + i, 30]] for i in range(len(answers))]
    straight = LooksWhereUnsure()(batch(answers, gold, looks)).values
    shuffled = LooksWhereUnsure()(batch([answers[i] for i in order], gold, [looks[i] for i in order])).values
    assert np.array_equal(straight[order], shuffled)


def test_looking_at_everything_is_never_the_best() -> None:
    answers = [[G1], [G1, G2]]
    everything, there = LooksWhereUnsure()(batch(answers, [G1, G2], [[[0, 0, 100, 100]], [G2]])).values
    assert everything == 0.5
    assert there == 1.0


def test_a_group_of_one_abstains() -> None:
    for reward in (LooksWhereUnsure(), LookCalibration()):
        scores = reward(batch([[G1]], [G1], [[G1]]))
        assert scores.abstained.all()
        assert scores.why == ["abstain: a group of one has no disagreement"]


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_floods_of_regions_are_quick() -> None:
    rng = np.random.default_rng(0)
    corners = rng.random((5000, 2)) * 90
    flood = np.hstack([corners, corners + 1 + rng.random((5000, 2)) * 9]).tolist()
    rows = batch([[G1], [G1, G2]], [G1, G2], [flood, flood])
    LooksWhereUnsure()(rows)


def test_groups_share_their_gold_boxes() -> None:
    rows = [{"completion": "x", "boxes": b, "query": "person", "image_size": [9, 9], "group": 0} for b in ([G1], [G2])]
    with pytest.raises(ColumnError, match="`boxes` of row 1 differs from that of row 0"):
        LooksWhereUnsure()(Batch.from_rows(rows))


def test_weights_add_up_to_one() -> None:
    with pytest.raises(ConfigError, match="add up to 1"):
        CrowdFound(precision=0.5, recall=0.6)


def test_scaling_happens_once() -> None:
    rows = batch([[[0, 0, 20, 20]]], [G1], [[[0, 0, 20, 20]]], model_size=[50, 50])
    assert CrowdFound()(rows).values[0] == 1.0
    with pytest.raises(ColumnError, match="`image_size`"):
        CrowdFound()(batch([[G1]], [G1], model_size=[50, 50], image_size=None))


@pytest.mark.parametrize("side", [1e-320, 1e-200, 1e-160])
def test_regions_without_an_area_to_speak_of_earn_nothing_and_raise_nothing(side: float) -> None:
    values = LooksWhereUnsure()(batch([[G1], []], [G1], [[[0, 0, side, side]], [[0, 0, side, 100]]])).values
    assert values.tolist() == pytest.approx([0.0, 0.0], abs=1e-12)


def test_pairs_below_the_bar_need_not_take_gold_boxes() -> None:
    rows = batch([[[0, 0, 49, 10], [0, 0, 50, 10]]], [[0, 0, 100, 10], [45, 0, 60, 10]])
    assert CrowdFound()(rows).values[0] == 0.0
    assert CrowdFound(mask_below=True)(rows).values[0] == 0.5


def test_a_picture_without_objects_has_an_empty_list() -> None:
    with pytest.raises(ColumnError, match="`boxes` of row 0 is None"):
        CrowdFound()(batch([[G1]], None))
