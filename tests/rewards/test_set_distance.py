"""Sets of statements as a reward: sentences, hostile reports, encoders that fail, and how often they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sightline
from sightline.check.hostile import TEXTS
from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.judges.judge import Question, Verdict
from sightline.judges.lexical import LexicalEmbedder
from sightline.parse.sentences import Sections, Sentences
from sightline.rewards.set_distance import StatementSetFit

REFERENCE = "Heart is large. No effusion. Lungs are clear."


def value(said: str, reference: object = REFERENCE) -> float:
    return float(StatementSetFit(LexicalEmbedder())(Batch([said], {"reference": [reference]})).values[0])


@dataclass(frozen=True)
class Counting:
    """An encoder that notes what it is asked."""

    log: tuple[list[str], ...]
    id: str = "counting"

    def __hash__(self) -> int:
        return 1

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        self.log[0].extend(q.text() for q in questions)
        return LexicalEmbedder().embed(questions)


def test_every_sentence_of_a_batch_is_embedded_once() -> None:
    judge = Counting(([],))
    StatementSetFit(judge)(Batch([REFERENCE, "No effusion.", "Rib broken."], {"reference": [REFERENCE] * 3}))
    assert sorted(judge.log[0]) == ["Heart is large", "Lungs are clear", "No effusion", "Rib broken"]


def test_an_empty_side_asks_nothing() -> None:
    judge = Counting(([],))
    assert StatementSetFit(judge)(Batch(["", "Aa bb."], {"reference": ["Aa bb.", ""]})).values.tolist() == [0, 0]
    assert judge.log == ([],)


def test_more_of_the_findings_earn_more() -> None:
    values = [value(text) for text in ("Rib broken.", "No effusion.", "No effusion. Heart is large.", REFERENCE)]
    assert values == sorted(values)
    assert values[-1] == 1


def test_references_of_any_shape() -> None:
    assert value(REFERENCE, f"<answer>Findings: {REFERENCE}</answer>") == 1
    with pytest.raises(ColumnError, match="`reference` of row 0"):
        value(REFERENCE, None)


def test_vectors_of_different_lengths_are_the_encoders_failure() -> None:
    system = sightline.load("sdr")
    from sightline.judges import ScriptedJudge

    scores = system.with_judge(ScriptedJudge(((1.0, 0.0), (1.0,)))).reward(Batch(["Aa bb."], {"reference": ["Cc dd."]}))
    assert scores.errors.all()


def test_marks_are_the_sentences() -> None:
    said = "<answer>- Heart is large.\n2. Rib broken.</answer>"
    scores = StatementSetFit(LexicalEmbedder())(Batch([said], {"reference": [REFERENCE]}))
    assert [said[int(m.place[0]) : int(m.place[1])] for m in scores.marks[0]] == ["Heart is large", "Rib broken"]
    assert [round(m.value, 6) for m in scores.marks[0]] == [0, -1]


@given(st.text(max_size=200))
def test_sentences_lie_in_the_text_and_do_not_overlap(text: str) -> None:
    for split in (Sentences(), Sentences(complete=True)):
        end = 0
        for span in split(text):
            assert text[span.start : span.end] == span.text
            assert span.start >= end
            end = span.end


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_hostile_reports_are_quick() -> None:
    floods = ("a. " * 300_000, "." * 1_000_000, "<a>" * 300_000, "findings:" * 100_000, "1. " * 300_000, "- " * 400_000)
    for text in (*TEXTS, *floods, "Dr. " * 100_000, "aa " * 300_000, "1.5" * 200_000):
        Sentences()(text)
        Sections()(text)


def test_the_lexical_encoder_is_a_plain_function_of_words() -> None:
    a, b, c, d = (v.value for v in LexicalEmbedder().embed([Question(t) for t in ("A cat", "cat", "cat cat", "")]))
    assert a == b
    assert np.array_equal(np.array(c), 2 * np.array(a))
    assert not any(d)
    assert LexicalEmbedder().embed([Question("", images=("x.png",))])[0].error
