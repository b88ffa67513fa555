"""Solutions with premises, audits, signs, typed facts, plain values: hostile texts and what must not be read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.constraints import as_constraints, read_constraints
from sightline.parse.first_object import first_object
from sightline.parse.plain_value import plain_value, same_value, value_of
from sightline.parse.premise_audit import Audit, audit, counted, stated
from sightline.parse.premises import FinalAnswer, PremisedSolution, checklist
from sightline.parse.signs import exact_sign, exact_signs, lenient_sign
from sightline.parse.typed_facts import TypedFact, typed_fact

READERS = (first_object, PremisedSolution(), audit, exact_sign, lenient_sign, plain_value, typed_fact, read_constraints)
FLOODS = ("{" * 50_000, '{"a":' * 50_000, '"' * 50_000, "```" * 20_000, "\\frac{" * 20_000, "-1" * 50_000, "9" * 50_000)


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("text", FLOODS, ids=lambda text: text[:6])
@pytest.mark.parametrize("read", READERS, ids=lambda read: getattr(read, "__name__", type(read).__name__))
def test_floods_cost_little(read, text: str) -> None:
    read(text)


@given(st.text())
def test_any_text_is_read_or_missing(text: str) -> None:
    for read in READERS:
        read(text)
    assert exact_sign(text).value in (-1, 1)
    assert lenient_sign(text).value in (-1, 1)


@given(st.lists(st.tuples(st.text(min_size=1).filter(str.strip), st.none() | st.text()), max_size=5), st.booleans())
def test_what_was_written_is_found(written: list[tuple[str, str | None]], escaped: bool) -> None:
    listed = [{"steptext": text, "visualdependency": premise} for text, premise in written]
    text = json.dumps({"reasoningprocess": listed, "finalanswer": "1"}, ensure_ascii=escaped)
    found = PremisedSolution()(text)
    assert not isinstance(found, Missing)
    assert [step.text for step in found.steps] == [said for said, _ in written]
    for step in found.steps:
        if step.start >= 0:
            assert json.loads(f'"{text[step.start : step.end]}"', strict=False) == step.text


def test_places_are_unknown_where_keys_are_quoted_in_a_text() -> None:
    text = json.dumps({"note": '"steptext": "x"', "reasoningprocess": [{"steptext": "a"}], "finalanswer": 3})
    found = PremisedSolution()(text)
    assert found.steps[0].text == "a"
    assert found.answer == "3"


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"reasoningprocess": {}}', '{"reasoningprocess": ["a"]}', '{"reasoningprocess": [{"steptext": " "}]}'],
)
def test_no_solution(text: str) -> None:
    assert isinstance(PremisedSolution()(text), Missing)


@pytest.mark.parametrize("answer", [None, "", True, [1], {"a": 1}])
def test_no_final_answer(answer: object) -> None:
    assert isinstance(FinalAnswer()(json.dumps({"reasoningprocess": [], "finalanswer": answer})), Missing)


def test_visual_steps_keep_duplicates_and_the_checklist_drops_them() -> None:
    steps = [{"steptext": str(i), "visualdependency": v} for i, v in enumerate(["a", None, " a", "b"])]
    found = PremisedSolution()(json.dumps({"reasoningprocess": steps, "finalanswer": "1"}))
    assert found.visual == (0, 2, 3)
    assert checklist(found.premises) == "- a\n- b"


def test_which_number_an_audit_gives() -> None:
    assert counted(Audit(0.9, 0.9, 0.5, 1, 0)) == 0.5
    assert counted(Audit(0.9, 0.9, None, 1, 0)) == 0.9
    assert stated(Audit(0.9, 0.9, 0.5, 1, 0)) == 0.9
    assert stated(Audit(0.0, 1.0, None, 0, 0)) == 1.0


@pytest.mark.parametrize("text", ["[1, -1]", "```json\n[1, \u22121]\n```"])
def test_signs_of_several_steps(text: str) -> None:
    assert [sign.value for sign in exact_signs(text, 2)] == [1, -1]
    assert isinstance(exact_signs(text, 3), Missing)
    assert isinstance(exact_signs("1", 1), Missing)


def test_constraints_in_either_form() -> None:
    assert as_constraints({"image_description": "a"}).text == "a"
    assert as_constraints({"key_facts": ["b"], "uncertain": ["c"]}).text == "- b\nUncertain: c"
    assert isinstance(as_constraints(7), Missing)
    assert isinstance(read_constraints('{"other": 1}'), Missing)


def test_typed_facts() -> None:
    assert typed_fact('Text(sign) = "EXIT"') == TypedFact("text", ("sign",), "EXIT")
    assert typed_fact("- Length(AB) = 10.") == TypedFact("length", ("AB",), "10")
    assert typed_fact("PartOf(B, A)").arguments == ("B", "A")
    assert typed_fact("Equal(B, A)").arguments == ("A", "B")


@pytest.mark.parametrize(
    ("said", "value"),
    [("-3", -3), ("1,000", 1000), ("3/4", 0.75), (r"\frac{\sqrt{3}}{2}", 0.866025), (r"-\sqrt{4}", -2), ("x", None)],
)
def test_values(said: str, value: float | None) -> None:
    found = value_of(plain_value(said))
    assert found is None if value is None else found == pytest.approx(value, abs=1e-6)


def test_rounded_to_two_decimals() -> None:
    assert same_value("1.414", r"\sqrt{2}")
    assert not same_value("1.42", r"\sqrt{2}")
    assert not same_value(" ", " ")
