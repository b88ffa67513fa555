"""Judges that know the truth of the lab's worlds, with errors on purpose where a study wants them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sightline.judges.judge import Question, Verdict
from sightline.lab.worlds.grounding import Claim, agrees, claims


@dataclass(frozen=True)
class TruthOracle:
    """Says "1" if the reasoning uses a listed observation and contradicts none, else "0".

    A claim uses an observation if colour, name, frame and box (IoU >= `iou`) agree; it contradicts one if it gives the
    object of that colour (and frame) another name.

    Args:
        error: share of verdicts that are turned round; which ones depends on the seed and the question alone.
        seed: of the errors.
        iou: least overlap of a box that agrees.

    Reads: the question's fields `evidence` (list of texts) and `reasoning` (text).

    Example:
        >>> def says(reasoning):
        ...     fields = (("evidence", ["the red object is a 3 at [1, 2, 9, 12]"]), ("reasoning", reasoning))
        ...     return TruthOracle().generate([Question("", fields)])[0].value
        >>> says("red 3 at [1, 2, 9, 11]"), says("red 5 at [1, 2, 9, 11]"), says("red usually 3")
        ('1', '0', '0')
    """

    error: float = 0.0
    seed: int = 0
    iou: float = 0.5

    @property
    def id(self) -> str:
        return f"truth oracle, error {self.error:g}, seed {self.seed}, iou {self.iou:g}"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """ "1" or "0" per question."""
        return [Verdict(str(int(self._agrees(question) != self._errs(question)))) for question in questions]

    def _agrees(self, question: Question) -> bool:
        said = claims(str(question.field("reasoning", "")))
        facts = [fact for item in question.field("evidence", ()) for fact in claims(str(item))]
        used = any(agrees(claim, fact, self.iou) for claim in said for fact in facts)
        return used and not any(_contradicts(claim, fact) for claim in said for fact in facts)

    def _errs(self, question: Question) -> bool:
        if not self.error:
            return False
        key = f"{self.seed}|{question.field('evidence')}|{question.field('reasoning')}"
        draw = int.from_bytes(hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        return draw / 2**64 < self.error


@dataclass(frozen=True)
class FormJudge:
    """Says "1" if the reasoning has the form of evidence, a name and a box, whether true or not: the control judge."""

    @property
    def id(self) -> str:
        return "form of evidence"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """ "1" or "0" per question."""
        return [Verdict(str(int(bool(claims(str(question.field("reasoning", ""))))))) for question in questions]


def _contradicts(claim: Claim, fact: Claim) -> bool:
    return (claim.colour, claim.frame) == (fact.colour, fact.frame) and claim.name != fact.name
