"""A judge without a model for claims in captions: the clauses of two texts, compared word by word.

It takes the reference for the truth; it sees no pictures. For tests and for runs without a model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sightline.judges.judge import Question, Verdict
from sightline.judges.overlap import STOP_WORDS, words

_CLAUSE = re.compile(r"[.;,\n]")
_MOST, _SHOWN = 64, 20_000  # clauses, characters


@dataclass(frozen=True)
class ClaimWords:
    """Answers four kinds of question by their field `asks`.

    differences: a clause of `caption` whose words are no clause of `reference` is a hallucination, the other way round
    an omission. verification: the same in the other form. rating: the share of equal clauses, of 10. coverage: a listed
    difference is valid, and covered if it stands in the known list.

    Example:
        >>> fields = (("asks", "rating"), ("caption", "a red car. a tree"), ("reference", "a red car"))
        >>> ClaimWords().generate([Question("", fields)])[0].value
        'SCORE: 5'
    """

    @property
    def id(self) -> str:
        return "claim words"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """A list of differences, a score or an object per question."""
        return [self._verdict(question) for question in questions]

    def _verdict(self, question: Question) -> Verdict[str]:
        asks = question.field("asks")
        if asks == "coverage":
            listed, known = question.field("listed", ()), set(question.field("known", ()))
            marks = [
                {"gt_covered": item in known and item not in listed[:i], "pred_valid": True}
                for i, item in enumerate(listed)
            ]
            return Verdict(json.dumps({"differences": marks}))
        a, b = _clauses(question.field("caption", "")), _clauses(question.field("reference", ""))
        made_up, left_out = [own for own in a if own not in b], [own for own in b if own not in a]
        if asks == "rating":
            shared = len(a) - len(made_up)
            return Verdict(f"SCORE: {round(10 * shared / max(len(a) + len(left_out), 1))}")
        if asks not in ("differences", "verification"):
            return Verdict(error=f"{self.id} reads the field `asks`; it is {asks!r}")
        found = [(a[own], "", "hallucination") for own in made_up] + [("", b[own], "omission") for own in left_out]
        written = _listed(found) if asks == "differences" else _verified(found)
        return Verdict(written if found else "[NO_DIFFERENCE]")


def _clauses(text: str) -> dict[frozenset[str], str]:
    pieces = [piece.strip() for piece in _CLAUSE.split(str(text)[:_SHOWN])]
    found = {words(piece) - STOP_WORDS: piece for piece in pieces[:_MOST]}
    return {content: piece for content, piece in found.items() if content}


def _listed(found: Sequence[tuple[str, str, str]]) -> str:
    blocks = [
        f"[DIFFERENCE {n}]\nASPECT: words\nCAPTION_A_CLAIM: {a}\nCAPTION_B_CLAIM: {b}\nJUDGMENT: B\n"
        f"CAPTION_A_ERROR:\nERROR_TYPE: {kind}\nERROR_DETAIL: \nCAPTION_B_ERROR:\nERROR_TYPE: NONE\n"
        for n, (a, b, kind) in enumerate(found, 1)
    ]
    return "\n".join([*blocks, "[OVERALL_WINNER]", "B"])


def _verified(found: Sequence[tuple[str, str, str]]) -> str:
    kinds = {"hallucination": ("extra_info", "false"), "omission": ("missing_fact", "missing")}
    return "\n".join(
        f"[DIFFERENCE {n}]\nTYPE: {kinds[kind][0]}\nCONTENT: {a or b}\nVERIFICATION: {kinds[kind][1]}"
        for n, (a, b, kind) in enumerate(found, 1)
    )
