"""The last `\\boxed` and one spelling of an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.boxed import FinalBoxed, canonical_answer

PIECES = st.lists(st.sampled_from(["\\boxed{", "\\boxed ", "\\boxed", "\\fbox{", "{", "}", "$", "4", " ", "\x00"]))


def by_hand(text: str) -> str | None:
    """The rule read out loud, one brace at a time."""
    if "\\boxed " in text:
        return text.split("\\boxed ")[-1].split("$")[0]
    if "\\boxed" not in text:
        return None
    rest = text.split("\\boxed")[-1]
    depth, inner = 0, ""
    for place, letter in enumerate(rest):
        if place == 0 and letter != "{":
            return None
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth == 0:
            return inner[1:]
        inner += letter
    return None


@given(PIECES)
def test_as_the_rule_says(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = FinalBoxed()(text)
    assert (None if isinstance(found, Missing) else found) == by_hand(text)


def test_without_the_quirk_a_blank_is_no_box() -> None:
    assert FinalBoxed(spaced=False)("\\boxed 7").why == "the last \\boxed is not followed by {"
    assert FinalBoxed(spaced=False)("\\boxed{7} \\boxed 8").why == "the last \\boxed is not followed by {"


@pytest.mark.parametrize(
    "text", ["\\boxed{" * 150_000, "\\boxed " * 150_000, "{" * 1_000_000, "\\boxed{" + "{}" * 500_000]
)
@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_megabyte_takes_no_time(text: str) -> None:
    FinalBoxed()(text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (" 0.5 ", "0.5"),
        (r"\dfrac{1}{2}", "0.5"),
        ("1/2", "0.5"),
        ("-1/2", "-0.5"),
        ("$1,234,567$", "1234567"),
        ("12 square metres", "12"),
        (r"12\text{ cm}", "12"),
        (r"12~\text{cm}^2", "12"),
        (r"5\,\mathrm{cm}", "5"),
        ("10 km/h", "10"),
        (r"\$5", "5"),
        (r"\frac34", "0.75"),
        (r"\frac{3}{4}\text{ inch}", "0.75"),
        (r"\text{Evelyn}", "Evelyn"),
        (r"\text{(A)}", "(A)"),
        ("%", "%"),
        ("5 x", "5 x"),
        ("3 and x", "3 and x"),
        ("3 or 4", "3 or 4"),
        (r"45\%", "45"),
        ("1/0", "1/0"),
        ("2x", "2x"),
        ("1,2", "1,2"),
        ("", ""),
        ("9" * 20_000, "9" * 20_000),
    ],
)
def test_one_spelling(text: str, same: str) -> None:
    assert canonical_answer(text) == same


@given(st.text(max_size=80))
def test_any_text_has_a_spelling(text: str) -> None:
    assert isinstance(canonical_answer(text), str)
