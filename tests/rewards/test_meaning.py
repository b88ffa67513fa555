from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.judges.judge import Question, Verdict
from sightline.judges.lexical import LexicalEmbedder
from sightline.judges.replay import ScriptedJudge
from sightline.metrics.embeddings import greedy_f1
from sightline.rewards.meaning import MOST, MeaningAlike, each_word
from sightline.rewards.recent_scale import OnRecentScale


@dataclass(frozen=True)
class Counting:
    """Embeds words and remembers what it was asked."""

    id: str = "counting"
    asked: list[str] = field(default_factory=list, hash=False, compare=False)

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        self.asked.extend(question.text() for question in questions)
        return LexicalEmbedder().embed(questions)


def answers(*said: str) -> Batch:
    return Batch([f"<answer>{text}</answer>" for text in said], {"answer": ["pleural effusion"] * len(said)})


def test_equal_texts_are_embedded_once_and_bad_ones_never() -> None:
    judge = Counting()
    values = MeaningAlike(judge)(answers("effusion", "effusion", "", "!?", "pleural effusion")).values
    assert sorted(judge.asked) == ["effusion", "pleural effusion"]
    np.testing.assert_allclose(values, [0.5**0.5, 0.5**0.5, 0, 0, 1])


def test_braces_of_the_policy_are_text() -> None:
    judge = Counting()
    MeaningAlike(judge)(answers("{text} effusion"))
    assert "{text} effusion" in judge.asked


def test_words_are_matched_greedily() -> None:
    by_word = MeaningAlike(LexicalEmbedder(), each_word)
    values = by_word(answers("effusion", "effusion pleural", "effusion of the lung")).values
    # precision 1, recall 1/2; both 1; precision 1/4, recall 1/2
    np.testing.assert_allclose(values, [2 / 3, 1, 1 / 3])


def test_a_long_answer_costs_a_bounded_number_of_questions() -> None:
    judge = Counting()
    MeaningAlike(judge, each_word)(answers(" ".join(f"w{k}" for k in range(5000))))
    assert len(judge.asked) <= MOST + 2


def test_vectors_of_two_lengths_are_the_judges_failure() -> None:
    judge = ScriptedJudge((), {"embed": ((1.0, 0.0), (1.0, 0.0, 0.0))})
    scores = MeaningAlike(judge)(answers("effusion"))
    assert scores.errors.tolist() == [True]


def test_the_reference_must_be_there() -> None:
    with pytest.raises(ColumnError, match="row 0"):
        MeaningAlike(LexicalEmbedder())(Batch(["<answer>a</answer>"], {"answer": [None]}))


def test_greedy_match_is_symmetric_and_at_most_one() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.normal(size=(3, 4)), rng.normal(size=(5, 4))
        assert greedy_f1(a, b) == pytest.approx(greedy_f1(b, a))
        assert 0 <= greedy_f1(a, b) <= 1
    assert greedy_f1(a, a) == pytest.approx(1)
    assert greedy_f1(np.zeros((2, 4)), a) == 0


def test_rows_with_other_histories_are_mapped_each_by_its_own() -> None:
    low, high = [0.1] * 40 + [0.3] * 40, [0.8] * 40 + [1.0] * 40
    reward = OnRecentScale(MeaningAlike(LexicalEmbedder()))
    columns = {"answer": ["effusion"] * 3, "recent_scores": [low, high, None]}
    values = reward(Batch(["<answer>effusion</answer>"] * 3, columns)).values
    assert values[0] > 0.99
    assert values[1] == pytest.approx(0.9)
    assert values[2] == 1.0
