"""Step scores held to the reliability of what the steps claim to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import ABSTAIN, Score, Scores
from sightline.metrics.step_aggregates import Aggregate, Gate, gated, kept_if_wrong, mean_correctness
from sightline.parse.premises import PremisedSolution, Solution
from sightline.rewards.algebra import Node, Rows, merged
from sightline.rewards.evaluation import Evaluation
from sightline.rewards.premises import PremisedSteps, PremiseReliability
from sightline.rewards.reward import Range, Reward


@dataclass(frozen=True)
class PremiseGate(Node):
    """The value of a solution whose steps count only as far as their visual premises are reliable.

    final_i = gate(raw_i, p) for steps with a premise, raw_i for all others;  value = aggregate(final)

    Args:
        steps: marks every step with its raw score, in order.
        reliability: p in [0, 1] for a solution; where it does not apply, nothing is gated and the reason says so.
        gate: (raw score, p) -> score.
        aggregate: (n,) final scores -> value in [0, 1].
        solution: text -> steps with premises.

    Marks: every step with its final score.

    Range: [0, 1]. NaN: a step or the reliability could not be judged.

    Example:
        >>> from sightline.core.batch import Batch
        >>> reward, rows = PremiseGate.specimen()
        >>> reward(Batch.from_rows(rows)).values.round(2)
        array([1.  , 0.88, 1.  , 1.  , 0.  ])

    References:
        Explicit visual premise verification, arXiv 2603.16253.
    """

    steps: Reward
    reliability: Reward
    gate: Gate = kept_if_wrong
    aggregate: Aggregate = mean_correctness
    solution: PremisedSolution = PremisedSolution()

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        judge = PremisedSteps.specimen()[0].judge  # type: ignore[attr-defined]
        form = '{{"reasoningprocess": [{}], "finalanswer": "14"}}'
        sees = '{{"steptext": "I read AB", "visualdependency": "AB is {}"}}, '
        adds = '{"steptext": "7 + 7 = 14", "visualdependency": null}'
        texts = [form.format(sees.format(n) + adds) for n in (7, 8)]
        rows: list[dict[str, Any]] = [
            {"completion": text, "question": "2 AB?", "constraints": "AB is 7"} for text in texts
        ]
        rows += [{"completion": texts[1], "question": "2 AB?", "constraints": None}]
        rows += [{"completion": form.format(adds), "question": "2 AB?", "constraints": "AB is 7"}]
        rows += [{"completion": "14", "question": "2 AB?", "constraints": "AB is 7"}]
        return cls(PremisedSteps(judge), PremiseReliability(judge)), rows

    def bounds(self) -> Range:
        return 0.0, 1.0

    def children(self) -> tuple[Reward, ...]:
        return self.steps, self.reliability

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        found = evaluation.all(self.children(), rows)
        if found is None:
            return None
        solutions = evaluation.batch.parse(self.solution)
        whole = Scores.from_rows([self._one(solution, i, *found) for i, solution in enumerate(solutions)])
        return Scores(whole.values, whole.why, whole.marks, merged(found))

    def _one(self, solution: Solution | Missing, row: int, steps: Scores, reliability: Scores) -> Score:
        if np.isnan(steps.values[row]) or isinstance(solution, Missing):
            return Score(float(steps.values[row]), steps.why[row])
        p, marks = float(reliability.values[row]), steps.marks[row]
        if np.isnan(p) and not reliability.why[row].startswith(ABSTAIN):
            return Score(p, reliability.why[row])
        final = gated([m.value for m in marks], None if np.isnan(p) else p, frozenset(solution.visual), self.gate)
        told = f"ungated: {reliability.why[row].removeprefix(ABSTAIN)}" if np.isnan(p) else f"p {p:g}"
        why = f"{steps.why[row]}; {told}"
        return Score(self.aggregate(final), why, tuple(map(_held, marks, final)))


def _held(mark: Mark, value: float) -> Mark:
    return mark if mark.value == value else mark._replace(value=value, why=f"{mark.value:g} held to {value:.3g}")
