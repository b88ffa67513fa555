"""Whether the reasoning rests on what can be seen, as a judge reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, failed
from sightline.judges.judge import Question, Verdict
from sightline.judges.overlap import OverlapJudge
from sightline.judges.prompts import prompt
from sightline.judges.verdicts import zero_or_one
from sightline.parse.tags import THINK, Span
from sightline.rewards.reward import JudgedReward, Reward


@dataclass(frozen=True)
class CitesEvidence(JudgedReward):
    """Whether the think block refers to the listed visual evidence, as a judge decides.

    value = 1 if the judge answers 1, else 0

    The judge sees the question, the evidence and the think block, not the pictures: it tests agreement with whoever
    wrote the evidence.

    Args:
        judge: answers with one digit.
        template: the prompt, with places `question`, `evidence` and `reasoning`.
        verdict: reply -> 1, 0 or `Missing`.

    Reads: `question` (text), `evidence` (list of texts, may be empty; blank ones do not count).
    Range: 0 or 1. Low, without a call: no think block, no evidence listed.
    NaN: the judge failed or its reply cannot be read; the reason keeps its words.

    Example:
        >>> said = "<think>I see a red ball going into the basket.</think><answer>yes</answer>"
        >>> columns = {"question": ["Does it score?"], "evidence": [["a red ball enters the basket"]]}
        >>> CitesEvidence(OverlapJudge())(Batch([said], columns)).values
        array([1.])

    References:
        Luo et al., When Thinking Drifts, arXiv 2510.06077, visual evidence reward.
    """

    template: str = prompt("evidence_judge").text
    verdict: Callable[[str], int | Missing] = zero_or_one
    reads: ClassVar = ("question", "evidence")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        seen = {"question": "What enters?", "evidence": ["a red ball enters the basket"]}
        texts = ("<think>the red ball enters</think><answer>a</answer>", "<think>maybe</think>", "a red ball enters")
        rows: list[dict[str, Any]] = [{"completion": text, **seen} for text in texts]
        return cls(OverlapJudge()), [*rows, {**rows[0], "evidence": []}]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for row, value in enumerate(batch.column("evidence")):
            if value is not None and (isinstance(value, str) or not hasattr(value, "__iter__")):
                raise ColumnError(f"CitesEvidence: column `evidence` of row {row} is {value!r:.60}; it needs a list")

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        asked: list[tuple[Question, ...]] = []
        rows = zip(batch.parse(THINK.span), batch.column("question"), batch.column("evidence"), strict=True)
        for think, question, evidence in rows:
            items = _items(evidence)
            if isinstance(think, Missing) or not think.text.strip() or not items:
                asked.append(())
                continue
            fields = (("question", str(question)), ("evidence", items), ("reasoning", think.text))
            asked.append((Question(self.template, fields, fenced=("reasoning",)),))
        return asked

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        thinks, evidence = batch.parse(THINK.span), batch.column("evidence")
        return Scores.from_rows([self._one(*row) for row in zip(thinks, evidence, verdicts, strict=True)])

    def _one(self, think: Span | Missing, evidence: Any, verdicts: tuple[Verdict[Any], ...]) -> Score:
        if isinstance(think, Missing):
            return Score(0.0, think.why)
        if not verdicts:
            return Score(0.0, "no evidence is listed" if not _items(evidence) else "the think block is empty")
        if verdicts[0].value is None:
            return failed(verdicts[0].error)
        said = self.verdict(verdicts[0].value)
        if isinstance(said, Missing):
            return failed(f"unreadable verdict: {said.why}")
        why = "cites the evidence" if said else "does not cite the evidence"
        return Score(float(said), why, (Mark("char", (think.start, think.end), float(said), why),))


def _items(evidence: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in evidence if str(item).strip()) if evidence is not None else ()
