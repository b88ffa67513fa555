"""Answers that a judge compares."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.judged_answer import JudgedAnswer
from tests.rewards.replying import ASKED, Says


def score(reward: JudgedAnswer, said: str, gold: object = "cat") -> tuple[float, str]:
    scores = reward(Batch([said], {"solution": [gold]}))
    return float(scores.values[0]), scores.why[0]


@pytest.mark.parametrize(("reply", "value"), [("1.0", 1.0), ("0.0", 0.0), ("1", 1.0), ("No.", 0.0)])
def test_replies(reply: str, value: float) -> None:
    assert score(JudgedAnswer(Says(reply)), "<answer>feline</answer>")[0] == value


def test_a_judge_that_is_down_is_nan_or_equality_of_texts() -> None:
    value, why = score(JudgedAnswer(Says(None)), "<answer>cat</answer>")
    assert np.isnan(value)
    assert why == "error: refused"
    lax = JudgedAnswer(Says(None), equal_if_down=True)
    assert score(lax, "<answer>cat</answer>") == (1.0, "judge failed (refused): compared as text")
    assert score(lax, "<answer>Cat</answer>")[0] == 0.0


def test_an_empty_answer_costs_no_call() -> None:
    assert score(JudgedAnswer(Says("1")), "<answer> </answer>") == (0.0, "the answer is empty")
    assert ASKED == []


def test_the_last_block_is_asked_about_and_fenced() -> None:
    score(JudgedAnswer(Says("1")), "<answer>dog</answer><answer>feline</answer>")
    (question,) = ASKED
    assert question.field("answer") == "feline"
    assert question.field("gold") == "cat"
    assert question.fenced == ("answer",)


def test_a_gold_answer_that_is_no_text_is_refused() -> None:
    with pytest.raises(ColumnError, match="JudgedAnswer: column `solution` of row 0"):
        score(JudgedAnswer(Says("1")), "<answer>cat</answer>", None)
