"""Cues in a text: what is read, what is counted, and how long it takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.cues import CueForm, Cues, patch_box, patch_point, pixel_box, pixel_point
from sightline.parse.undressed import option_letter, undressed

index = st.integers(0, 10**12)


@given(st.tuples(index, index, index, index))
def test_both_spellings_are_read(place: tuple[int, ...]) -> None:
    r1, c1, r2, c2 = place
    assert patch_box(f"[{r1}, {c1},{r2} ,{c2}]") == patch_box(f"({r1}, {c1}),({r2},{c2})") == place


@pytest.mark.parametrize("text", ["[1, 2, 3]", "[-1, 2, 3, 4]", "[1.5, 2, 3, 4]", "1, 2, 3, 4", "[１, 2, 3, 4]", ""])
def test_other_texts_are_no_patch_boxes(text: str) -> None:
    assert isinstance(patch_box(text), Missing)


def test_points_and_pixels() -> None:
    assert patch_point("(3, 4)") == (3.0, 4.0)
    assert pixel_point("[0.5, 1]") == (0.5, 1.0)
    assert pixel_box("[0.1, 0.2, 0.3, 1]") == (0.1, 0.2, 0.3, 1.0)
    assert isinstance(patch_point("[0.5, 1]"), Missing)


def test_everything_between_tags_counts() -> None:
    found = Cues(limit=3)("<cue>[1, 1, 2, 2]</cue><cue></cue><cue><cue>[1, 1, 2, 2]</cue></cue><cue>x</cue>")
    assert (found.count, found.places) == (4, [(1.0, 1.0, 2.0, 2.0), None, None])


@pytest.mark.parametrize(
    "text",
    ["<cue>" * 100_000, "<cue>[1, 1, 2, 2]</cue>" * 40_000, "<cue>[" + "9" * 500_000 + "]</cue>"],
    ids=["unclosed", "flood", "digits"],
)
@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_floods_take_their_length(text: str) -> None:
    CueForm()(f"<think>{text}</think><answer>B</answer>")


@given(st.text(alphabet="<>/cuethinkansw[](),0123 \n", max_size=80))
def test_nothing_raises(text: str) -> None:
    Cues()(text)
    CueForm()(text)


@given(st.text(max_size=12))
def test_undressing_leaves_no_blanks_and_grows_nothing(text: str) -> None:
    assert undressed(text) == undressed(text).strip()
    assert len(undressed(text)) <= len(text)
    assert len(option_letter(text)) <= 1
