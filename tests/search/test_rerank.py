"""A reranker always gives a whole order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from sightline.core.errors import JudgeError
from sightline.judges.judge import Question, Verdict
from sightline.search.rerank import Reranker


@dataclass
class Scripted:
    reply: str | None
    asked: list[Question] = field(default_factory=list)
    id: str = "scripted"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        self.asked += questions
        return [Verdict(self.reply) if self.reply is not None else Verdict(error="out of memory") for _ in questions]


PAGES = [f"{i}.png" for i in range(12)]


def test_only_the_first_pages_are_shown_and_moved() -> None:
    judge = Scripted("<think>x</think><answer>[10, 11, 10, 1]</answer>")
    assert Reranker(judge)("q", PAGES) == [9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11]
    assert judge.asked[0].images == tuple(PAGES[:10])
    assert "ids 1 to 10" in judge.asked[0].text()


def test_released_repair_keeps_repeats() -> None:
    assert Reranker(Scripted("<answer>[2, 2]</answer>"), repeats="keep")("q", PAGES[:3]) == [1, 1, 0, 2]


@pytest.mark.parametrize("reply", ["", "page 2", "<answer>[2</answer>"])
def test_unreadable_replies_keep_the_order(reply: str) -> None:
    assert Reranker(Scripted(reply))("q", PAGES[:3]) == [0, 1, 2]


def test_a_failed_judge_says_why() -> None:
    with pytest.raises(JudgeError, match="out of memory"):
        Reranker(Scripted(None))("q", PAGES)
    assert Reranker(Scripted(None))("q", []) == []
