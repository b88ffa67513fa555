"""A verifier that knows the truth of the lab's worlds: it quotes the sightings of a reply that are false."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sightline.judges.judge import Question, Verdict
from sightline.lab.worlds.grounding import CLAIM, agrees, claims
from sightline.parse.flagged import CORRECT


@dataclass(frozen=True)
class SpanOracle:
    """Quotes every sighting that no object of the scene agrees with in colour, name and place.

    Args:
        iou: least overlap of a box that is true.

    Reads: the question's fields `problem`, as `step_oracle.told` writes it, and `response`.

    Example:
        >>> fields = (("problem", "red 3 at [1, 2, 9, 12]"), ("response", "<think>red 5 at [1, 2, 9, 12]</think>"))
        >>> SpanOracle().generate([Question("", fields)])[0].value
        '<think>compared</think><answer>["red 5 at [1, 2, 9, 12]"]</answer>'
    """

    iou: float = 0.5

    @property
    def id(self) -> str:
        return f"span oracle {self.iou:g}"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """The list of quoted pieces, or that the response is correct."""
        return [self._verdict(question) for question in questions]

    def _verdict(self, question: Question) -> Verdict[str]:
        false = self.false(str(question.field("problem")), str(question.field("response")))
        return Verdict(f"<think>compared</think><answer>{json.dumps(false) if false else CORRECT}</answer>")

    def false(self, problem: str, response: str) -> list[str]:
        """The false sightings of a response, to the letter."""
        facts = claims(problem)
        said = [(found[0], claims(found[0])) for found in CLAIM.finditer(response)]
        return [text for text, own in said if not any(agrees(claim, f, self.iou) for claim in own for f in facts)]
