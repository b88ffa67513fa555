"""Solutions that state their visual premises: is every step right, and do the premises hold?

Two judged leaves; `premise_gate` brings them together. Neither needs the picture described more than once: the
description is a column, made by `sightline.curate.constraints`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, ConfigError
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, abstain, failed
from sightline.judges.judge import Question, Sampling, Verdict
from sightline.judges.premise_words import PremiseWords
from sightline.judges.prompts import prompt
from sightline.metrics.step_aggregates import Aggregate, mean_correctness
from sightline.parse.constraints import as_constraints
from sightline.parse.premise_audit import Audit, audit, counted
from sightline.parse.premises import PremisedSolution, PremisedStep, Solution, checklist
from sightline.parse.signs import Sign, exact_sign
from sightline.rewards.gold import GoldReward
from sightline.rewards.pictures import pictures_if_any
from sightline.rewards.reward import JudgedReward, Range, Reward

CONSTRAINTS = "constraints"
UNKNOWN = "no description of the picture"
_MOST_PREMISES = 256


@dataclass(frozen=True)
class PremiseReliability(GoldReward, JudgedReward):
    """How far the visual premises of a solution agree with an independent description of the picture.

    p = max(0, 1 - 0.5 #High - 0.2 #Low) over the contradictions that an auditor lists; omissions never count

    Args:
        judge: the auditor; sees the description and the premises, not the picture.
        solution: text -> steps with premises.
        value: the number to take from a report: `counted`, or `stated`, the auditor's own.
        failed: what an audit is worth that gives no report, as an answer that cannot be read or as an error: 0, since a
            checklist can be worded to break the auditor. None: such an error is NaN.
        otherwise: what stands in for a description that is missing; None: not applicable.
        column: the description: a text, an object with `image_description` or with `caption`, `key_facts` and
            `uncertain`, or None where there is none.

    Reads: `column`. Range: [0, 1]. 1 without a call if the solution states no premise. Low: 0 for a text that is no
    solution, and for a failed audit. Not applicable: there is no description.

    Example:
        >>> text = '{"reasoningprocess": [{"steptext": "so 8", "visualdependency": "AB is 8"}], "finalanswer": "8"}'
        >>> PremiseReliability(PremiseWords())(Batch([text], {"constraints": ["AB is 7"]})).values
        array([0.5])

    References:
        Explicit visual premise verification, arXiv 2603.16253.
    """

    solution: PremisedSolution = PremisedSolution()
    value: Callable[[Audit], float] = counted
    failed: float | None = 0.0
    otherwise: str | None = None
    column: str = CONSTRAINTS
    template: str = prompt("premise_audit").text
    sampling: Sampling = Sampling(temperature=0.1, max_tokens=2048, seed=0)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = [(f"AB is {n}" if n else None) for n in (7, 8, 0)]
        texts = [*(_solution(("so 1 + 1 = 2", one)) for one in said), "no solution", ""]
        facts = ["AB is 7", {"caption": "A line.", "key_facts": ["AB is 7"]}, None]
        return cls(PremiseWords()), [{"completion": t, "constraints": f} for t in texts for f in facts]

    def right(self, batch: Batch) -> list[str | None]:
        return descriptions(batch, self.column, type(self).__name__)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        return [self._asked(*row) for row in self._rows(batch)]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = zip(self._rows(batch), verdicts, strict=True)
        return Scores.from_rows([self._one(solution, shown, said) for (solution, shown), said in rows])

    def _rows(self, batch: Batch) -> list[tuple[Solution | Missing, str | None]]:
        shown = self.right(batch)
        return [
            (solution, self.otherwise if text is None else text)
            for solution, text in zip(batch.parse(self.solution), shown, strict=True)
        ]

    def _asked(self, solution: Solution | Missing, shown: str | None) -> tuple[Question, ...]:
        if isinstance(solution, Missing) or shown is None or not 0 < len(solution.premises) <= _MOST_PREMISES:
            return ()
        fields = (("constraints", shown), ("checklist", checklist(solution.premises)))
        return (Question(self.template, fields, fenced=("checklist",), sampling=self.sampling),)

    def _one(self, solution: Solution | Missing, shown: str | None, verdicts: Sequence[Verdict[Any]]) -> Score:
        if isinstance(solution, Missing):
            return Score(0.0, solution.why)
        if not solution.premises:
            return Score(1.0, "no visual premise")
        if shown is None:
            return abstain(UNKNOWN)
        if not verdicts:
            return Score(0.0, f"{len(solution.premises)} premises; at most {_MOST_PREMISES} are audited")
        if verdicts[0].value is None:
            why = f"the audit failed: {verdicts[0].error}"
            return failed(why) if self.failed is None else Score(self.failed, why)
        report = audit(verdicts[0].value)
        if isinstance(report, Missing):
            why = f"no report, {report.why}, in {verdicts[0].value!r:.80}"
            return failed(why) if self.failed is None else Score(self.failed, why)
        told = "" if report.counted is None else f", counted {report.counted:g}"
        return Score(self.value(report), f"{report.high} high, {report.low} low{told}, stated {report.stated:g}")


@dataclass(frozen=True)
class PremisedSteps(JudgedReward):
    """How good the steps of a solution are, each judged 1 or -1 with the question, a description and those before it.

    value = aggregate(verdicts)

    Args:
        judge: sees the picture, the question, the description, the `before` latest steps and the step.
        solution: text -> steps with premises.
        verdict: reply -> 1 or -1; what cannot be read is -1 with a flag in the reason.
        aggregate: (n,) verdicts -> value in [0, 1].
        failed: what a step counts whose verdict failed; None: the rollout is NaN.
        before: so many earlier steps are shown.
        most: steps beyond these are -1 without a call.
        column: the description; see `PremiseReliability`. Where it is missing, the judge is told so.

    Marks: every step with its verdict, in order.

    Reads: `question`, `column`; `images` if they are there. Range: [0, 1]. Low: 0 for a text that is no solution, or
    one without steps. NaN: the judge failed on a step.

    Example:
        >>> text = '{"reasoningprocess": [{"steptext": "1 + 1 = 2", "visualdependency": null}], "finalanswer": "2"}'
        >>> PremisedSteps(PremiseWords())(Batch([text], {"question": ["1 + 1?"], "constraints": [None]})).values
        array([1.])

    References:
        Explicit visual premise verification, arXiv 2603.16253.
    """

    solution: PremisedSolution = PremisedSolution()
    verdict: Callable[[str], Sign] = exact_sign
    aggregate: Aggregate = mean_correctness
    failed: int | None = None
    before: int = 12
    most: int = 128
    column: str = CONSTRAINTS
    template: str = prompt("premise_step").text
    sampling: Sampling = Sampling(max_tokens=8)
    reads: ClassVar[tuple[str, ...]] = ("question",)
    may_read: ClassVar[tuple[str, ...]] = ("images",)

    def __post_init__(self) -> None:
        if self.before < 0 or self.most < 1:
            raise ConfigError(f"PremisedSteps: before={self.before}, most={self.most}; they need to be >= 0 and >= 1")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        texts = [
            _solution(("AB is 7", "AB is 7"), ("7 + 7 = 14", None), ("so it is", None)),
            _solution(("7 + 7 = 15", None)),
            _solution(),
            "no solution",
        ]
        rows = [{"completion": t, "question": "2 AB?", "constraints": f} for t in texts for f in ("AB is 7", None)]
        return cls(PremiseWords()), rows

    def needs(self) -> tuple[str, ...]:
        return (*self.reads, self.column)

    def bounds(self) -> Range:
        return 0.0, 1.0

    def check(self, batch: Batch) -> None:
        super().check(batch)
        descriptions(batch, self.column, type(self).__name__)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        images = pictures_if_any(batch)
        shown = descriptions(batch, self.column, type(self).__name__)
        rows = zip(batch.parse(self.solution), batch.column("question"), shown, images, strict=True)
        return [self._asked(solution, str(q), text or UNKNOWN, i) for solution, q, text, i in rows]

    def _asked(
        self, solution: Solution | Missing, question: str, shown: str, images: tuple[Any, ...]
    ) -> tuple[Question, ...]:
        if isinstance(solution, Missing):
            return ()
        texts = [step.text for step in solution.steps]
        asked = []
        for index, text in enumerate(texts[: self.most]):
            earlier = json.dumps(texts[max(0, index - self.before) : index], ensure_ascii=False)
            fields = (("question", question), ("constraints", shown), ("before", earlier), ("step", text))
            asked.append(Question(self.template, fields, ("before", "step"), images, sampling=self.sampling))
        return tuple(asked)

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = zip(batch.parse(self.solution), batch.texts, verdicts, strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(self, solution: Solution | Missing, text: str, verdicts: tuple[Verdict[Any], ...]) -> Score:
        if isinstance(solution, Missing):
            return Score(0.0, solution.why)
        if not solution.steps:
            return Score(0.0, "no steps")
        down = next((verdict.error for verdict in verdicts if verdict.value is None), None)
        if down is not None and self.failed is None:
            return failed(down)
        signs = [self._sign(verdict) for verdict in verdicts]
        signs += [Sign(-1)] * (len(solution.steps) - len(signs))
        marks = tuple(
            step_mark(step, index, text, float(sign.value), "unparsed" if sign.unparsed else "")
            for index, (step, sign) in enumerate(zip(solution.steps, signs, strict=True))
        )
        unread = sum(sign.unparsed for sign in signs)
        told = f"{sum(sign.value == 1 for sign in signs)} of {len(signs)} steps right"
        why = f"{told}, {unread} unparsed" if unread else told
        return Score(self.aggregate([sign.value for sign in signs]), why, marks)

    def _sign(self, verdict: Verdict[Any]) -> Sign:
        if verdict.value is None:
            return Sign(-1 if self.failed is None else self.failed, True)
        return self.verdict(verdict.value)


def step_mark(step: PremisedStep, index: int, text: str, value: float, why: str = "") -> Mark:
    """A mark on a step: its characters, or its number where they are not known."""
    if 0 <= step.start < step.end <= len(text):
        return Mark("char", (step.start, step.end), value, why)
    return Mark("step", (index, index + 1), value, why)


def descriptions(batch: Batch, column: str, who: str) -> list[str | None]:
    """The descriptions of the pictures as texts; None where there is none.

    Raises:
        ColumnError: a value is no description.
    """
    found: list[str | None] = []
    for row, value in enumerate(batch.column(column, who)):
        read = None if value is None else as_constraints(value)
        if isinstance(read, Missing):
            raise ColumnError(f"{who}: column `{column}` of row {row} is {value!r:.60}; {read.why}, or None")
        found.append(None if read is None else read.text)
    return found


def _solution(*steps: tuple[str, str | None]) -> str:
    listed = [{"steptext": text, "visualdependency": premise} for text, premise in steps]
    return json.dumps({"reasoningprocess": listed, "finalanswer": "14"})
