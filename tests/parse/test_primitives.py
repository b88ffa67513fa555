"""Diagrams in words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.core.primitives import Primitives
from sightline.parse.primitives import PrimitiveText
from sightline.parse.tags import FullMatch
from sightline.parse.trimmed import Trimmed

READ = PrimitiveText()
NUMBER = st.integers(-999, 999).map(lambda n: n / 100)
PAIR = st.tuples(NUMBER, NUMBER)
DIAGRAM = st.builds(
    Primitives,
    st.lists(PAIR, max_size=4).map(tuple),
    st.lists(st.lists(PAIR, min_size=2, max_size=4, unique=True).map(tuple), max_size=3).map(tuple),
    st.lists(st.tuples(NUMBER, NUMBER, NUMBER.map(abs)), max_size=3).map(tuple),
)


def written(diagram: Primitives) -> str:
    points = " ".join(f"P{n}: ({x}, {y})" for n, (x, y) in enumerate(diagram.points))
    lines = "\n".join(" -- ".join(f"({x},{y})" for x, y in line) for line in diagram.lines)
    circles = "; ".join(f"O: ({x}, {y}, {r})" for x, y, r in diagram.circles)
    return f"Point: {points}\nLine: {lines}\nCircle: {circles}"


@given(DIAGRAM)
def test_what_is_written_is_read(diagram: Primitives) -> None:
    assert READ(written(diagram)) == diagram


@given(st.text(alphabet="(),-. 0123456789epointlinecirclePLC:\n", max_size=80))
def test_any_text_is_read(text: str) -> None:
    assert len(READ(text)) >= 0


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0), ("(1, 2)", 0), ("midpoint: (1, 2)", 0), ("points: (1, 2)", 1), ("LINE : (0,0)--(1,1)--(2,2)", 1),
        ("Line: (0,0) -- (1,1), (2,2) -- (3,3)", 2), ("Line: (0,0) -- (0,0)", 0), ("Line: A(0,0) -- B: (1,1)", 1),
        ("Line: (0,0) A -- (1,1) B", 1), ("Line: $A(0,0)$ -- point B' (1,1)", 1), ("Line: (0,0) A--B: (1,1)", 0),
        ("Line: (0,0) - (1,1)", 0), ("Circle: (0, 0)", 0), ("Circle: (0, 0, -1)", 0), ("Point: (1e9, 0)", 0),
        ("Point: (+.5, -1.)", 1), ("Point: (1, 2, 3)", 0),
    ],
)  # fmt: skip
def test_the_grammar(text: str, count: int) -> None:
    assert len(READ(text)) == count


def test_pixels_become_a_frame_of_twenty() -> None:
    made = Primitives.of_pixels(200, 100, ((0, 0), (200, 100)), (((100, 50), (200, 50)),), ((100, 50, 20),))
    assert made == Primitives(((-10, -10), (10, 10)), (((0, 0), (10, 0)),), ((0, 0, 2),))


@pytest.mark.parametrize(
    "wrong",
    [
        {"points": ((1.0, float("nan")),)}, {"points": ((1.0, 2.0, 3.0),)}, {"lines": (((0.0, 0.0),),)},
        {"lines": (((1.0, 1.0), (1.0, 1.0)),)}, {"lines": ((),)}, {"lines": (((0.0, 0.0), (float("inf"), 1.0)),)},
        {"circles": ((0.0, 0.0),)}, {"circles": ((0.0, 0.0, -1.0),)},
    ],
)  # fmt: skip
def test_impossible_primitives(wrong: dict[str, Any]) -> None:
    with pytest.raises(ShapeError):
        Primitives(**wrong)


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_flood_is_read_in_linear_time() -> None:
    for text in ("Point:" * 30_000, "Line: " + "(0,0) -- (1,1) " * 8_000, "Point: " + "(" * 200_000, "(1," * 60_000):
        READ(text)
        READ("Circle: " + text)


def test_a_trimmed_form_still_refuses_words_around_it() -> None:
    form = Trimmed(FullMatch(("a",)))
    assert getattr(form(" <a>1</a> so"), "why", "")
