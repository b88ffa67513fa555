"""Whether a reasoning stays with what was seen: every step judged against the listed perceptions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline.core.batch import Batch
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, failed
from sightline.judges.judge import Ability, Question, Verdict
from sightline.judges.lexical import LexicalJudge
from sightline.judges.prompts import prompt
from sightline.parse.steps import Steps
from sightline.parse.tags import Block, Span
from sightline.rewards.reward import JudgedReward, Reward


@dataclass(frozen=True)
class FaithfulSteps(JudgedReward):
    """The mean chance that a step of the reasoning is true to what was seen.

    value = (1 / n) sum_k p("yes" | what was seen, steps before k, step k)

    Args:
        judge: chooses one of `options`; a model with one number for a step fits as well, p = sigmoid of it.
        seen: text -> what was seen, as the policy listed it.
        reasoning: where the reasoning stands.
        steps: text -> steps.
        most: steps that are judged; the last of them holds all further ones.
        options: what the judge says of a faithful step, and of another one.
        template: the prompt, with places `seen`, `before` and `step`.

    Marks: each step with its chance. Range: [0, 1]. Low, without a call: no reasoning, or nothing listed as seen.
    NaN: the judge failed on a step.

    Example:
        >>> said = "<WATCHING>Point: A: (0, 0)</WATCHING><THINKING>Yes, A is at the origin.</THINKING>"
        >>> FaithfulSteps(LexicalJudge())(Batch([said, "yes"])).values.round(3)
        array([0.667, 0.   ])

    References:
        CogFlow, arXiv 2601.01874, knowledge-internalisation reward.
    """

    seen: Callable[[str], str | Missing] = Block("WATCHING")
    reasoning: Block = Block("THINKING")
    steps: Callable[[str], Sequence[Span]] = Steps()
    most: int = 64
    options: tuple[str, str] = ("yes", "no")
    template: str = prompt("faithful_step").text
    ability: ClassVar[Ability] = "choose"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        seen = "<WATCHING>Point: A: (0, 0)</WATCHING>"
        texts = (
            f"{seen}<THINKING>Step 1: yes\nStep 2: no</THINKING>",
            f"{seen}<THINKING>yes</THINKING>",
            f"{seen}<THINKING> </THINKING>",
            "<THINKING>yes</THINKING>",
            seen,
            "",
        )
        return cls(LexicalJudge()), [{"completion": text} for text in texts]

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        return [self._asked(text) for text in batch.texts]

    def _asked(self, text: str) -> tuple[Question, ...]:
        seen, found = self.seen(text), self._steps(text)
        if isinstance(seen, Missing) or not seen.strip() or isinstance(found, Missing):
            return ()
        begin = found[0].start
        fields = [(("seen", seen), ("before", text[begin : step.start]), ("step", step.text)) for step in found]
        return tuple(Question(self.template, one, ("seen", "before", "step"), options=self.options) for one in fields)

    def _steps(self, text: str) -> list[Span] | Missing:
        """The steps with their places in the whole text; Missing if there is none."""
        block = self.reasoning.span(text)
        if isinstance(block, Missing):
            return block
        found = [Span(s.text, s.start + block.start, s.end + block.start) for s in self.steps(block.text)]
        if len(found) > self.most:
            start, end = found[self.most - 1].start, found[-1].end
            found = [*found[: self.most - 1], Span(text[start:end], start, end)]
        return found or Missing("no steps")

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        return Scores.from_rows([self._one(text, said) for text, said in zip(batch.texts, verdicts, strict=True)])

    def _one(self, text: str, verdicts: tuple[Verdict[Any], ...]) -> Score:
        found = self._steps(text)
        if isinstance(found, Missing) or not verdicts:
            return Score(0.0, found.why if isinstance(found, Missing) else "nothing listed as seen")
        known = [verdict.value for verdict in verdicts if verdict.value is not None]
        if len(known) < len(found):
            error = next(verdict.error for verdict in verdicts if verdict.value is None)
            return failed(f"{len(found) - len(known)} of {len(found)} steps: {error}")
        chances = [min(1.0, max(0.0, float(shares[0]))) for shares in known]
        marks = tuple(Mark("char", (s.start, s.end), p, "") for s, p in zip(found, chances, strict=True))
        return Score(math.fsum(chances) / len(chances), "", marks)
