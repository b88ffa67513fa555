"""Places in a text become tokens: every occurrence, gaps between tokens, texts that were cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.core.marks import Mark
from sightline.credit import DynamicSampling, GroupRelative, LabelInGroup, Tokens
from sightline.credit.credit import declared, known
from sightline.credit.placement import Placed, at_ends, at_last, covered, locate, span_mask, span_sum, spans_of

SENTENCE = "I see a red cup. The red cup is left. So B."
WORDS = [
    (0, 1),
    (2, 5),
    (6, 7),
    (8, 11),
    (12, 16),
    (17, 20),
    (21, 24),
    (25, 28),
    (29, 31),
    (32, 37),
    (38, 40),
    (41, 43),
]
OFFSETS = np.array([WORDS])


@pytest.mark.parametrize(
    ("quote", "tokens"),
    [("red cup", (3, 5)), ("The red cup is left", (5, 10)), ("ed cu", (3, 5))],
)
def test_spans_of_the_sheet(quote: str, tokens: tuple[int, int]) -> None:
    (place,) = locate(SENTENCE, quote, "first")
    assert covered(OFFSETS, [[Placed(*place)]]) == [[tokens]]


def test_every_occurrence_and_none() -> None:
    assert len(locate(SENTENCE, "red cup")) == 2
    assert locate(SENTENCE, "blue cup") == locate(SENTENCE, "") == []
    mask = span_mask(OFFSETS, [[Placed(*place) for place in locate(SENTENCE, "red cup")]])
    assert np.flatnonzero(mask[0]).tolist() == [3, 4, 6, 7]


def test_borders_between_tokens_and_behind_the_last() -> None:
    assert covered(OFFSETS, [[Placed(1, 5), Placed(5, 7), Placed(43, 60)]]) == [[(1, 2), (2, 3), (12, 12)]]
    assert not span_mask(OFFSETS, [[Placed(43, 60)]]).any()


def test_a_span_without_characters_has_no_tokens() -> None:
    assert covered(OFFSETS, [[Placed(3, 3), Placed(2, 2), Placed(5, 5)]]) == [[(1, 1), (1, 1), (2, 2)]]
    assert not span_sum(OFFSETS, [[Placed(13, 13, 2.0)]]).any()


def test_tokens_without_a_place_are_never_covered() -> None:
    offsets = np.array([[[0, 2], [-1, -1], [2, 4], [4, 4], [-1, -1]]])
    spans = [[Placed(0, 4, 2.0)]]
    assert span_mask(offsets, spans).tolist() == [[True, False, True, False, False]]
    assert span_sum(offsets, spans).tolist() == [[2.0, 0.0, 2.0, 0.0, 0.0]]
    assert at_ends(offsets, np.array([[True, False, True, True, False]]), spans).tolist() == [[0, 0, 2.0, 0, 0]]


def test_steps_land_on_their_last_token_and_add_up() -> None:
    mask = np.ones((1, len(WORDS)), dtype=bool)
    placed = at_ends(
        OFFSETS, mask, [[Placed(0, 16, 1.0), Placed(17, 37, -1.0), Placed(38, 99, 2.0), Placed(90, 99, 3.0)]]
    )
    assert {t: v for t, v in enumerate(placed[0]) if v} == {4: 1.0, 9: -1.0, 11: 5.0}
    assert not at_ends(OFFSETS, ~mask, [[Placed(0, 16, 1.0)]]).any()


def test_last_tokens() -> None:
    mask = np.array([[True, True, False], [False, False, False], [False, False, True]])
    assert at_last(mask, np.array([1.0, 2.0, 3.0])).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 3]]


def test_marks_of_one_unit() -> None:
    marks = [(Mark("char", (1, 4), -0.5), Mark("step", (0, 1), 1.0)), ()]
    assert spans_of(marks) == [[Placed(1, 4, -0.5)], []]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12), st.integers(0, 40), st.integers(1, 10))
def test_a_span_covers_just_the_tokens_that_share_a_character(sizes: list[int], start: int, size: int) -> None:
    ends = np.cumsum(sizes)
    offsets = np.stack([ends - sizes, ends], -1)[None]
    mask = span_mask(offsets, [[Placed(start, start + size)]])
    assert mask[0].tolist() == [bool(a < start + size and b > start) for a, b in offsets[0]]


def test_what_rules_declare_is_found_inside_others() -> None:
    assert list(declared(DynamicSampling(LabelInGroup(GroupRelative())), "injects")) == ["label"]
    assert list(declared(GroupRelative(), "places")) == []


def test_what_is_missing_is_named() -> None:
    tokens = Tokens(np.ones((1, 1), dtype=bool), measured={"dependency": np.zeros((1, 1))})
    with pytest.raises(ShapeError, match="Did you mean `dependency`"):
        tokens.measure("dependancy", "Rule")
    with pytest.raises(ShapeError, match="Rule needs the characters"):
        tokens.places("Rule")
    with pytest.raises(ShapeError, match="Rule needs the tokens"):
        known(None, "Rule")
