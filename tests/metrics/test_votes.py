"""Majorities, first come first served among equals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sightline.metrics.votes import agrees, cross_agreement, majority

ANSWERS = st.lists(st.sampled_from(["1", "2", "3", "", " "]), max_size=9)


@given(ANSWERS)
def test_majority_is_the_first_of_the_most_frequent(answers: list[str]) -> None:
    real = [answer for answer in answers if answer.strip()]
    most = max((real.count(answer) for answer in real), default=0)
    assert majority(answers) == next((answer for answer in real if real.count(answer) == most), "")


@given(ANSWERS, ANSWERS)
def test_exchanging_the_sides_exchanges_the_rewards(original: list[str], rephrased: list[str]) -> None:
    one, other = cross_agreement(original, rephrased), cross_agreement(rephrased, original)
    assert one.original.tolist() == other.rephrased.tolist()
    assert one.rephrased.tolist() == other.original.tolist()
    assert one.same == other.same


@given(ANSWERS, ANSWERS)
def test_nobody_is_paid_by_an_empty_side(original: list[str], rephrased: list[str]) -> None:
    found = cross_agreement(original, rephrased)
    for rewards, answers, label in (
        (found.original, original, found.labels[1]),
        (found.rephrased, rephrased, found.labels[0]),
    ):
        assert rewards.sum() == sum(answer == label for answer in answers if label)


def test_no_answers_at_all() -> None:
    found = cross_agreement([], [])
    assert (found.labels, found.vote_share, found.same, found.abstained) == (("", ""), (0.0, 0.0), False, (0.0, 0.0))
    assert agrees([], "1").tolist() == []
