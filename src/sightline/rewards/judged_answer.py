"""Whether the answer is right, as a judge decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, failed
from sightline.judges.equality import EqualityJudge
from sightline.judges.judge import Question, Verdict
from sightline.judges.prompts import prompt
from sightline.judges.verdicts import zero_or_one
from sightline.parse.tags import Block
from sightline.rewards.gold import texts
from sightline.rewards.reward import JudgedReward, Reward


@dataclass(frozen=True)
class JudgedAnswer(JudgedReward):
    """Whether a judge finds the answer equivalent to the gold answer.

    value = 1 if the judge answers 1, else 0

    Args:
        judge: sees the question, the gold answer and the answer, not the pictures.
        block: where the answer stands.
        column: the gold answer.
        equal_if_down: where the judge fails, 1 for equal texts and 0 otherwise, as released code does; else NaN.

    Reads: `column`; `problem` (the question) if it is there. Range: 0 or 1. NaN: the judge failed.

    Example:
        >>> JudgedAnswer(EqualityJudge())(Batch(["<answer>Cat</answer>"], {"solution": ["cat"]})).values
        array([1.])
    """

    block: Block = Block("answer", which="last", otherwise="text")
    column: str = "solution"
    equal_if_down: bool = False
    template: str = prompt("answer_judge").text
    may_read: ClassVar = ("problem",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("<answer>Cat</answer>", "<answer>dog</answer>", "cat", "<answer></answer>")
        return cls(EqualityJudge()), [{"completion": text, "solution": "cat", "problem": "Which?"} for text in said]

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        right = texts(batch, self.column, type(self).__name__)
        problems = batch.column("problem") if batch.has("problem") else [""] * len(batch)
        return [
            () if isinstance(said, Missing) or not said else (self._question(str(problem or ""), said, gold),)
            for said, gold, problem in zip(batch.parse(self.block), right, problems, strict=True)
        ]

    def _question(self, problem: str, said: str, gold: str) -> Question:
        fields = (("question", problem), ("gold", gold), ("answer", said))
        return Question(self.template, fields, fenced=("answer",))

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        right = texts(batch, self.column, type(self).__name__)
        rows = zip(batch.parse(self.block), right, verdicts, strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(self, said: str | Missing, gold: str, verdicts: tuple[Verdict[Any], ...]) -> Score:
        if not verdicts:
            return Score(0.0, said.why if isinstance(said, Missing) else "the answer is empty")
        verdict = verdicts[0]
        found = Missing(verdict.error) if verdict.value is None else zero_or_one(verdict.value)
        if not isinstance(found, Missing):
            return Score(float(found), "" if found else "the judge finds it different")
        if self.equal_if_down:
            return Score(float(said == gold), f"judge failed ({found.why}): compared as text")
        return failed(found.why)
