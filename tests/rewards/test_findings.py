from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, ConfigError
from sightline.core.missing import Missing
from sightline.metrics.finding_sets import finding_support, set_f1
from sightline.rewards.findings import FindingsFitAnswer
from sightline.rewards.knowledge import Entry, Finding, Knowledge, knowledge_of, retina
from sightline.rewards.label_sets import LabelAnswer, SaidLabels, named

SETS = st.sets(st.sampled_from("abcdef"))


@given(SETS, SETS, SETS)
def test_support_is_full_only_for_all_required_and_no_stranger(found, required, supportive) -> None:
    support = finding_support(found, required, supportive)
    full = required <= found <= required | supportive
    assert 0 <= support.value <= 1
    assert (support.value == 1) is full
    assert support == finding_support([*found, *found], required, [*supportive])


@given(SETS, SETS)
def test_f1_is_symmetric(a, b) -> None:
    assert set_f1(a, b) == set_f1(b, a)
    assert (set_f1(a, b) == 1) is (a == b)


def test_the_table_of_the_eye_is_whole() -> None:
    eye = retina()
    assert set(eye.modalities) == {"CFP", "OCT", "UWF"}
    assert len({entry.label for entry in eye.entries}) == 16
    used = {name for entry in eye.entries for name in (*entry.required, *entry.supportive)}
    assert used == {finding.name for finding in eye.findings}
    assert all(finding.definition for finding in eye.findings)
    assert all(entry.text for entry in eye.entries)
    assert all(not set(entry.required) & set(entry.supportive) for entry in eye.entries)
    assert all(bool(entry.required) != (entry.label == "normal") for entry in eye.entries)
    spellings = [spelling for names in eye.names for spelling in names]
    assert len(spellings) == len(set(spellings))


def test_a_table_with_a_flaw_is_refused() -> None:
    with pytest.raises(ConfigError, match="drusn"):
        Knowledge((Finding("drusen"),), (Entry("amd", "CFP", ("drusn",)),))
    with pytest.raises(ConfigError, match="twice"):
        Knowledge((), (Entry("amd", "CFP"), Entry("AMD", "cfp")))
    with pytest.raises(ConfigError, match="labels"):
        knowledge_of({"findings": []})


def test_the_union_over_kinds_takes_required_before_supportive() -> None:
    table = Knowledge(
        (Finding("a"), Finding("b"), Finding("c")),
        (Entry("x", "CFP", ("a",), ("b",)), Entry("x", "OCT", ("b",), ("c",))),
    )
    assert table.needed(["X"], None) == (frozenset("ab"), frozenset("c"))
    assert table.needed(["x"], "oct") == (frozenset("b"), frozenset("c"))
    assert isinstance(table.needed(["y"], "OCT"), Missing)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("A", "glaucoma"),
        ("b.", "normal"),
        ("(B) anything", "normal"),
        ("Normal", "normal"),
        ("C", "c"),
        ("PDR", "proliferative diabetic retinopathy"),
    ],
)
def test_items_are_options_letters_or_labels(item, expected) -> None:
    assert named((item,), {"A": "glaucoma", "B": "normal"}, retina()) == {expected}


def test_without_options_a_letter_is_only_a_letter() -> None:
    assert named(("A",), {}, retina()) == {"a"}


def test_marks_tell_which_findings_fit() -> None:
    text = "<think>Microaneurysms, drusen, no hemorrhage.</think><answer>NPDR</answer>"
    (marks,) = FindingsFitAnswer()(Batch([text], {"modality": ["CFP"]})).marks
    assert [(text[slice(*mark.place)], mark.value) for mark in marks] == [("Microaneurysms", 1.0), ("drusen", 0.0)]


def test_reciting_all_findings_does_not_pay_as_much_as_the_right_ones() -> None:
    everything = ", ".join(finding.name for finding in retina().findings)
    said = [f"<think>{t}</think><answer>NPDR</answer>" for t in (everything, "microaneurysm, hemorrhage")]
    values = FindingsFitAnswer()(Batch(said, {"modality": ["CFP"] * 2})).values
    assert values[0] < 0.25 < values[1] == 1.0


def test_wrong_columns_are_named() -> None:
    with pytest.raises(ColumnError, match="row 0"):
        FindingsFitAnswer()(Batch(["a"], {"modality": [3]}))
    with pytest.raises(ColumnError, match="options"):
        SaidLabels()(Batch(["a"], {"options": [[1, 2]]}))
    with pytest.raises(ColumnError, match="answer"):
        LabelAnswer()(Batch(["a"], {"answer": [{"a": 1}]}))
