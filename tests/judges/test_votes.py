"""Several votes and both orders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ConfigError
from sightline.core.missing import Missing
from sightline.judges import Question, Sampling
from sightline.judges.votes import balanced, both_orders, mean_vote, same_in_both_orders, voters


def test_votes_have_seeds_of_their_own() -> None:
    question = Question("?", sampling=Sampling(temperature=0.5, max_tokens=3))
    three = voters(question, 3, seed=7)
    assert [(one.sampling.seed, one.sampling.max_tokens) for one in three] == [(7, 3), (8, 3), (9, 3)]
    assert len(set(three)) == 3
    assert voters(Question("?"), 1) == (Question("?"),)


@pytest.mark.parametrize("times", [0, 2])
def test_votes_that_are_none_are_refused(times: int) -> None:
    with pytest.raises(ConfigError, match="vote"):
        voters(Question("?"), times)


def test_unreadable_votes_are_left_out_and_counted() -> None:
    assert mean_vote([1.0, Missing("a"), 0.0]) == 0.5
    missing = mean_vote([1.0, Missing("a"), Missing("b"), Missing("a")], least=2)
    assert isinstance(missing, Missing)
    assert missing.why == "1 of 4 votes can be read: a; b"
    assert isinstance(mean_vote([]), Missing)


def test_sides_change_places_with_their_pictures() -> None:
    pair = Question("{a} {b} {c}", (("a", "l"), ("b", "r"), ("c", "x")), fenced=("c",), images=("l.png", "r.png"))
    first, swapped = both_orders(pair, "a", "b", pictures=True)
    assert first == pair
    assert dict(swapped.fields) == {"a": "r", "b": "l", "c": "x"}
    assert swapped.images == ("r.png", "l.png")
    assert swapped.fenced == ("c",)
    with pytest.raises(ConfigError, match="not both"):
        both_orders(pair, "a", "nobody")
    with pytest.raises(ConfigError, match="two pictures"):
        both_orders(Question("{a}{b}", pair.fields, images=("l.png",)), "a", "b", pictures=True)


@given(st.floats(0, 1), st.floats(0, 1))
def test_exchanging_the_sides_exchanges_the_verdict(p: float, q: float) -> None:
    assert balanced(p, q) == pytest.approx(1 - balanced(q, p))


@pytest.mark.parametrize(("first", "swapped", "winner"), [(1, 2, 1), (2, 1, 2), (0, 0, 0)])
def test_a_winner_wins_in_both_orders(first: int, swapped: int, winner: int) -> None:
    assert same_in_both_orders(first, swapped) == winner


@pytest.mark.parametrize(("first", "swapped"), [(1, 1), (2, 2), (1, 0), (0, 2), (3, 1), (1, 7)])
def test_a_verdict_that_follows_the_order_is_none(first: int, swapped: int) -> None:
    assert isinstance(same_in_both_orders(first, swapped), Missing)
