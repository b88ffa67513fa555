from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.scores import Scores
from sightline.credit import GroupRelative, MovingBaseline
from sightline.credit.recent_scale import Recent, RecentScale
from sightline.judges.replay import ScriptedJudge
from sightline.metrics.recent_scores import QuantileSigmoid
from sightline.systems.armed import BEYOND_QUESTION_CREDIT, SYSTEM

RULE = RecentScale(to=QuantileSigmoid(least=5), size=8)
H = (0.80, 0.82, 0.84, 0.86, 0.88, 0.90)


def scored(text, similarity) -> Scores:
    text, raw = np.asarray(text, float), np.asarray(similarity, float)
    parts = {
        "similarity": Scores.of(raw, ["abstain: ?"] * len(raw)),
        "semantic": Scores.of(raw, ["abstain: ?"] * len(raw)),
    }
    total = text + np.where(np.isnan(raw), 0.0, raw)
    return Scores(total, [""] * len(raw), [()] * len(raw), parts)


def batch(size: int, group=None) -> Batch:
    return Batch([""] * size, group=[0] * size if group is None else group)


def test_the_history_moves_behind_the_batch() -> None:
    scores = scored([0, 0, 0], [0.81, 0.85, 0.89])
    advantages, state = RULE.assign(scores, batch(3), state=Recent(H))
    expected = GroupRelative(eps=1e-6).advantages(np.array([0.1, 0.5, 0.9]), np.zeros(3, int))
    np.testing.assert_allclose(advantages, expected, atol=1e-12)
    assert state.history == (0.82, 0.84, 0.86, 0.88, 0.90, 0.81, 0.85, 0.89)[-8:]
    assert (state.seen, state.batches) == (3, 1)


def test_the_order_of_samples_does_not_change_their_advantage() -> None:
    values, order = np.array([0.79, 0.9, 0.86, 0.83]), np.array([2, 0, 3, 1])
    first, _ = RULE.assign(scored([0.1, 0, 0.4, 0.2], values), batch(4), state=Recent(H))
    text = np.array([0.1, 0, 0.4, 0.2])[order]
    second, _ = RULE.assign(scored(text, values[order]), batch(4), state=Recent(H))
    np.testing.assert_allclose(second, first[order], atol=1e-12)


def test_what_was_not_measured_is_not_remembered_and_keeps_its_reward() -> None:
    advantages, state = RULE.assign(scored([1.0, 0.0], [np.nan, 0.85]), batch(2), state=Recent(H))
    assert state.history == (*H, 0.85)
    assert state.seen == 1
    assert advantages[0] > 0 > advantages[1]  # 1.0 against 0.5


def test_where_a_part_is_0_the_reward_stays_and_the_score_is_remembered() -> None:
    scores = scored([0.2, 0.2], [0.89, 0.81])
    parts = {**scores.parts, "agrees": Scores.of(np.array([0.0, 1.0]))}
    some = Scores(np.array([0.2, 1.01]), scores.why, scores.marks, parts)  # .89 was taken back from the first
    rule = replace(RULE, where="agrees", within=GroupRelative(scale=None))
    advantages, state = rule.assign(some, batch(2), state=Recent(H))
    np.testing.assert_allclose(advantages, [-0.05, 0.05], atol=1e-12)  # .2 and .2 + .1
    assert state.history == (*H, 0.89, 0.81)


def test_a_denied_finding_earns_nothing_of_the_map_in_training() -> None:
    judge = ScriptedJudge((), {"embed": ((0.6, 0.8), (1.0, 0.0), (1.0, 0.0))})
    system = SYSTEM.with_judge(judge)
    said = ["<think>x</think><answer>no effusion</answer>"] * 2
    rows = Batch(said, {"answer": ["effusion", "without effusion"]}, group=[0, 0])
    scores = system.variant("strict", plus=["contradiction"])(rows)
    rule = replace(system.credit, within=GroupRelative(scale=None))
    moved, _ = rule.assign(scores, rows, state=Recent((0.9,) * 64))  # the map sends .6 to 0
    np.testing.assert_allclose(moved, [0.5 / 12, -0.5 / 12], atol=1e-9)  # text 7/12 and 1/2


def test_beyond_the_question_can_stand_in_the_place_of_the_similarity() -> None:
    reward = SYSTEM.variant("strict", plus=["beyond_question"], minus=["semantic"])
    said = ["<think>x</think><answer>effusion</answer>", "effusion"]
    rows = Batch(said, {"answer": ["effusion"] * 2, "question": ["what is it"] * 2}, group=[0, 0])
    _, state = BEYOND_QUESTION_CREDIT.assign(reward(rows), rows)
    assert state.history == (1.0,)


def test_an_affine_change_of_a_single_reward_cancels() -> None:
    plain = RecentScale(to=Affine(), within=GroupRelative(eps=1e-12))
    raw = np.array([0.83, 0.84, 0.85, 0.86, 0.87])
    advantages, _ = plain.assign(scored(np.zeros(5), raw), batch(5), state=Recent(H))
    np.testing.assert_allclose(advantages, GroupRelative(eps=1e-12).advantages(raw, np.zeros(5, int)), atol=1e-8)


class Affine:
    def __call__(self, values, history):
        return 20.0 * np.asarray(values) - 16.0


def test_a_map_that_is_not_affine_does_not_cancel() -> None:
    raw = np.array([0.70, 0.80, 0.85, 0.86, 0.99])
    mapped, _ = RULE.assign(scored(np.zeros(5), raw), batch(5), state=Recent(H))
    assert np.abs(mapped - GroupRelative(eps=1e-6).advantages(raw, np.zeros(5, int))).max() > 0.1


def test_the_sum_with_text_changes_its_order() -> None:
    scores = scored([0, 0.5, 0, 0.3, 0.2], [0.88, 0.82, 0.90, 0.86, 0.84])
    advantages, _ = RULE.assign(scores, batch(5), state=Recent(H))
    assert np.argsort(-advantages).tolist() == [2, 3, 0, 1, 4]
    assert np.argsort(-scores.values).tolist() == [1, 3, 4, 2, 0]


def test_the_state_survives_a_checkpoint_and_the_inner_rule_keeps_its_own() -> None:
    rule = RecentScale(to=QuantileSigmoid(least=5), within=MovingBaseline())
    _, state = rule.assign(scored([0.0], [0.85]), batch(1), state=Recent(H))
    assert state.within == pytest.approx(0.1 * 0.5)
    again = pickle.loads(pickle.dumps(state))
    one, _ = rule.assign(scored([0.0], [0.87]), batch(1), state=state)
    two, _ = rule.assign(scored([0.0], [0.87]), batch(1), state=again)
    np.testing.assert_allclose(one, two)


def test_without_the_part_it_says_which_are_there() -> None:
    with pytest.raises(ColumnError, match="similarity"):
        RULE.assign(Scores.of(np.array([1.0])), batch(1))


def test_the_system_trains_on_what_its_reward_would_pay_with_the_history_as_a_column() -> None:
    words = ["left", "right", "lung", "effusion", "edema", "base", "small", "large"]
    said = [f"<think>a</think><answer>{a} {b}</answer>" for a in words for b in words] + ["edema", "<answer></answer>"]
    rows = [{"completion": text, "answer": "small left effusion", "group": k % 3} for k, text in enumerate(said)]
    first = Batch.from_rows(rows)
    _, state = SYSTEM.credit.assign(SYSTEM.reward(first), first)
    assert len(state.history) == 64  # the two without an answer are not remembered
    later, state_after = SYSTEM.credit.assign(SYSTEM.reward(first), first, state=state)
    column = Batch.from_rows([{**row, "recent_scores": list(state.history)} for row in rows])
    paid = SYSTEM.reward(column)
    np.testing.assert_allclose(later, GroupRelative(eps=1e-6).advantages(paid.values, first.group))
    again, _ = SYSTEM.credit.assign(paid, column, state=state)  # mapped by the column and by the rule: once
    np.testing.assert_allclose(again, later)
    assert state_after.seen == 128
