"""Marks in the text of a rollout."""

from hypothesis import given
from hypothesis import strategies as st

from sightline.view.texts import BEGINNING, END, claims, turns


def mark(start, end, value, why=""):
    return {"unit": "char", "place": [start, end], "value": value, "why": why}


@given(st.text(), st.lists(st.tuples(st.integers(-5, 30), st.integers(-5, 30), st.floats(-1, 1))))
def test_no_letter_is_lost_or_doubled(text, places):
    shown = turns(text, [mark(*place) for place in places])
    assert "".join(piece.text for piece in shown[0].pieces) == text


@given(st.integers(0, 2 * (BEGINNING + END)), st.integers(0, 2 * (BEGINNING + END)), st.integers(0, 50))
def test_of_a_long_text_the_beginning_and_the_end_are_shown(size, start, length):
    text = "".join(chr(97 + at % 26) for at in range(size))
    (turn,) = turns(text, [mark(start, start + length, 1.0)])
    first, last = ("".join(piece.text for piece in pieces) for pieces in (turn.pieces, turn.ending))
    assert len(first) + turn.cut + len(last) == size
    assert (text.startswith(first), text.endswith(last)) == (True, True)
    assert bool(turn.cut) == (size > BEGINNING + END)
    if turn.cut and start >= size - END:
        marked = "".join(piece.text for piece in turn.ending if piece.kind == "hit")
        assert marked == (text[start : start + length] if start + length <= size else "")


def test_a_long_text_can_be_asked_for_whole():
    text = "x" * (BEGINNING + END + 1)
    assert turns(text, [])[0].cut == 1
    assert turns(text, [], whole=True)[0].pieces[0].text == text


def test_the_innermost_mark_wins():
    pieces = turns("abcdef", [mark(0, 6, 1.0, "outer"), mark(2, 4, -1.0, "inner")])[0].pieces
    assert [(p.text, p.kind) for p in pieces] == [("ab", "hit"), ("cd", "miss"), ("ef", "hit")]


def test_marks_count_in_the_words_of_the_policy_only():
    completion = [
        {"role": "assistant", "content": "ab"},
        {"role": "tool", "content": "ignored"},
        {"role": "assistant", "content": "cd"},
    ]
    shown = turns(completion, [mark(3, 5, 1.0)])
    assert [(turn.role, [(p.text, p.kind) for p in turn.pieces]) for turn in shown] == [
        ("assistant", [("ab", "")]),
        ("tool", [("ignored", "")]),
        ("assistant", [("cd", "hit")]),
    ]


def test_a_mark_that_names_a_claim_decides():
    row = {"evidence": ["a red ball", "no cube"], "marks": [mark(0, 1, 0.0, "not seen: a red ball")]}
    found = claims(row, "there is a red ball and no cube")
    assert [(claim.text, claim.supported) for claim in found] == [("a red ball", False), ("no cube", True)]
