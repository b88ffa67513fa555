r"""Strategy tokens, and the last `\boxed{}` that is closed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Missing
from sightline.parse.last_box import LastBox
from sightline.parse.strategy import AnnouncedAndBoxed, StrategyToken


@pytest.mark.parametrize(
    ("text", "chosen"),
    [("<CODE>", "CODE"), ("a <DIRECT> <CODE>", "DIRECT"), ("<Code> < DIRECT>", None), ("CODE", None), ("", None)],
)
def test_the_first_token_in_exact_spelling_counts(text: str, chosen: str | None) -> None:
    found = StrategyToken()(text)
    assert found == chosen if chosen else isinstance(found, Missing)


def test_white_space_does_not_count_as_a_lead() -> None:
    assert StrategyToken(lead=2)("\n a \t b\n<CODE>") == "CODE"
    assert isinstance(StrategyToken(lead=2)("abc<CODE>"), Missing)
    assert isinstance(AnnouncedAndBoxed()("x" * 21 + r"<CODE> \boxed{1}"), Missing)


def boxes(text: str) -> list[tuple[int, str]]:
    """Every balanced box, by trying each opening."""
    found, at = [], text.find("\\boxed{")
    while at >= 0:
        depth, i = 1, at + 7
        while i < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[i], 0)
            i += 1
        if not depth:
            found.append((at, text[at + 7 : i - 1]))
        at = text.find("\\boxed{", at + 1)
    return found


@given(st.lists(st.sampled_from(["\\boxed{", "{", "}", "7", "x"]), max_size=14))
def test_the_box_that_begins_last_among_the_closed_ones(pieces: list[str]) -> None:
    text = "".join(pieces)
    found, wanted = LastBox()(text), boxes(text)
    assert found == wanted[-1][1] if wanted else isinstance(found, Missing)


def test_escaped_braces_are_no_braces() -> None:
    assert LastBox()(r"\boxed{\{1\}}") == r"\{1\}"


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_floods_of_boxes_cost_little() -> None:
    for text in ("\\boxed{" * 150_000, "\\boxed{}" * 120_000, "{" * 10**6, "\\boxed{" + "}" * 10**6):
        LastBox()(text)
