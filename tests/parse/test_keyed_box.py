"""Keyed boxes, option letters and role lines in replies of every kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.keyed_box import FindKeyedBox, KeyedBox
from sightline.parse.option_sets import SelectedOptions, selected_options
from sightline.parse.turns import AfterRole

NUMBERS = st.lists(st.integers(0, 1000), min_size=4, max_size=4)


@given(NUMBERS, st.sampled_from(["[]", "()", "{}"]), st.booleans())
def test_any_bracket_serves_where_no_key_does(box: list[int], kind: str, keyed: bool) -> None:
    inner = ", ".join(map(str, box))
    said = f'"bbox": [{inner}]' if keyed else f"{kind[0]}{inner}{kind[1]}"
    found = FindKeyedBox()(f"<think>t</think> It is {said}.")
    x1, y1, x2, y2 = map(float, box)
    assert found.box == (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    assert (found.keyed, found.fallback) == (keyed, not keyed)
    assert found.swapped == (x1 > x2 or y1 > y2)


@pytest.mark.parametrize(
    ("tail", "box", "keyed", "fallback"),
    [
        ("'bbox' : [1, 2, 3, 4]", (1, 2, 3, 4), True, False),
        ("bbox:[1 2 3 4]", (1, 2, 3, 4), True, False),
        ("bbox: [1.5, 2, .5e2, 4]", (1.5, 2, 50, 4), True, False),
        ("bbox: [[1, 2, 3, 4]]", (1, 2, 3, 4), False, True),
        ("bbox: [1, 2, 3] and bbox: [1, 2, 3, 4]", (1, 2, 3, 4), False, True),
        ("bbox: [1e999, 2, 3, 4]", None, False, False),
        ("bbox: [1, 2, 3, nan]", None, False, False),
        ("[1, 2, 3, 1001] (5, 6, 7, 8)", (5, 6, 7, 8), False, True),
        ("bbox: [1,2,3,4] Answer: [5,6,7,8]", (5, 6, 7, 8), True, True),
        ("Answer: none Answer: bbox: [1,2,3,4]", (1, 2, 3, 4), True, False),
        ("nothing", None, False, False),
    ],
)
def test_rules(tail: str, box: tuple[float, ...] | None, keyed: bool, fallback: bool) -> None:
    found = FindKeyedBox()(f"<think>t</THINK >{tail}")
    assert (None if isinstance(found.box, Missing) else found.box, found.keyed, found.fallback) == (
        box,
        keyed,
        fallback,
    )


def test_boxes_before_the_tag() -> None:
    strict, released = FindKeyedBox(), FindKeyedBox(quoted_early=False)
    quoted, bare = '"bbox": [1]</think>', "bbox: [1]</think>"
    assert [strict(quoted).early, released(quoted).early, strict(bare).early, released(bare).early] == [1, 0, 1, 1]
    assert not FindKeyedBox()("bbox: []</think>").early


HOSTILE = [
    "</think>" + "[" * 400_000,
    "</think>" + "bbox: [" * 100_000,
    "< " * 400_000,
    "</think>" + "bbox" + " " * 900_000,
    "</think>[" + "9" * 900_000 + "]",
    "</think>" + "Answer:" * 120_000,
    "</think>" + '"answer": "' * 80_000,
    "bbox: [1]" * 100_000 + "</think>",
    "</think>" + "(1)" * 300_000,
]


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("text", HOSTILE, ids=[text[:24] for text in HOSTILE])
def test_a_megabyte_takes_no_time(text: str) -> None:
    assert isinstance(FindKeyedBox()(text), KeyedBox)
    selected_options(text)


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ('{"answer": ["A", "C"]}', "AC"),
        ("{'answer': 'a, c'}", "AC"),
        ('{"answer": []}', ""),
        ("\\boxed{}", ""),
        ("\\boxed{none}", ""),
        ("Answer: None.", ""),
        ("Answer: (A), (C)", "AC"),
        ("Answer: B and D", "BD"),
        ("Answer: B\nbecause C", "B"),
        ('{"answer": ["dog"]} \\boxed{B}', "B"),
        ("<think>Answer: A</think>Answer: B", "B"),
        ("Answer: ", ""),
        ("Answer: AC", None),
        ("Answer: [A, C]", "AC"),
        ('Answer: ["A", "C"]', "AC"),
        ("Answer: []", ""),
        ("Answer:\n A, C\nfor D", "AC"),
        ("**Answer:** A, C", "AC"),
        ("\\boxed{\\text{A, C}}", "AC"),
        ("\\boxed{\\{A, C\\}}", "AC"),
        ("\\boxed{\\texttt{A}}", None),
        ("Answer: A or C", None),
        ("It is A.", None),
        ("", None),
    ],
)
def test_options(text: str, letters: str | None) -> None:
    found = selected_options(text)
    assert ("".join(found.letters) if isinstance(found, SelectedOptions) else None) == letters


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    selected_options(text)
    FindKeyedBox()(text)
    assert AfterRole()(text) == text.split("assistant\n")[-1]
