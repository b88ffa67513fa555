"""Three scripted roles: every outcome, and the trace of an accepted one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from sightline.curate.self_play import FOLLOWING, OPENING, SelfPlay, accepts, read_turn
from sightline.judges.judge import Question, Verdict

ASKS = "<thinking>Coarse first.</thinking><question>What is in the harbour?</question>"
ENDS = "<thinking>Two.</thinking>\n[Final Answer]: 2"
ROW = {"question": "How many ships?", "answer": "2", "image": "picture"}


@dataclass
class Says:
    """A judge that says one reply after the other; None is a failure, the last one goes on for ever."""

    replies: list[str | None]
    asked: list[Question] = field(default_factory=list)
    id: str = "says"

    def generate(self, questions: list[Question]) -> list[Verdict[str]]:
        self.asked += questions
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return [Verdict(error="down") if reply is None else Verdict(reply)]


def play(reasoner: list[Any], perceiver: list[Any] = ["Two ships."], verifier: list[Any] = ["ACCEPT"]) -> Any:  # noqa: B006
    roles = Says(list(reasoner)), Says(list(perceiver)), Says(list(verifier))
    return SelfPlay(*roles)(ROW), *roles


def test_an_accepted_trace_is_one_monologue() -> None:
    trace, reasoner, perceiver, verifier = play([ASKS, ASKS.replace("Coarse", "Closer"), ENDS])
    assert trace.accepted
    assert trace.text == (
        f"<think>{OPENING}\nCoarse first.\nWhat is in the harbour?\nTwo ships.\n{FOLLOWING}Closer first.\n"
        f"What is in the harbour?\nTwo ships.\n{FOLLOWING}Two.</think>\n2"
    )
    assert trace.row()["rounds"] == 2
    assert trace.row()["images"] == ["picture"]
    assert [q.images for q in reasoner.asked] == [(), (), ()], "the reasoner sees nothing"
    assert all(q.images == ("picture",) for q in perceiver.asked)
    assert all("How many ships" not in q.text() for q in perceiver.asked), "the perceiver does not know the task"
    assert "Two ships." in reasoner.asked[1].text()
    assert "2" in verifier.asked[0].text()


@pytest.mark.parametrize(
    ("reasoner", "perceiver", "verifier", "outcome"),
    [
        ([ENDS], ["x"], ["REJECT: three"], "rejected"),
        ([ENDS], ["x"], ["I ACCEPT"], "rejected"),
        ([ENDS], ["x"], [None], "verifier_api_error"),
        (["[Final Answer]: 2"], ["x"], ["ACCEPT"], "reasoner_missing_thinking"),
        (["<thinking>t</thinking>well"], ["x"], ["ACCEPT"], "output_format_error"),
        ([ASKS + "[Final Answer]: 2"], ["x"], ["ACCEPT"], "output_format_error"),
        (["<thinking>t</thinking>[Final Answer]:  "], ["x"], ["ACCEPT"], "output_format_error"),
        ([None], ["x"], ["ACCEPT"], "reasoner_api_error"),
        ([ASKS], [None], ["ACCEPT"], "perception_api_error"),
        ([ASKS], ["x"], ["ACCEPT"], "max_rounds_exceeded"),
    ],
)
def test_outcomes(reasoner: list[Any], perceiver: list[Any], verifier: list[Any], outcome: str) -> None:
    trace, *_ = play(reasoner, perceiver, verifier)
    assert trace.outcome == outcome
    assert not trace.accepted
    if outcome == "max_rounds_exceeded":
        assert len(trace.rounds) == 6


def test_a_question_inside_the_thoughts_is_not_asked() -> None:
    assert read_turn("<thinking><question>a</question></thinking>[Final Answer]: 2").final == "2"


def test_a_final_answer_may_begin_on_the_next_line() -> None:
    assert read_turn("<thinking>t</thinking>[Final Answer]:\ntwo ships,\nmoored\n").final == "two ships,\nmoored"


def test_what_counts_as_acceptance() -> None:
    assert [accepts(text) for text in ("ACCEPT", "ACCEPT.", "accept", "ACCEPT: yes", "")] == [True, True] + [False] * 3
