"""Answers: which text is compared, what the marks say, and which gold values are refused."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.parse import Block
from sightline.rewards.answers import (
    Answer,
    ClassName,
    LooseMatch,
    SameMaths,
    SameNumber,
    contains_either_way,
    number_closeness,
    same_letter,
    same_text,
)


def test_the_mark_lies_on_the_answer() -> None:
    scores = Answer(same_text)(Batch(["<think>t</think><answer> dog </answer>"], {"answer": ["cat"]}))
    ((mark,),) = scores.marks
    assert (mark.unit, mark.place, mark.value) == ("char", (25, 28), 0.0)
    assert scores.why[0] == "'dog' for 'cat'"


def test_no_block_earns_nothing_or_counts_as_what_absent_says() -> None:
    batch = Batch(["dog"], {"answer": [""]})
    assert Answer(same_text)(batch).values.tolist() == [0.0]
    assert Answer(same_text)(batch).why == ["no closed <answer> block"]
    assert Answer(same_text, absent="")(batch).values.tolist() == [1.0]


@pytest.mark.parametrize("gold", [7, 7.0, np.int64(7), np.float64(7), "7", "<answer> 7 </answer>"])
def test_gold_numbers_of_any_kind(gold: object) -> None:
    assert Answer(SameNumber())(Batch(["<answer>7.0</answer>"], {"answer": [gold]})).values.tolist() == [1.0]


def test_equal_gold_values_of_different_kind_are_told_apart() -> None:
    batch = Batch(["<answer>1.0</answer>"] * 3, {"answer": [1, 1.0, "1"]})
    assert Answer(same_text)(batch).values.tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("gold", [None, True, [], ["B", None], {"a": 1}])
def test_other_gold_values_are_refused_before_anything_is_scored(gold: object) -> None:
    with pytest.raises(ColumnError, match=r"Answer: column `answer` of row 1 is .*; it needs a text or a number"):
        Answer(same_letter)(Batch(["<answer>B</answer>"] * 2, {"answer": ["B", gold]}))


def test_numbers_that_are_none_are_low_with_a_reason() -> None:
    scores = Answer(number_closeness)(Batch(["<answer>nine</answer>", "<answer>1e999</answer>"], {"answer": [9, 9]}))
    assert scores.values.tolist() == [0.0, 0.0]
    assert scores.why == ["not a number", "not a finite number"]


def test_loose_match_takes_the_first_test_that_applies() -> None:
    loose = LooseMatch()
    assert loose("0.50", "1/2") == 1.0
    assert loose("12", "13") == 0.0
    assert loose("2 dogs", "3 dogs") == pytest.approx(10 / 12)
    assert loose("It is (b).", "B") == 1.0


@pytest.mark.parametrize(
    ("said", "right", "value"),
    [
        ("\\text{Left}", "left", 1.0),
        ("\\boxed{\\text{top left}}", "top left", 1.0),
        ("\\text{left}", "right", 0.0),
        ("2 1/2", "21/2", 0.0),
        ("1 2", "12", 0.0),
        ("1 000", "1000", 1.0),
        ("x_1", "x1", 1.0),
        ("\\boxed{}", "", 0.0),
        ("left " * 3000, "left" * 3000, 0.0),
    ],
)
def test_same_maths_compares_words_too(said: str, right: str, value: float) -> None:
    found = SameMaths()(said, right)
    assert (0.0 if isinstance(found, Missing) else found) == value


def test_class_names_and_aliases() -> None:
    said = ["<answer>Fall_Phlox</answer>"] * 3
    aliases = [["fall phlox"], None, np.array(["rose", "fall phlox"])]
    batch = Batch(said, {"solution": ["garden phlox"] * 3, "aliases": aliases})
    assert ClassName()(batch).values.tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize("aliases", ["phlox", 7])
def test_aliases_must_be_a_list(aliases: object) -> None:
    with pytest.raises(ColumnError, match=r"ClassName: column `aliases` of row 0 is .*; it needs a list of texts"):
        ClassName()(Batch(["p"], {"solution": ["garden phlox"], "aliases": [aliases]}))


def test_an_empty_class_name_is_named_by_nothing() -> None:
    assert ClassName()(Batch(["<answer></answer>"], {"solution": [""]})).values.tolist() == [0.0]


def test_released_containment_pays_the_empty_answer() -> None:
    released = Answer(contains_either_way, Block("answer", lines="one", otherwise="text"), "solution")
    batch = Batch(["<answer></answer>", "<answer>rose</answer>"], {"solution": ["garden phlox"] * 2})
    assert released(batch).values.tolist() == [1.0, 0.0]


def test_any_accepted_answer_is_right() -> None:
    said = ["<answer>March 14, 2017</answer>", "<answer>14</answer>", "<answer>May</answer>"]
    gold = [["March 14th, 2017", "March 14, 2017"], [13, 14], "May"]
    assert Answer(same_text)(Batch(said, {"answer": gold})).values.tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ColumnError, match="a list of them that is not empty"):
        Answer(same_text)(Batch(said[:1], {"answer": [[]]}))
