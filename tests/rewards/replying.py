"""A judge that always says the same, and what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sightline.judges import Question, Verdict

ASKED: list[Question] = []  # emptied before every test of this room


@dataclass(frozen=True)
class Says:
    """One reply to everything; None is a failure."""

    reply: str | None

    @property
    def id(self) -> str:
        return f"says {self.reply}"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        ASKED.extend(questions)
        return [Verdict(error="refused") if self.reply is None else Verdict(self.reply) for _ in questions]
