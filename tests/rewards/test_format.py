"""The format reward: the asked form and nothing else."""

from __future__ import annotations

import re

import pytest

from sightline.core import Batch
from sightline.parse import FormWith
from sightline.rewards.format import Format

RELEASED = re.compile(r"<think>.*?</think>\s*<answer>.*?</answer>", re.DOTALL)
TEXTS = [
    "<think>a</think><answer>b</answer>",
    "<think>a</think> \n\t<answer>b</answer>",
    "<think></think><answer></answer>",
    "<think>a</think><answer>b</answer> ",
    "\n<think>a</think><answer>b</answer>",
    "<think>a</think>b<answer>c</answer>",
    "<think>a</think><answer>b</answer><answer>c</answer>",
    "<think>a<think></think>b</think><answer>c</answer>",
    "<answer>b</answer><think>a</think>",
    "<think>a</think><answer>b",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_decides_what_the_released_expression_decides(text: str) -> None:
    assert Format()(Batch([text])).values[0] == float(RELEASED.fullmatch(text) is not None)


def test_says_what_is_wrong() -> None:
    scores = Format()(Batch(["b", "<think>a</think><answer>b</answer>."]))
    assert scores.why == ["does not begin with <think>", "text after </answer>"]


def test_pieces_must_lie_in_the_answer_unless_they_may_lie_across() -> None:
    batch = Batch(["<think>a</think><answer>x</answer> {[7]}</answer>"])
    pieces = (r"\{", r"\[\d+\]", r"\}")
    assert Format(FormWith(pieces))(batch).values.tolist() == [0.0]
    assert Format(FormWith(pieces, across=True))(batch).values.tolist() == [1.0]
