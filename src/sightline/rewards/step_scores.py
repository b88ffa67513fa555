"""How good every step of a solution is, as a process reward model finds: one question for every beginning of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline.core.batch import Batch
from sightline.core.errors import ConfigError
from sightline.core.marks import Mark
from sightline.core.scores import ERROR, Score, Scores, failed
from sightline.judges.judge import Ability, Question, Verdict
from sightline.judges.lexical import LexicalJudge
from sightline.judges.prompts import prompt
from sightline.metrics.step_shaping import StepShaping
from sightline.parse.steps import Steps
from sightline.parse.tags import Span
from sightline.rewards.pictures import pictures_if_any
from sightline.rewards.reward import JudgedReward, Range, Reward

Divide = Callable[[str], Sequence[Span]]


def whole(text: str) -> list[Span]:
    """The whole text as its only step, for a model of outcomes; none for a blank text.

    Example:
        >>> whole("a\\nb"), whole(" ")
        ([Span(text='a\\nb', start=0, end=3)], [])
    """
    return [Span(text, 0, len(text))] if text.strip() else []


@dataclass(frozen=True)
class StepScores(JudgedReward):
    """What the steps of a solution earn together, every step judged with those before it.

    r_k   = p("right" | problem, steps before k, step k)
    value = sum_k shaping(r)_k

    A step whose verdict failed takes the score of the step before it; a rollout of which all failed is NaN.

    Args:
        judge: chooses one of `options`; a token classifier or a model with a head for steps fits as well.
        shaping: what becomes of the scores before they are summed.
        steps: text -> the steps. It is part of the reward: a policy may try to write all in one step.
        most: so many steps are judged at most; those beyond are one step with the last of these.
        options: what the judge says of a good step, and of a bad one.
        template: the prompt, with places `problem`, `before` and `step`.
        column: the problem.

    Marks: each step with what it earned; one without a score has a reason that begins with `error:`.

    Reads: `column`; `images` if they are there. Range: between -most and most, narrower by the shaping.
    Low, without a call: 0 for a text without steps.

    Raises:
        ConfigError: the threshold of the shaping follows from a batch; that belongs into the credit rule.

    Example:
        >>> batch = Batch(["Step 1: add.\\nright"], {"problem": ["What is 1 + 1?"]})
        >>> StepScores(LexicalJudge())(batch).values.round(4)
        array([1.1667])

    References:
        Gao et al., On designing effective RL reward at training time for LLM reasoning, arXiv 2410.15115.
    """

    shaping: StepShaping = StepShaping()
    steps: Divide = Steps()
    most: int = 256
    options: tuple[str, str] = ("right", "wrong")
    template: str = prompt("step_judge").text
    column: str = "problem"
    ability: ClassVar[Ability] = "choose"
    may_read: ClassVar[tuple[str, ...]] = ("images",)

    def __post_init__(self) -> None:
        if not isinstance(self.shaping.clip, (int, float, type(None))):
            raise ConfigError(f"{type(self).__name__}: {self.shaping.clip} needs a batch; give a number as threshold")
        if self.most < 1:
            raise ConfigError(f"{type(self).__name__}: at most {self.most} steps; it must be at least 1")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        texts = ("Step 1: that is right\nStep 2: wrong", "one line", "", "\n \n")
        return cls(LexicalJudge()), [{"completion": text, "problem": "What is 2 + 2?"} for text in texts]

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def bounds(self) -> Range:
        return -float(self.most), float(self.most)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        images = pictures_if_any(batch)
        rows = zip(batch.texts, batch.column(self.column), images, strict=True)
        return [tuple(self._question(str(p), text, s, i) for s in self._steps(text)) for text, p, i in rows]

    def _question(self, problem: str, text: str, step: Span, images: tuple[Any, ...]) -> Question:
        fields = (("problem", problem), ("before", text[: step.start]), ("step", step.text))
        return Question(self.template, fields, ("before", "step"), images, self.options)

    def _steps(self, text: str) -> list[Span]:
        found = list(self.steps(text))
        if len(found) <= self.most:
            return found
        start, end = found[self.most - 1].start, found[-1].end
        return [*found[: self.most - 1], Span(text[start:end], start, end)]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = zip(batch.texts, verdicts, strict=True)
        return Scores.from_rows([self._one(self._steps(text), said) for text, said in rows])

    def _one(self, steps: Sequence[Span], verdicts: Sequence[Verdict[Any]]) -> Score:
        if not steps:
            return Score(0.0, "no steps")
        scores = [None if verdict.value is None else float(verdict.value[0]) for verdict in verdicts]
        errors = [verdict.error for verdict in verdicts if verdict.value is None]
        earned = self.shaping(scores)
        marks = tuple(map(_mark, steps, earned.tolist(), verdicts))
        if len(errors) == len(steps):
            return failed(f"no step could be judged: {errors[0]}")._replace(marks=marks)
        why = f"{len(steps)} steps" + (f", {len(errors)} not judged: {errors[0]:.80}" if errors else "")
        return Score(math.fsum(earned), why, marks)


def _mark(step: Span, earned: float, verdict: Verdict[Any]) -> Mark:
    """A step with what it earned; without a verdict the reason says so, since a mark's value is a number."""
    why = f"{ERROR}{verdict.error}" if verdict.value is None else f"scored {float(verdict.value[0]):.3g}"
    return Mark("char", (step.start, step.end), earned, why)
