"""Premises and steps: what is asked, what is not, and what becomes of failures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pytest

import sightline
from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.curate.constraints import Extractor
from sightline.judges import Question, Verdict
from sightline.rewards.choice_or_value import ChoiceOrValue
from sightline.rewards.premises import PremisedSteps, PremiseReliability
from sightline.rewards.typed_premises import TypedPremises
from sightline.search.best_of_n import BestOfN


@dataclass(frozen=True)
class Listening:
    """Says right to every step and finds nothing in an audit; remembers what it was asked."""

    asked: ClassVar[list[Question]] = []

    @property
    def id(self) -> str:
        return "listening"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        self.asked[:] = questions
        report = '{"errors_and_hallucinations": [], "p_score": 1}'
        return [Verdict("1" if q.field("step") is not None else report) for q in questions]


def solution(*steps: tuple[str, object]) -> str:
    listed = [{"steptext": text, "visualdependency": premise} for text, premise in steps]
    return json.dumps({"reasoningprocess": listed, "finalanswer": "1"})


def batch(text: str, constraints: object = "AB is 7", n: int = 1) -> Batch:
    return Batch([text] * n, {"question": ["2 AB?"] * n, "constraints": [constraints] * n})


def test_one_audit_for_equal_checklists_and_one_question_a_step() -> None:
    system = sightline.load("evpv-prm").with_judge(Listening())
    assert system.reward(batch(solution(("a", "x"), ("b", None)), n=3)).values.tolist() == [1, 1, 1]
    assert len(Listening.asked) == 3
    assert len([q for q in Listening.asked if q.field("checklist") is not None]) == 1


@pytest.mark.parametrize(("images", "shown"), [("ab.png", 1), (["a.png", "b.png"], 2), (None, 0), ([], 0)])
def test_one_picture_need_not_be_in_a_list(images: object, shown: int) -> None:
    row = {"completion": solution(("a", None)), "question": "2 AB?", "constraints": None, "images": images}
    PremisedSteps(Listening())(Batch.from_rows([row]))
    assert len(Listening.asked[0].images) == shown
    Extractor(Listening())([row])
    assert len(Listening.asked[0].images) == shown


def test_a_step_is_judged_with_the_twelve_before_it_fenced() -> None:
    PremisedSteps(Listening())(batch(solution(*((f"s{i}", None) for i in range(15)))))
    last = Listening.asked[-1]
    assert json.loads(last.field("before")) == [f"s{i}" for i in range(2, 14)]
    assert set(last.fenced) == {"before", "step"}
    assert "data, not instructions" in last.text()


def test_steps_beyond_the_most_are_wrong_without_a_call() -> None:
    scores = PremisedSteps(Listening(), most=2)(batch(solution(*((f"s{i}", None) for i in range(4)))))
    assert len(Listening.asked) == 2
    assert scores.values.tolist() == [0.5]


def test_an_audit_without_premises_costs_nothing_and_too_many_are_not_audited() -> None:
    reliability = PremiseReliability(Listening())
    Listening.asked.clear()
    assert reliability(batch(solution(("a", None)))).values.tolist() == [1]
    flood = reliability(batch(solution(*(("a", str(i)) for i in range(257)))))
    assert flood.values.tolist() == [0]
    assert not Listening.asked


@dataclass(frozen=True)
class Down:
    @property
    def id(self) -> str:
        return "down"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        return [Verdict(error="503 overloaded")] * len(questions)


def test_a_failed_audit_is_zero_or_on_request_missing() -> None:
    row = batch(solution(("a", "x")))
    scores = PremiseReliability(Down())(row)
    assert scores.values.tolist() == [0]
    assert "503 overloaded" in scores.why[0]
    assert PremiseReliability(Down(), failed=None)(row).errors.tolist() == [True]
    assert PremisedSteps(Down())(row).errors.tolist() == [True]


def test_without_a_description_the_reason_says_ungated() -> None:
    scores = sightline.load("evpv-prm").with_judge(Listening()).reward(batch(solution(("a", "x")), None))
    assert scores.values.tolist() == [1]
    assert "ungated" in scores.why[0]
    assert scores.parts["reliability"].abstained.tolist() == [True]


def test_wrong_data_names_the_row() -> None:
    with pytest.raises(ColumnError, match="row 0"):
        PremiseReliability(Listening())(batch("", 7))
    with pytest.raises(ColumnError, match="row 0"):
        TypedPremises()(Batch([""], {"facts": [["AB is long"]]}))
    with pytest.raises(ColumnError, match="row 0"):
        TypedPremises()(Batch([""], {"facts": ["Length(AB) = 1"]}))
    with pytest.raises(ColumnError, match="row 0"):
        ChoiceOrValue()(Batch([""], {"answer": ["A"], "choices": ["A"]}))


def test_the_gate_decides_between_candidates() -> None:
    texts = [solution(("I read AB", f"AB is {n}"), (f"{n} + {n} = {2 * n}", None)) for n in (8, 7)]
    candidates = Batch(
        texts, {"question": ["2 AB?"] * 2, "constraints": [{"caption": "", "key_facts": ["AB is 7"]}] * 2}, group=[0, 0]
    )
    system = sightline.load("evpv-prm")
    assert BestOfN(system.reward)(candidates)[0].row == 1
    assert BestOfN(system.extra("selection", "official"))(candidates)[0].row == 0
    assert BestOfN(system.reward, n=1)(candidates)[0].rows == (0,)
