"""A judge without a model: which heuristic does the reasoning use, by its words? For tests and runs without a model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.judges.judge import Question, Verdict
from sightline.parse.pathways import MostWords


@dataclass(frozen=True)
class PathwayWords:
    """Says `{"heuristic": name or null, "validity": 1.0 or 0.0}`: the list with most words; valid if there is one.

    Args:
        path: text -> name of a heuristic.

    Reads: the question's field `reasoning` (text).

    Example:
        >>> question = Question("", (("reasoning", "it is to the left of the mug"),))
        >>> PathwayWords().generate([question])[0].value
        '{"heuristic": "spatial", "validity": 1.0}'
    """

    path: MostWords = MostWords()

    @property
    def id(self) -> str:
        return f"pathway words: {', '.join(name for name, _ in self.path.lists)}"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """A JSON text per question."""
        return [self._verdict(question) for question in questions]

    def _verdict(self, question: Question) -> Verdict[str]:
        reasoning = question.field("reasoning")
        if not isinstance(reasoning, str):
            return Verdict(error="pathway words reads the field `reasoning`; the question lacks it")
        name = self.path(reasoning)
        named = None if isinstance(name, Missing) else name
        return Verdict(json.dumps({"heuristic": named, "validity": float(named is not None)}))
