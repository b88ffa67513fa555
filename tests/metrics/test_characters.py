"""Characters by position, by edits, and those without support."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sightline.metrics.characters import (
    character_accuracy,
    edit_similarity,
    unsupported_share,
    without_blanks,
    without_spaces,
)

words = st.text(alphabet="abc", max_size=8)


def plain_distance(a: str, b: str) -> int:
    """The textbook recurrence."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@given(words, words)
def test_similarity_is_that_of_the_textbook(a: str, b: str) -> None:
    assert edit_similarity(a, b) == (1 - plain_distance(a, b) / max(len(a), len(b)) if a or b else 1.0)
    assert edit_similarity(a, b) == edit_similarity(b, a)


@given(words, words)
def test_nothing_is_unsupported_exactly_in_subsequences(said: str, right: str) -> None:
    rest = iter(right)
    subsequence = all(letter in rest for letter in said)
    assert (unsupported_share(said, right) == 0) == subsequence


@given(words, words)
def test_accuracy_counts_positions(said: str, right: str) -> None:
    hits = sum(i < len(said) and said[i] == letter for i, letter in enumerate(right))
    assert character_accuracy(said, right) == (hits / len(right) if right else 0)


def test_blanks() -> None:
    assert without_spaces("a\tb c\u3000") == "a\tbc\u3000"
    assert without_blanks("a\tb c\u3000\u00a0e\u0301") == "abc\u00e9"
    assert without_blanks("１") != without_blanks("1")
