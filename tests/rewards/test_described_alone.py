"""The second pass from a description alone: who is asked, what is shown, what a leak earns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

import sightline
from sightline.check import PROMISES
from sightline.check.promises import Promise
from sightline.core.batch import Batch
from sightline.judges.judge import Question, Verdict
from sightline.metrics.shortcuts import language_shortcut_rate
from sightline.rewards.kept_back import KeepsAnswerBack

SYSTEM = sightline.load("vision-sr1")


@dataclass(frozen=True)
class LastNumber:
    """Boxes the last number of what it is shown."""

    @property
    def id(self) -> str:
        return "last number"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        found = [re.findall(r"\d+", str(question.field("description"))) for question in questions]
        return [Verdict(f"\\boxed{{{numbers[-1]}}}" if numbers else "no number") for numbers in found]


@dataclass(frozen=True)
class Watching:
    """Keeps what it was asked."""

    asked: list[Question] = field(default_factory=list, hash=False)

    @property
    def id(self) -> str:
        return "watching"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        self.asked.extend(questions)
        return [Verdict("\\boxed{2}")] * len(questions)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("variant", ["strict", "official"])
def test_promises_hold_with_a_reader(variant: str, promise: Promise) -> None:
    promise(SYSTEM.with_judge(LastNumber()).variant(variant), SYSTEM.specimen)


@pytest.mark.parametrize("name", list(SYSTEM.extras))
def test_extras_keep_promises_too(name: str) -> None:
    for promise in PROMISES:
        promise(SYSTEM.with_judge(LastNumber()).extra(name), SYSTEM.specimen)


def test_reader_sees_description_and_question_and_no_picture() -> None:
    judge = Watching()
    said = "<description>Two {question} cups.</description><think>t</think>\\boxed{2}"
    SYSTEM.with_judge(judge).reward(Batch([said], {"question": ["<image>\nHow many?"], "answer": ["2"]}))
    (question,) = judge.asked
    assert question.images == ()
    assert question.field("question") == "How many?"
    assert question.fenced == ("description",)
    assert question.text().count("How many?") == 1, "a place in the description is not filled again"
    assert question.sampling.temperature == 1.0


def test_without_a_model_the_second_pass_is_open_and_says_so() -> None:
    said = "<description>d</description><think>t</think>\\boxed{2}"
    scores = SYSTEM.reward(Batch([said], {"question": ["?"], "answer": ["2"]}))
    assert np.isnan(scores.values[0])
    assert "no model stands for the policy" in scores.why[0]


@pytest.mark.parametrize(
    ("description", "answer", "value"),
    [
        ("vitamin B", "B", 0),
        ("vitamin B", "b", 0),
        ("vitamin B", "7", 1),
        ("vitamin b12", "B", 1),
        ("it is **(C)**.", "A", 0),
        ("é", "B", 1),
        ("\\BOXED{2}", "2", 0),
        ("...", "B", 1),
        ("so b ...", "B", 0),
        ("option B !", "(B)", 0),
        ("Ab.", "B", 1),
        ("plan b) is here", "B", 1),
        ("b", "AB", 1),
    ],
)
def test_leaks(description: str, answer: str, value: float) -> None:
    batch = Batch([f"<description>{description}</description>"], {"answer": [answer]})
    assert KeepsAnswerBack()(batch).values[0] == value


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("body", ["! " * 300_000, "a" + "!" * 300_000 + "a", " " * 300_000 + "b" + "_" * 300_000])
def test_a_description_of_punctuation_costs_its_length(body: str) -> None:
    KeepsAnswerBack()(Batch([f"<description>{body}</description>"], {"answer": ["B"]}))


def test_shortcut_rate_leaves_failed_readings_out() -> None:
    assert language_shortcut_rate([1, 1, 1, 0], [0, 1, np.nan, 0]) == pytest.approx(100 / 3)
    with pytest.raises(sightline.core.errors.ShapeError, match="one length"):
        language_shortcut_rate([1], [1, 0])
