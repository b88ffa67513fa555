"""A verifier without a model, for tests and dry runs: it flags the sentences that hold one of some words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sightline.judges.judge import Question, Verdict


@dataclass(frozen=True)
class WordFlags:
    """Flags every piece between full stops that holds one of `words`, in any case.

    Args:
        words: what cannot be in any picture.

    Reads: the question's field `response`.

    Example:
        >>> WordFlags().generate([Question("", (("response", "A cup. A unicorn runs."),))])[0].value
        '<think>words</think><answer>["A unicorn runs"]</answer>'
        >>> WordFlags().generate([Question("", (("response", "A cup."),))])[0].value
        '<think>words</think><answer>The response is correct</answer>'
    """

    words: tuple[str, ...] = ("unicorn", "dragon")
    instant: ClassVar[bool] = True

    @property
    def id(self) -> str:
        return f"word flags:{','.join(self.words)}"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """The list of pieces, or that the response is correct."""
        return [self._verdict(question) for question in questions]

    def _verdict(self, question: Question) -> Verdict[str]:
        said = question.field("response")
        if not isinstance(said, str):
            return Verdict(error=f"{self.id} reads the field `response`")
        found = [piece.strip() for piece in said.split(".") if any(word in piece.lower() for word in self.words)]
        listed = json.dumps(found, ensure_ascii=False) if found else "The response is correct"
        return Verdict(f"<think>words</think><answer>{listed}</answer>")
