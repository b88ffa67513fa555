from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.described_box import DescribedBox
from sightline.parse.maths import Boxed
from sightline.parse.presence import NotBlank, OrElse
from sightline.parse.tags import Block

PIECES = [
    "<description>",
    "</description>",
    "<think>",
    "</think>",
    "\\boxed{",
    "}",
    "{",
    " ",
    "\n",
    "a",
    "/",
    "< ",
    " >",
]
EXPRESSION = re.compile(r"<description>.*?</description>\s*<think>.*?</think>\s*\\boxed\{.*?\}", re.DOTALL)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@settings(max_examples=300)
@given(TEXTS)
def test_lenient_form_is_the_released_expression(text: str) -> None:
    found = DescribedBox(balanced=False)(text)
    assert (not isinstance(found, Missing)) == (EXPRESSION.fullmatch(text) is not None)


@settings(max_examples=300)
@given(TEXTS)
def test_squeezing_is_the_released_substitution(text: str) -> None:
    squeezed = re.sub(r"\s*(<|>|/)\s*", r"\1", text)
    found = DescribedBox(balanced=False, squeeze=True)(text)
    assert (not isinstance(found, Missing)) == (EXPRESSION.fullmatch(squeezed) is not None)


@settings(max_examples=200)
@given(st.text("a{}\\ ", max_size=12))
def test_strict_form_is_lenient_and_ends_in_its_own_brace(inner: str) -> None:
    text = f"<description>d</description><think>t</think>\\boxed{{{inner}"
    if DescribedBox()(text) is True:
        assert DescribedBox(balanced=False)(text) is True
        content = text[text.rfind("\\boxed{") + 7 : -1]
        assert Boxed()(text) == content


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a", "does not begin with <description>"),
        ("<description>a</description> b <think>", "no </description> followed by <think>"),
        ("<description>a</description><think>b</think> 2", "no </think> followed by a box"),
        ("<description>a</description><think>b</think>\\boxed{2", "the box is not closed"),
        ("<description>a</description><think>b</think>\\boxed{2}\n", "text behind the box"),
    ],
)
def test_says_what_is_wrong(text: str, why: str) -> None:
    found = DescribedBox()(text)
    assert isinstance(found, Missing)
    assert found.why == why


@pytest.mark.parametrize(
    "text",
    [
        " " * 100_000,
        "< " * 50_000,
        "<description>" + "</description> " * 30_000,
        "<description>" + "<" + " " * 100_000 + "/" + " " * 100_000,
        "<description></description><think>" + "< / think" * 20_000,
    ],
)
@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_is_linear(text: str) -> None:
    DescribedBox(squeeze=True)(text)


def test_blank_is_absent_and_a_word_can_stand_in() -> None:
    find = NotBlank(Block("description"))
    assert find("<description> x </description>") == "x"
    assert isinstance(find("<description>\n</description>"), Missing)
    assert isinstance(find("x"), Missing)
    assert isinstance(NotBlank(Block("look", strip=False))("<look> \t</look>"), Missing)
    assert OrElse(Boxed(), "None")("\\boxed{2") == "None"
    assert OrElse(Boxed(), "None")("\\boxed{2}") == "2"


def test_a_box_knows_its_place() -> None:
    text = "so \\boxed{\\frac{1}{2}}."
    span = Boxed().span(text)
    assert not isinstance(span, Missing)
    assert text[span.start : span.end] == span.text == "\\frac{1}{2}"
