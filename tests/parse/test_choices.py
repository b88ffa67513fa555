"""Option letters and yes/no, strict and as published code reads them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Missing
from sightline.parse import OptionLetter, YesNo, clean_text, lone_letter, squeezed
from sightline.parse.choices import CUES

PUBLISHED = OptionLetter("first", brackets=False)


def letter_by_the_sheet(text):
    """The rule written down as slowly and plainly as possible."""
    text = " ".join(text.upper().split())
    candidates = [m.start() for m in re.finditer(r"(?<![A-Z])[A-Z](?=[.,?!:;]|$)", text)]
    points = {}
    for at in candidates:
        where = text.index(text[at])
        near = text[max(0, where - 20) : where + 20]
        points[text[at]] = points.get(text[at], 0) + sum(cue in near for cue in CUES)
        points[text[at]] += 2 * (where > 0.7 * len(text))
        points[text[at]] += text[where + 1 : where + 2] in list("。.!！,，")
    best = max(points.values(), default=None)
    return next((letter for letter in points if points[letter] == best), None)


words = st.sampled_from(["A.", "B,", "(C)", "d;", "answer", "the", "is", "C:", "正确", "Bold", "A", "I think", "right"])


@given(st.lists(words, max_size=12).map(" ".join))
def test_published_rule(text):
    found = PUBLISHED(text)
    assert found == (letter_by_the_sheet(text) or Missing("no option letter"))


@pytest.mark.parametrize(
    ("text", "strict", "published"),
    [
        ("B", "B", "B"),
        ("b.", "B", "B"),
        ("(C)", "C", None),
        ("[C]", "C", None),
        ("the cat", None, None),
        ("", None, None),
        ("A. or B. The answer is B.", "B", "B"),
        # the first D stands in "Discarding": far from the cue words, at the start of the text
        ("Discarding what is said of A, and after a long and careful look, the correct answer is D.", "D", "A"),
    ],
)
def test_option_letters(text, strict, published):
    assert OptionLetter()(text) == (strict or Missing("no option letter"))
    assert PUBLISHED(text) == (published or Missing("no option letter"))


def test_the_letter_seen_first_wins_ties():
    assert OptionLetter()("A. B." + " yet" * 20) == "A"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        (" b\n", "B"),
        ("B.", "B"),
        ("(b)", "B"),
        ("[b]", "B"),
        ("B) dog", "B"),
        ("B: two\nlines", "B"),
        ("(B). dog", "B"),
        ("(B) dog", "B"),
        ("A or B", None),
        ("A, B", None),
        ("AB", None),
        ("(B", None),
        ("(B]", None),
        ("B dog", None),
        ("1.", None),
        ("é.", None),
        ("", None),
    ],
)
def test_lone_letters(text, letter):
    assert lone_letter(text) == (letter or Missing("not a lone option letter"))


@pytest.mark.parametrize(
    ("text", "whole", "part"),
    [("YES", "yes", "yes"), ("I know it", None, "no"), ("No, yes", "no", "no"), ("maybe", None, None)],
)
def test_yes_no(text, whole, part):
    assert YesNo()(text) == (whole or Missing("neither yes nor no"))
    assert YesNo("part")(text) == (part or Missing("neither yes nor no"))


def test_cleaned_texts():
    assert clean_text("a \n\nb\nc\r\nd..") == "a b c d"
    assert squeezed(" Garden_ Phlox\n") == "gardenphlox"
    assert squeezed("phlox-x.") == "phlox-x."
