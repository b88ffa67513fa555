"""Choices between two options, and reasoning without its answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.stated_choice import MadeChoice, ReasonedChoice, ReasoningAlone, StatedChoice


@pytest.mark.parametrize("text", ['{"choice": 1}', ' {"choice": "1"}\n', "1", '{"choice":"1 "}'])
def test_choices(text: str) -> None:
    assert StatedChoice()(text) == "1"


@pytest.mark.parametrize(
    "text",
    ["", "one", "1 or 2", "1, 2", '{"choice": 1.0}', '{"choice": true}', '{"choice": null}', '{"choice": [1]}',
     '{"choice": 1} {"choice": 1}', '{"choice": 2, "choice": 1}', '{"choice": 1, "why": ""}', '{"Choice": 1}', "[1]",
     '{"choice": {"choice": 1}}', "01", "-1", '{"choice": ' + "1" * 5000 + "}"],
)  # fmt: skip
def test_no_choice(text: str) -> None:
    assert isinstance(StatedChoice()(text), Missing)


def test_other_options_and_key() -> None:
    read = StatedChoice(("A", "B"), key="winner")
    assert (read('{"winner": "B"}'), read("A")) == ("B", "A")
    assert isinstance(read('{"choice": "A"}'), Missing)


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        ("<think>a</think><answer>1</answer>", True),
        ("\n<think>a</think>\n\n<answer>\n1\n</answer>\n", True),
        ("<think>\n</think><answer>1</answer>", False),
        ("<think>a</think><answer>1</answer><answer>1</answer>", False),
        ("<think>a<think>b</think><answer>1</answer>", False),
        ("<answer>1</answer><think>a</think>", False),
        ("<think>a</think> so <answer>1</answer>", False),
        ("<think>a</think><answer>1", False),
    ],
)
def test_reasoned_choice(text: str, legal: bool) -> None:
    assert isinstance(ReasonedChoice()(text), str) is legal


def test_made_choice_needs_no_form() -> None:
    assert MadeChoice()("well <answer>2</answer> or <answer>1</answer>") == "2"
    assert isinstance(MadeChoice()("2"), Missing)


@pytest.mark.parametrize(
    ("think", "left"),
    [
        ("Dark. Image 2 is better", "Dark."),
        ("Dark.\noption 1 wins!!", "Dark."),
        ("Dark. I like image 1", "Dark. I like image 1"),
        ("Image 1 better fits. Dark.", "Image 1 better fits. Dark."),
        ("Dark. image 12 is better", "Dark. image 12 is better"),
    ],
)
def test_only_a_last_sentence_with_the_verdict_is_kept_back(think: str, left: str) -> None:
    said = f"<think>{think}</think><answer>1</answer>"
    assert ReasoningAlone(without_verdict=True)(said) == left
    assert ReasoningAlone()(said) == think


@given(st.text())
def test_nothing_of_the_answer_is_heard(text: str) -> None:
    secret = "SECRET"
    heard = ReasoningAlone()(f"<think>{text}</think><answer>{secret}</answer>")
    assert isinstance(heard, Missing) or secret not in heard or secret in text


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_hostile_texts_cost_nothing() -> None:
    texts = [
        "<think>" * 20_000,
        "<" * 100_000,
        "<think>" + "image 1 " * 20_000 + "</think>",
        "{" * 100_000,
        "." * 100_000,
    ]
    for inner in texts:
        text = f"<think>{inner}</think><answer>{inner}</answer>"
        for parser in (ReasonedChoice(), MadeChoice(), ReasoningAlone(), ReasoningAlone(without_verdict=True)):
            parser(text)
