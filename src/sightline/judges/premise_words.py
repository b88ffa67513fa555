"""A judge without a model for premises and steps: do numbers clash with a description, do sums come out?

It compares words and numbers only: it sees no pictures, knows no units and no synonyms. For tests and for runs without
a model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose

from sightline.judges.judge import Question, Verdict
from sightline.judges.overlap import STOP_WORDS

_NUMBER = r"-?\d{1,15}(?:\.\d{1,15})?"
_TOKEN = re.compile(rf"(?<!\w){_NUMBER}(?!\w)|[^\W_]+")
_SUM = re.compile(rf"({_NUMBER})\s?([-+*/x×])\s?({_NUMBER})\s?=\s?({_NUMBER})")
_CLAUSE = re.compile(r"[.;\n](?!\d)")
_SHOWN = 100_000  # characters


@dataclass(frozen=True)
class PremiseWords:
    """Answers the auditor's question and that of the step judge.

    Auditor (fields `checklist` and `constraints`): a claim is a High error if some clause of the description has the
    same words but other numbers, and none has the same of both. Step judge (field `step`): 1, or -1 if the step
    contains `a + b = c` (or -, *, /) with a wrong c.

    Example:
        >>> def asked(**fields):
        ...     return PremiseWords().generate([Question("", tuple(fields.items()))])[0].value
        >>> asked(checklist="- AB is 7", constraints="AB is 8; BC is 7")[-15:]
        '"p_score": 0.5}'
        >>> asked(step="2 + 2 = 5"), asked(step="so it is")
        ('-1', '1')
    """

    @property
    def id(self) -> str:
        return "premise words"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """A report or a sign per question."""
        return [self._verdict(question) for question in questions]

    def _verdict(self, question: Question) -> Verdict[str]:
        claims, step = question.field("checklist"), question.field("step")
        if isinstance(claims, str):
            return Verdict(_report(claims[:_SHOWN], str(question.field("constraints", ""))[:_SHOWN]))
        if isinstance(step, str):
            return Verdict("1" if all(_comes_out(*found.groups()) for found in _SUM.finditer(step[:_SHOWN])) else "-1")
        names = [name for name, _ in question.fields]
        return Verdict(error=f"{self.id} reads the fields `checklist` or `step`; the question has {names}")


def _report(claims: str, description: str) -> str:
    facts: dict[frozenset[str], set[tuple[str, ...]]] = {}
    for words, numbers in _facts(description):
        facts.setdefault(words, set()).add(numbers)
    errors = [
        {"faulty_statement": " ".join(sorted(words)), "correction_or_reason": "another number", "severity": "High"}
        for words, numbers in _facts(claims)
        if words in facts and numbers not in facts[words]
    ]
    found = {"errors_and_hallucinations": errors, "omissions": [], "p_score": max(0.0, 1 - 0.5 * len(errors))}
    return json.dumps(found)


def _facts(text: str) -> Iterator[tuple[frozenset[str], tuple[str, ...]]]:
    for clause in _CLAUSE.split(text):
        tokens = _TOKEN.findall(clause.lower())
        numbers = tuple(token for token in tokens if token.lstrip("-")[0].isdigit())
        words = frozenset(tokens) - set(numbers) - STOP_WORDS
        if words and numbers:
            yield words, numbers


def _comes_out(a: str, sign: str, b: str, c: str) -> bool:
    x, y, said = float(a), float(b), float(c)
    if sign == "/":
        return y != 0 and isclose(x / y, said, abs_tol=1e-2)
    return isclose({"+": x + y, "-": x - y}.get(sign, x * y), said, rel_tol=1e-9, abs_tol=1e-9)
