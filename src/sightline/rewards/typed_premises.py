"""Whether typed premises hold in a list of typed facts: no model is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.rollout import Rollout
from sightline.core.scores import Score, abstain
from sightline.parse.premises import PremisedSolution
from sightline.parse.typed_facts import TypedFact, same_value, typed_fact
from sightline.rewards.reward import Reward, RowReward

ABSENT = 0.5


@dataclass(frozen=True)
class TypedPremises(RowReward):
    """How far the premises of a solution are supported by typed facts.

    r = mean over premises of: 1 if the fact holds with that value, 0 if it holds with another, 0.5 if it is not told

    Args:
        solution: text -> steps with premises.
        column: a list of facts such as `Length(AB) = 10`, or None where the picture was not described.

    Reads: `column`. Range: [0, 1]. 1 without a premise; a premise that is no typed fact counts 0.5. Low: 0 for a text
    that is no solution. Not applicable: no facts.

    Raises:
        ColumnError: a value is not a list of typed facts.

    Example:
        >>> step = {"steptext": "so", "visualdependency": "Length(AB) = 10"}
        >>> text = json.dumps({"reasoningprocess": [step], "finalanswer": "20"})
        >>> facts = [["Length(AB) = 10.05"], ["Length(AB) = 12"], ["Angle(ABC) = 90"]]
        >>> TypedPremises()(Batch([text] * 3, {"facts": facts})).values
        array([1. , 0. , 0.5])

    References:
        Explicit visual premise verification, arXiv 2603.16253, framework figure.
    """

    solution: PremisedSolution = PremisedSolution()
    column: str = "facts"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("Length(AB) = 10", "Parallel(AB, CD)", "AB is long", None)
        texts = [
            json.dumps({"reasoningprocess": [{"steptext": "so", "visualdependency": one}], "finalanswer": "1"})
            for one in said
        ]
        facts: tuple[list[str] | None, ...] = (["Length(AB) = 12", "Parallel(CD, AB)"], [], None)
        return cls(), [{"completion": text, "facts": told} for text in (*texts, "", "no") for told in facts]

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for row, told in enumerate(batch.column(self.column)):
            try:
                _facts(told or ())
            except (TypeError, ValueError) as error:
                raise ColumnError(f"TypedPremises: column `{self.column}` of row {row}: {error}") from error

    def row(self, rollout: Rollout) -> Score:
        found = self.solution(rollout.text)
        if isinstance(found, Missing):
            return Score(0.0, found.why)
        if not found.premises:
            return Score(1.0, "no visual premise")
        if rollout[self.column] is None:
            return abstain("no facts of the picture")
        known = _facts(rollout[self.column])
        each = [support(one, known) for one in found.premises]
        return Score(sum(each) / len(each), f"{each.count(1.0)} hold, {each.count(0.0)} do not, of {len(each)}")


def support(claim: str, facts: Sequence[TypedFact]) -> float:
    """1, 0 or 0.5: the claim holds, holds with another value, or is not told.

    Example:
        >>> support("Parallel(CD, AB)", [TypedFact("parallel", ("AB", "CD"), "true")])
        1.0
    """
    said = typed_fact(claim)
    if isinstance(said, Missing):
        return ABSENT
    told = [fact.value for fact in facts if fact[:2] == said[:2]]
    return float(any(same_value(said.value, value) for value in told)) if told else ABSENT


def _facts(told: Any) -> list[TypedFact]:
    if isinstance(told, str):
        raise TypeError(f"{told!r:.60} is a text; it needs a list of facts")
    found = []
    for text in told:
        fact = typed_fact(str(text))
        if isinstance(fact, Missing):
            raise ValueError(f"{text!r:.60}: {fact.why}")
        found.append(fact)
    return found
