"""The evidence reward: when it asks, and what it makes of the reply."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.evidence import CitesEvidence
from tests.rewards.replying import ASKED, Says


def batch(*texts: str, evidence: object = ("a red ball",)) -> Batch:
    return Batch(list(texts), {"question": ["What?"] * len(texts), "evidence": [evidence] * len(texts)})


def test_asks_only_where_there_is_reasoning_and_evidence() -> None:
    scores = CitesEvidence(Says("1"))(batch("<think>a ball</think>", "a ball", "<think> </think>", "<think>a ball"))
    assert scores.values.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert len(ASKED) == 1
    assert scores.why[1:] == ["no closed <think> block", "the think block is empty", "no closed <think> block"]


@pytest.mark.parametrize("evidence", [None, [], ["", "  "], np.array([])])
def test_no_evidence_costs_no_call(evidence: object) -> None:
    scores = CitesEvidence(Says("1"))(batch("<think>a ball</think>", evidence=evidence))
    assert scores.values.tolist() == [0.0]
    assert scores.why == ["no evidence is listed"]
    assert ASKED == []


def test_the_judge_sees_question_evidence_and_fenced_reasoning_but_no_answer() -> None:
    evidence = np.array(["a red ball", "", "a basket"])
    CitesEvidence(Says("1"))(batch("<think>I see</think><answer>secret</answer>", evidence=evidence))
    (question,) = ASKED
    assert question.field("question") == "What?"
    assert question.field("evidence") == ("a red ball", "a basket")
    assert question.field("reasoning") == "I see"
    assert question.fenced == ("reasoning",)
    assert "secret" not in repr(question)


def test_equal_reasoning_is_judged_once() -> None:
    CitesEvidence(Says("1"))(batch(*["<think>a ball</think>"] * 3))
    assert len(ASKED) == 1


def test_a_failed_or_unreadable_reply_is_nan_with_the_reason() -> None:
    for reply, why in ((None, "error: refused"), ("perhaps", "error: unreadable verdict: no 0, 1, yes or")):
        scores = CitesEvidence(Says(reply))(batch("<think>a ball</think>"))
        assert np.isnan(scores.values[0])
        assert scores.why[0].startswith(why)


def test_filled_where_the_judge_failed_but_not_behind_a_closed_gate() -> None:
    from sightline.rewards.format import Format

    gated = CitesEvidence(Says(None)).fill(0.0).named("evidence").when(Format())
    scores = gated(batch("<think>a</think><answer>b</answer>", "<think>a</think>"))
    assert scores.values.tolist() == [0.0, 0.0]
    assert scores.parts["evidence"].values[0] == 0.0
    assert np.isnan(scores.parts["evidence"].values[1])


def test_the_mark_lies_on_the_reasoning() -> None:
    ((mark,),) = CitesEvidence(Says("0"))(batch("<think> a ball </think>")).marks
    assert (mark.place, mark.value, mark.why) == ((8, 14), 0.0, "does not cite the evidence")


@pytest.mark.parametrize("evidence", ["a red ball", 7])
def test_evidence_must_be_a_list(evidence: object) -> None:
    with pytest.raises(ColumnError, match=r"CitesEvidence: column `evidence` of row 0 is .*; it needs a list"):
        CitesEvidence(Says("1"))(batch("<think>a</think>", evidence=evidence))
