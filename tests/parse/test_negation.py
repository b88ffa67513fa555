from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.parse.negation import Cues, clauses, denies
from sightline.parse.tags_once import TagsOnce


def words(text: str) -> list[list[str]]:
    return [[word.text for word in clause] for clause in clauses(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A; b: c, d. e", [["a"], ["b"], ["c"], ["d"], ["e"]]),
        ("red but blue however green", [["red"], ["blue"], ["green"]]),
        ("button and Howevering", [["button", "and", "howevering"]]),
        ("cotton-wool/spots\nhere", [["cotton", "wool", "spots", "here"]]),
        ("... , but", []),
        ("", []),
    ],
)
def test_clauses_end_at_marks_and_two_words(text, expected) -> None:
    assert words(text) == expected


@given(st.text(max_size=200))
def test_words_lie_where_they_say(text) -> None:
    for clause in clauses(text):
        for word in clause:
            assert text[word.start : word.end].lower() == word.text


def test_a_cue_reaches_six_words_and_not_a_seventh() -> None:
    (clause,) = words("no a b c d e f g")
    assert Cues(("no",)).reached(clause) == [False, True, True, True, True, True, True, False]


def test_a_long_cue_reaches_from_its_last_word() -> None:
    (clause,) = words("no evidence of a b c d e f g")
    assert Cues(("no evidence of",)).reached(clause)[3:] == [True] * 6 + [False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("free of edema", True),
        ("free edema", False),
        ("denied", False),
        ("negative for edema", True),
        ("nothing", False),
    ],
)
def test_denies(text, expected) -> None:
    assert denies(text) is expected


@given(st.lists(st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "a", "\n"]), max_size=8).map("".join))
def test_tags_once_agrees_with_a_plain_search(text) -> None:
    marks = ("<think>", "</think>", "<answer>", "</answer>")
    once = all(text.count(mark) == 1 for mark in marks)
    ordered = once and [*sorted(marks, key=text.index)] == [*marks]
    assert isinstance(TagsOnce()(text), tuple) is ordered
