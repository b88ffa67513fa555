"""A model of steps that knows the truth of the lab's worlds, and overrates filler, as learned ones do.

Steps are sightings joined by `then`, and behind the think block the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sightline.judges.judge import Question, Verdict
from sightline.lab.worlds.grounding import agrees, claims
from sightline.parse.tags import Span

_SEAM = re.compile(r"\bthen\b|</think>")
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)


def then_steps(text: str) -> list[Span]:
    """The pieces between `then`s, and what follows the think block.

    Example:
        >>> [step.text for step in then_steps("<think>red 3 then look</think> <answer>3</answer>")]
        ['red 3', 'look', '<answer>3</answer>']
    """
    found, start = [], 7 if text.startswith("<think>") else 0
    for seam in [*_SEAM.finditer(text), None]:
        end = len(text) if seam is None else seam.start()
        piece = text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        if piece.strip():
            found.append(Span(piece.strip(), left, left + len(piece.strip())))
        start = end if seam is None else seam.end()
    return found


def told(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose `problem` is what this oracle must know: the facts of the scene and the right answer."""
    facts = [f"{thing['colour']} {thing['name']} at {list(thing['box'])}" for thing in row["truth"]["objects"]]
    return {**row, "problem": " ".join([*facts, f"<answer>{row['answer']}</answer>"])}


@dataclass(frozen=True)
class StepOracle:
    """p(right) of a step: true sightings and right answers score high, false ones low, and filler nearly as the true.

    Args:
        good, bad, filler: what such a step scores.
        iou: least overlap of a box that is true.

    Reads: the question's fields `problem`, as `told` writes it, and `step`.

    Example:
        >>> def p(step):
        ...     fields = (("problem", "red 3 at [1, 2, 9, 12] <answer>3</answer>"), ("step", step))
        ...     return StepOracle().choose([Question("", fields)])[0].value[0]
        >>> p("red 3 at [1, 2, 9, 12]"), p("red 5 at [1, 2, 9, 12]"), p("look"), p("<answer>3</answer>")
        (0.95, 0.2, 0.85, 0.95)
    """

    good: float = 0.95
    bad: float = 0.2
    filler: float = 0.85
    iou: float = 0.5

    @property
    def id(self) -> str:
        return f"step oracle {self.good:g} {self.bad:g} {self.filler:g} {self.iou:g}"

    def choose(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """(right, wrong) per question."""
        return [Verdict((value, 1.0 - value)) for value in map(self._score, questions)]

    def _score(self, question: Question) -> float:
        problem, step = str(question.field("problem")), str(question.field("step"))
        answer = _ANSWER.search(step)
        if answer:
            return self.good if answer[1].strip() == _answer(problem) else self.bad
        said, facts = claims(step), claims(problem)
        if not said:
            return self.filler
        return self.good if all(any(agrees(c, f, self.iou) for f in facts) for c in said) else self.bad


def _answer(problem: str) -> str:
    found = _ANSWER.search(problem)
    return found[1].strip() if found else ""
