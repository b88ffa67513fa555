"""Boxes in tags, and ways of reasoning by their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.pathways import HEURISTICS, MostWords
from sightline.parse.tagged_boxes import TaggedBoxes

number = st.integers(-999, 999)
box = st.tuples(number, number, number, number)


@given(st.lists(box, max_size=6))
def test_distinct_boxes_are_counted_once_and_named_by_their_mentions(boxes: list[tuple[int, ...]]) -> None:
    text = " then ".join(f"<box> [ {a},{b} , {c}, {d} ] </box>" for a, b, c, d in boxes)
    found = TaggedBoxes()(text)
    assert found.boxes == list(dict.fromkeys(boxes))
    assert found.count == len(set(boxes))
    assert [found.boxes[i] for _, i in found.mentions] == boxes


@pytest.mark.parametrize(
    ("content", "loose", "tight"),
    [
        ("[0,0,4,4]", 1, 1),
        ("[0, 0, 4, 4]", 1, 0),
        ("[0,0,4.5,4]", 1, 0),
        ("[4,4,0,0]", 1, 0),
        ("[0,0,4,4] and more", 0, 1),
        ("[0,0,4]", 0, 0),
        ("[1e3,0,4,4]", 0, 0),
        (f"[0,0,{'9' * 400},4]", 0, 0),
    ],
)
def test_what_each_style_reads(content: str, loose: int, tight: int) -> None:
    text = f"<box>{content}</box>"
    assert len(TaggedBoxes()(text).boxes) == loose
    assert TaggedBoxes()(text).count == 1
    assert TaggedBoxes("tight")(text).count == tight


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_flood_is_counted_and_quick() -> None:
    text = "".join(f"<box>[{i},0,{i + 1},4]</box>" for i in range(20_000))
    found = TaggedBoxes(limit=100)(text)
    assert (found.count, len(found.boxes)) == (20_000, 100)


def test_every_word_of_a_list_leads_to_it() -> None:
    for name, words in HEURISTICS:
        assert {MostWords()(f"it is {word.upper()}, so") for word in words} == {name}


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("left larger", "comparison"),
        ("left left larger", "spatial"),
        ("first-hand", "ordering"),
        ("leftover, numbers", None),
        ("", None),
        ("left " * 50_000, None),  # too long to be a reasoning
    ],
)
def test_most_words(text: str, way: str | None) -> None:
    found = MostWords()(text)
    assert (None if isinstance(found, Missing) else found) == way
