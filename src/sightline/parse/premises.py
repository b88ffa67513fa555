"""A solution that says of every step which visual fact it relies on: steps, premises, and the final answer.

    {"reasoningprocess": [{"steptext": "...", "visualdependency": "..." or null}, ...], "finalanswer": "..."}

A premise is what the policy claims to see; whether it is there, others decide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sightline.core.missing import Missing
from sightline.parse.first_object import first_object

Nulls = Literal["strict", "official"]
_STEP_TEXT = re.compile(r'"steptext"\s*+:\s*+("(?:[^"\\]|\\.)*+")', re.DOTALL)
_DECODER = json.JSONDecoder(strict=False)
EMPTY = "(empty)"


class PremisedStep(NamedTuple):
    """One step of a solution.

    Args:
        text: what the step says.
        premise: the visual fact it relies on; None if it uses no image content.
        start, end: characters of the solution, quotes left out; both -1 where the place is not known.
    """

    text: str
    premise: str | None
    start: int = -1
    end: int = -1


class Solution(NamedTuple):
    """The steps of a solution and its final answer (None if it gives none)."""

    steps: tuple[PremisedStep, ...]
    answer: str | None

    @property
    def premises(self) -> tuple[str, ...]:
        """The premises in order, each once."""
        return tuple(dict.fromkeys(step.premise for step in self.steps if step.premise is not None))

    @property
    def visual(self) -> tuple[int, ...]:
        """Indices, from 0, of the steps with a premise; steps that share one are all in it."""
        return tuple(index for index, step in enumerate(self.steps) if step.premise is not None)


@dataclass(frozen=True, slots=True)
class PremisedSolution:
    """Reads a solution.

    Args:
        nulls: what counts as no premise beside null, blank texts and the word null: with `strict` the boolean false and
            the word none as well, with `official` these two are premises.

    Example:
        >>> text = '{"reasoningprocess": [{"steptext": "so 7", "visualdependency": " AB = 7 "}], "finalanswer": 7}'
        >>> found = PremisedSolution()(text)
        >>> found.steps[0].premise, found.visual, found.answer, text[found.steps[0].start : found.steps[0].end]
        ('AB = 7', (0,), '7', 'so 7')
        >>> PremisedSolution()("so it is 7").why
        'no object'
    """

    nulls: Nulls = "strict"

    def __call__(self, text: str) -> Solution | Missing:
        found = first_object(text)
        if isinstance(found, Missing):
            return found
        listed = found.get("reasoningprocess")
        if not isinstance(listed, list):
            return Missing("no list `reasoningprocess`")
        steps: list[PremisedStep] = []
        for number, item in enumerate(listed):
            said = item.get("steptext") if isinstance(item, dict) else None
            if said is None or not str(said).strip():
                return Missing(f"entry {number} of `reasoningprocess` has no `steptext`")
            steps.append(PremisedStep(str(said), premise(item.get("visualdependency"), self.nulls)))
        return Solution(_placed(text, steps), _answer(found.get("finalanswer")))


def premise(value: Any, nulls: Nulls = "strict") -> str | None:
    """A stated dependency as trimmed text; None where it states none.

    Example:
        >>> [premise(value) for value in (" a ", None, "", "NULL", False, "None", 7)]
        ['a', None, None, None, None, None, '7']
        >>> premise(False, "official"), premise("None", "official")
        ('False', 'None')
    """
    if value is None or (value is False and nulls == "strict"):
        return None
    text = str(value).strip()
    empty = ("", "null", "none") if nulls == "strict" else ("", "null")
    return None if text.lower() in empty else text


def checklist(premises: Sequence[str]) -> str:
    """The premises as a list, one a line; `(empty)` if there is none.

    Example:
        >>> print(checklist(["AB = 7", "ABC is a right angle"]))
        - AB = 7
        - ABC is a right angle
    """
    return "\n".join(f"- {one}" for one in premises) or EMPTY


@dataclass(frozen=True, slots=True)
class FinalAnswer:
    """The final answer of a solution, or Missing.

    Example:
        >>> FinalAnswer()('{"reasoningprocess": [], "finalanswer": "B"}')
        'B'
    """

    solution: PremisedSolution = PremisedSolution()

    def __call__(self, text: str) -> str | Missing:
        found = self.solution(text)
        if isinstance(found, Missing):
            return found
        return Missing("no `finalanswer`") if found.answer is None else found.answer


def _answer(value: Any) -> str | None:
    if value is None or isinstance(value, (dict, list, bool)):
        return None
    return str(value).strip() or None


def _placed(text: str, steps: list[PremisedStep]) -> tuple[PremisedStep, ...]:
    """Steps with their places, if the text names exactly these in this order."""
    places = [match.span(1) for match in _STEP_TEXT.finditer(text)]
    if len(places) != len(steps) or any(_quoted(text[a:b]) != s.text for (a, b), s in zip(places, steps, strict=True)):
        return tuple(steps)
    return tuple(step._replace(start=a + 1, end=b - 1) for (a, b), step in zip(places, steps, strict=True))


def _quoted(text: str) -> str | None:
    try:
        return str(_DECODER.decode(text))
    except ValueError:
        return None
