"""Answers compared as written: letters in their dress, texts, numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.rewards.plain_answers import SamePlain, same_option

DRESSED = ("B", "b", " B ", "(b)", "[B]", "{b}", "B.", "B)", "b:", "(B).", "[b]:", "(B.)")
MORE = ("B) dog", "A or B", "B.5", "B) 2", "(B)1", "BB", "(B", "B,", "'B'", "((B))", "", "()")


@pytest.mark.parametrize("said", DRESSED)
@pytest.mark.parametrize("right", ["B", "(b)"])
def test_a_letter_in_its_dress_is_the_letter(said: str, right: str) -> None:
    assert same_option(said, right) == SamePlain()(said, right) == 1.0


@pytest.mark.parametrize("said", MORE)
def test_a_letter_with_more_is_not(said: str) -> None:
    assert same_option(said, "B") == SamePlain()(said, "B") == 0.0


@pytest.mark.parametrize(
    ("said", "right", "same"),
    [
        ("Two  Cats..", "two\ncats", 1),
        ("two cats .", "Two cats", 1),
        ("two-cats", "two cats", 0),
        ("(two cats)", "two cats", 0),  # brackets belong to letters
        ("1,200", "1200.0", 1),
        ("45 %", "45", 1),
        ("0.5", "50%", 0),
        ("1e3", "1000", 1),
        ("1_000", "1000", 0),
        ("inf", "1e999", 0),
        ("nan", "0", 0),
        ("2000002", "2000000", 1),
        ("2000003", "2000000", 0),
        ("0.0000019", "0.000001", 1),
        ("0.0000021", "0.000001", 0),
    ],
)
def test_texts_and_numbers(said: str, right: str, same: int) -> None:
    assert SamePlain()(said, right) == same


@given(st.text(max_size=20), st.text(max_size=20))
def test_nothing_raises_and_everything_is_itself(said: str, right: str) -> None:
    assert SamePlain()(said, said) == same_option(said, said) == 1.0
    assert SamePlain()(said, right) in (0.0, 1.0)
