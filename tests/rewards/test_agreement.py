"""Agreement inside a group and across its two sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.metrics.votes import answer_entropy, cross_agreement, silent_share
from sightline.parse.boxed import canonical_answer
from sightline.rewards.agreement import CrossAgreement, MajorityAgreement, TaughtAgreement
from sightline.rewards.vote_statistics import SameMajority, SideStatistic

ANSWERS = st.lists(st.sampled_from("123"), min_size=1, max_size=6)


def batch(*questions: tuple[list[str], list[str]]) -> Batch:
    rows = [
        {"completion": f"\\boxed{{{answer}}}", "side": side, "group": number}
        for number, sides in enumerate(questions)
        for side, answers in zip(("original", "rephrased"), sides, strict=True)
        for answer in answers
    ]
    return Batch.from_rows(rows)


@given(st.lists(st.tuples(ANSWERS, ANSWERS), min_size=1, max_size=3))
def test_the_reward_is_the_metric_group_by_group(questions: list[tuple[list[str], list[str]]]) -> None:
    values = CrossAgreement()(batch(*questions)).values
    expected = [
        v for o, a in questions for found in [cross_agreement(o, a)] for v in (*found.original, *found.rephrased)
    ]
    assert values.tolist() == expected


def test_habits_pay_only_their_own_vote() -> None:
    rows = batch((["1"] * 4, ["2"] * 4))
    assert MajorityAgreement()(rows).values.tolist() == [1.0] * 8
    assert CrossAgreement()(rows).values.tolist() == [0.0] * 8


def test_without_sides_a_group_votes_as_one() -> None:
    rows = Batch(["\\boxed{1}", "\\boxed{1}", "\\boxed{2}", "none"], group=[0, 0, 0, 0])
    scores = MajorityAgreement()(rows)
    assert scores.values.tolist() == [1, 1, 0, 0]
    assert scores.why[3] == "no \\boxed"


def test_other_names_for_the_sides() -> None:
    rows = Batch(["\\boxed{1}", "\\boxed{1}"], {"side": ["policy", "teacher"]}, group=[0, 0])
    assert CrossAgreement(sides=("policy", "teacher"))(rows).values.tolist() == [1, 1]
    with pytest.raises(ColumnError, match="row 0 is 'policy'; it needs one of"):
        CrossAgreement()(rows)


def test_order_decides_ties_whatever_the_order_of_rows() -> None:
    said, order = ["5", "4", "4", "5", "4"], [1, 0, 0, 1, 2]
    sides = ["original", "original", "rephrased", "rephrased", "rephrased"]
    columns = {"side": sides, "order": order}
    forward = CrossAgreement()(Batch([f"\\boxed{{{x}}}" for x in said], columns, group=[0] * 5)).values
    back = CrossAgreement()(
        Batch([f"\\boxed{{{x}}}" for x in said[::-1]], {k: v[::-1] for k, v in columns.items()}, group=[0] * 5)
    ).values
    assert forward.tolist() == back[::-1].tolist() == [0, 1, 1, 0, 1]


def test_a_canonical_spelling_joins_votes() -> None:
    rows = batch((["0.5", "\\frac{1}{2}", "3"], ["0.50", "3", "3"]))
    assert CrossAgreement()(rows).values.tolist() == [0, 0, 1, 0, 0, 0]
    assert CrossAgreement(canonical=canonical_answer)(rows).values.tolist() == [0, 0, 1, 1, 0, 0]


def test_a_lonely_side_is_not_applicable() -> None:
    scores = CrossAgreement()(Batch(["\\boxed{1}"], {"side": ["original"]}))
    assert np.isnan(scores.values[0])
    assert scores.why[0] == "abstain: the group has no rollout of the rephrased side"


def test_places_that_are_no_numbers_are_the_callers_mistake() -> None:
    columns = {"side": ["original", "rephrased"], "order": [0, "first"]}
    with pytest.raises(ColumnError, match="column `order` of row 1 is 'first'"):
        CrossAgreement()(Batch(["\\boxed{1}"] * 2, columns, group=[0, 0]))


def test_what_has_no_place_was_sampled_last() -> None:
    said = [f"\\boxed{{{x}}}" for x in "5445"]
    columns = {"side": ["original"] * 2 + ["rephrased"] * 2, "order": [None, 0, float("nan"), 1]}
    assert CrossAgreement()(Batch(said, columns, group=[0] * 4)).values.tolist() == [1, 0, 1, 0]


def test_a_teacher_labels_the_policy() -> None:
    said = [f"\\boxed{{{x}}}" for x in ("4", "7", "9", "4", "1")]
    taught = ["\\boxed{7}", "\\boxed{4}", "\\boxed{7}", "who knows", None]
    scores = TaughtAgreement()(Batch(said, {"teacher_reply": taught}, group=[0, 0, 0, 1, 2]))
    assert scores.values[:4].tolist() == [0, 1, 0, 0]
    assert scores.why[3:] == ["no answer of the teacher", "abstain: the teacher was not asked"]
    with pytest.raises(ColumnError, match="column `teacher_reply` of row 0 is 3; it needs a text or None"):
        TaughtAgreement()(Batch(said[:1], {"teacher_reply": [3]}))


def test_what_is_watched() -> None:
    rows = batch((["4", "4", "5", " "], ["4", "7"]), (["1"], ["1", "2"]))
    assert SideStatistic()(rows).values.tolist() == [0.5] * 6 + [1, 0.5, 0.5]
    assert SideStatistic(silent_share)(rows).values.tolist() == [0.25] * 4 + [0] * 5
    assert SideStatistic(answer_entropy)(rows).values[4] == pytest.approx(np.log(2))
    assert SameMajority()(rows).values.tolist() == [1] * 9
    assert SameMajority()(batch((["4"], ["5"]), ([" "], [" "]))).values.tolist() == [0] * 4
