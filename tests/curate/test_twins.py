"""Twins: what a rephraser wrote, which rows survive, and that both sides stay neighbours."""

from __future__ import annotations

import pytest

from sightline.core import Missing
from sightline.core.errors import ColumnError
from sightline.curate.twins import TwinWriter, read_twin, trusted, twin_rows
from sightline.judges import ScriptedJudge, Verdict

FRAMED = "=== NEW QUESTION ===\n{}\n=== END ==="


def test_a_twin_that_cannot_be_read_drops_both_sides() -> None:
    said = (FRAMED.format("Two and two?"), "Two and three?", Verdict(error="down"), FRAMED.format("2 +  5?"))
    rows = [{"question": f"2 + {n}?", "answer": str(2 + n)} for n in (2, 3, 4, 5)]
    made = TwinWriter(ScriptedJudge(said))(rows)
    assert [row["rephrased"] for row in made] == ["Two and two?", None, None, None]
    assert [row["rephrased_error"] for row in made] == [
        "", "no question between the marker lines", "down", "the same words as the question"
    ]  # fmt: skip
    pairs = list(twin_rows(made))
    assert [(row["side"], row["answer"]) for row in pairs] == [("original", "4"), ("rephrased", "4")]
    assert all(row["prompt"][0]["content"].endswith("\\boxed{}.") for row in pairs)


@pytest.mark.parametrize(
    ("reply", "twin"),
    [
        ("thinking\n" + FRAMED.format("draft") + "\nno:\n" + FRAMED.format("final\nline"), "final\nline"),
        (FRAMED.format(" "), None),
        ("=== NEW QUESTION ===\nHow many?", None),
        ("=== NEW QUESTION === How many? === END ===", None),
    ],
)
def test_between_the_marker_lines(reply: str, twin: str | None) -> None:
    found = read_twin(reply)
    assert (None if isinstance(found, Missing) else found) == twin


def test_a_picture_belongs_to_both_sides() -> None:
    row = {"question": "How many cats?", "rephrased": "Count the cats.", "images": ["a.png"]}
    for made in twin_rows([row], instruction=""):
        assert made["images"] == ["a.png"]
        assert [part["type"] for part in made["prompt"][0]["content"]] == ["image", "text"]


def test_rows_without_a_twin_column_are_the_callers_mistake() -> None:
    with pytest.raises(ColumnError, match="row 0 needs a text in column `rephrased`"):
        list(twin_rows([{"question": "2 + 2?"}]))


def test_pairs_without_agreement_are_not_trusted() -> None:
    rows = [
        {"answers": ["4", "4"], "rephrased_answers": ["4"]},
        {"answers": ["4", "5", "5"], "rephrased_answers": ["4"]},
        {"answers": [""], "rephrased_answers": [""]},
    ]
    assert trusted(rows) == rows[:1]
