"""Phrases judged one by one: what is asked, what each earns, and what happens to failures and floods."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from sightline.core import Batch
from sightline.core.errors import ConfigError
from sightline.judges.judge import Question, Verdict
from sightline.metrics.fact_classes import CLASSES, by_class, by_probability, fact_class, separator_loss
from sightline.parse.phrases import Phrases
from sightline.rewards.phrase_facts import KINDS, CheckablePhrases, PhraseFacts


@dataclass(frozen=True)
class Words:
    """A class by the words of the last phrase; `fail` makes it fail."""

    asked: tuple = ()

    @property
    def id(self) -> str:
        return "words"

    def choose(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        return [self._one(str(question.field("phrases")[-1])) for question in questions]

    def _one(self, phrase: str) -> Verdict[tuple[float, ...]]:
        if "fail" in phrase:
            return Verdict(error="down")
        return Verdict((0.1, 0.2, 0.7) if "lie" in phrase else (0.1, 0.6, 0.3) if "dog" in phrase else (0.8, 0.1, 0.1))


def test_phrases_earn_and_are_marked() -> None:
    scores = PhraseFacts(Words(), "object")(Batch(["A dog. A lie. How nice.", "A dog. A dog."]))
    np.testing.assert_allclose(scores.values, [0.0, 2.0])
    assert [(mark.place, mark.value) for mark in scores.marks[0]] == [((0, 6), 1.0), ((7, 13), -1.0), ((14, 23), 0.0)]


def test_each_question_holds_the_phrases_so_far_fenced() -> None:
    reward = PhraseFacts(Words(), "relation")
    asked = reward.questions(Batch(["A dog. A lie."], {"images": [["p.png"]]}))[0]
    assert [question.field("phrases") for question in asked] == [("A dog.",), ("A dog.", "A lie.")]
    assert asked[0].options == CLASSES
    assert asked[0].images == ("p.png",)
    assert asked[0].fenced == ("phrases",)
    assert KINDS["relation"] in asked[0].text()


def test_one_failure_makes_the_rollout_nan_and_keeps_the_words() -> None:
    scores = PhraseFacts(Words(), "object")(Batch(["A dog. We fail.", "A dog."]))
    assert np.isnan(scores.values[0])
    assert "down" in scores.why[0]
    assert scores.values[1] == 1.0


def test_what_lies_beyond_the_limit_is_one_phrase() -> None:
    scores = PhraseFacts(Words(), "object", most=2)(Batch(["A dog. A dog. A dog. A lie."]))
    assert [mark.value for mark in scores.marks[0]] == [1.0, -1.0]
    assert scores.marks[0][1].place == (7, 27)


def test_soft_worth() -> None:
    scores = PhraseFacts(Words(), "object", by_probability)(Batch(["A dog. A lie."]))
    assert scores.values[0] == pytest.approx(0.3 - 0.5)


def test_words_without_a_phrase_earn_nothing() -> None:
    released = PhraseFacts(Words(), "object", phrases=Phrases(keep_lone=False))
    assert released(Batch(["Nice.", " "])).values.tolist() == [0.0, -1.0]


def test_checkable_share() -> None:
    values = CheckablePhrases(Words(), "object")(Batch(["A dog. How nice.", "", "We fail."])).values
    np.testing.assert_allclose(values[:2], [0.5, 0.0])
    assert np.isnan(values[2])


@pytest.mark.parametrize("wrong", [{"kind": "colour"}, {"kind": "object", "most": 0}])
def test_wrong_options(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        PhraseFacts(Words(), **wrong)


def test_classes() -> None:
    assert [fact_class(holds) for holds in ([], [True], [True, False])] == [0, 1, 2]
    assert by_class([0.4, 0.4, 0.2]) == 0.0
    assert np.isnan(separator_loss([[0.0, 1.0, 2.0]], [-100]))
    with pytest.raises(ValueError, match="separator_loss needs"):
        separator_loss([[0.0, 1.0, 2.0]], [0, 1])
