"""Fields read off a picture: invention costs, abstention does not, and no trick pays more than honesty."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sightline
from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.read_fields import FieldSimilarity, InventedCharacters

REFERENCE = {"clear": "Bauful", "not_clear": "e", "final": "Beau  ful"}


def rewarded(answer: dict[str, object], **reference: str) -> float:
    text = f"<think>t</think><answer>{json.dumps(answer)}</answer>"
    return float(sightline.load("kie-hvqa").reward(Batch.from_rows([{"completion": text, **reference}])).values[0])


@given(st.text(alphabet="Beautifl ", max_size=12))
def test_nothing_earns_more_than_what_can_be_read(final: str) -> None:
    assert rewarded({**REFERENCE, "final": final}, **REFERENCE) <= rewarded({**REFERENCE}, **REFERENCE) == 1.1


@given(st.integers(0, 9))
def test_placeholders_are_free_in_any_number(blanks: int) -> None:
    assert rewarded({**REFERENCE, "final": "Beau" + " " * blanks + "ful"}, **REFERENCE) == 1.1


def test_every_invented_character_costs() -> None:
    said = ["Beau  ful", "Beaut ful", "Beautiful", "Beautifully"]
    values = [rewarded({**REFERENCE, "final": final}, **REFERENCE) for final in said]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == 4


@pytest.mark.parametrize("value", [None, 7, ["a"], float("nan")])
def test_references_must_be_texts(value: object) -> None:
    with pytest.raises(ColumnError, match="column `final` of row 0"):
        FieldSimilarity("final")(Batch([""], {"final": [value]}))


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_combining_marks_do_not_stall() -> None:
    said = json.dumps({**REFERENCE, "final": "a" + "\u0301\u0316" * 999}, ensure_ascii=False)
    batch = Batch([f"<answer>{said}</answer>"], {"final": ["a"]})
    assert FieldSimilarity("final")(batch).values[0] < 0.01
    assert InventedCharacters("final")(batch).values[0] < -0.9


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_large_batches_are_fast() -> None:
    size = 10_000
    text = f"<think>t</think><answer>{json.dumps(REFERENCE)}</answer>"
    batch = Batch([text] * size, {name: [value] * size for name, value in REFERENCE.items()})
    assert sightline.load("kie-hvqa").reward(batch).values.sum() == pytest.approx(1.1 * size)
