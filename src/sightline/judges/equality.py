"""A judge without a model: are two answers the same text? For tests and for runs without a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sightline.judges.judge import Question, Verdict


@dataclass(frozen=True)
class EqualityJudge:
    """Says "1" if the fields `answer` and `gold` are equal but for case and white space, else "0".

    Example:
        >>> EqualityJudge().generate([Question("", (("answer", " A  cat"), ("gold", "a cat")))])[0].value
        '1'
    """

    instant: ClassVar[bool] = True  # asks nobody, so any process can have one of its own

    @property
    def id(self) -> str:
        return "equality"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """ "1" or "0" per question."""
        return [self._verdict(question) for question in questions]

    def _verdict(self, question: Question) -> Verdict[str]:
        said, gold = question.field("answer"), question.field("gold")
        if said is None or gold is None:
            return Verdict(error=f"{self.id} reads the fields `answer` and `gold`; the question lacks one")
        return Verdict(str(int(_plain(str(said)) == _plain(str(gold)))))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
