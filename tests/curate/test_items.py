"""From a teacher's reply to evidence, step by step in the order of the sheet."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.curate import evidence_items
from sightline.curate.items import answer_forms


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('["a ball", "a dog"]', ["a ball", "a dog"]),
        ('```json\n["a ball",\n "a dog"]\n```', ["a ball", "a dog"]),
        ('Here is what I see: ["a ball"] and that is all.', ["a ball"]),
        ('{"evidence": ["a ball"]}', ["a ball"]),
        ("- ball\n* dog\n• a cat\n1. a cow\n2) hen\n(3) pig", ["ball", "dog", "a cat", "a cow", "hen", "pig"]),
        ("Evidence:\n  - in frame [3] a ball\n\nDone.", ["in frame [3] a ball"]),
        ("[]", []),
        ("I cannot see the video.", []),
        ("", []),
        ('["a", 3]', []),
        ('["a ball", "a do', []),
        ("-no bullet\n12 dogs\n3.5 metres", []),
        ('["  a ball\\n", " ", ""]', ["a ball"]),
        ('["A ball", "a BALL", "a ball."]', ["A ball", "a ball."]),
        (str([f"fact {n}" for n in range(12)]).replace("'", '"'), [f"fact {n}" for n in range(8)]),
    ],
)  # fmt: skip
def test_reading(reply: str, expected: list[str]) -> None:
    assert evidence_items(reply, "none of these") == expected


@pytest.mark.parametrize(
    ("answer", "options", "dropped"),
    [
        ("B", [], ["B", "b", "(B)", " B. "]),
        ("B", ["a dog", "the cat"], ["B", "The cat!", "B. the cat", "the  cat"]),
        ("B", ["A. a dog", "B. the cat"], ["b)", "THE CAT"]),
        ("the cat", {"A": "a dog", "B": "the cat"}, ["B", "the cat", "b: the cat"]),
        ("B. the cat", [], ["B", "the cat", "B the cat"]),
        ("3.5", [], ["3.5", "35"]),
        ("It's red", [], ["its red", "IT’S RED"]),
    ],
)
def test_answer_is_not_evidence(answer: str, options: Any, dropped: list[str]) -> None:
    import json

    kept = ["the cat sits on a box", "a dog", "A"]
    assert evidence_items(json.dumps([*dropped, *kept]), answer, options) == kept


def test_drop_before_dedupe_before_cut() -> None:
    import json

    reply = json.dumps(["yes", "a", "A", *"bcdefgh", "i"])
    assert evidence_items(reply, "Yes") == list("abcdefgh")


def test_answer_of_punctuation_drops_nothing_else() -> None:
    assert evidence_items('["+", "a ball"]', "-") == ["+", "a ball"]


def test_forms_of_an_answer_that_is_no_option() -> None:
    assert answer_forms("a cow", ["a dog", "the cat"]) == ["a cow"]


@given(st.text(), st.text())
def test_no_text_raises(reply: str, answer: str) -> None:
    items = evidence_items(reply, answer)
    assert len(items) <= 8
    assert all(item == item.strip() != "" for item in items)
