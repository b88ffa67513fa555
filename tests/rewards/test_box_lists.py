"""The dual format reward: template and content, silence, sizes."""

from __future__ import annotations

from typing import Any

import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.box_lists import BoxList, LoadedList

GOLD = [["cat", [0, 0, 40, 40]]]


def value(reward: Any, text: str, solution: Any = GOLD, **columns: Any) -> float:
    row = {"completion": text, "solution": solution, "width": 100, "height": 50, **columns}
    return float(reward(Batch.from_rows([row])).values[0])


@pytest.mark.parametrize(
    ("box", "inside"),
    [("0, 0, 100, 50", 1.0), ("0, 0, 101, 50", 0.0), ("0, 0, 100, 51", 0.0), ("-1, 0, 100, 50", 0.0)],
)
def test_boxes_lie_in_the_picture_that_the_model_sees(box: str, inside: float) -> None:
    text = f'[{{"bbox_2d": [{box}], "label": "cat"}}]'
    assert value(BoxList(), text) == inside
    assert value(LoadedList(), text) == 1.0


def test_the_model_may_see_another_size() -> None:
    text = '[{"bbox_2d": [0, 0, 140, 70], "label": "cat"}]'
    assert value(BoxList(), text) == 0.0
    assert value(BoxList(), text, model_size=[140, 70]) == 1.0


@pytest.mark.parametrize(("text", "strict", "released"), [("none", 1.0, 1.0), ("[]", 1.0, 0.0), ("[7]", 1.0, 0.0)])
def test_silence_where_nothing_is_to_be_found(text: str, strict: float, released: float) -> None:
    assert value(BoxList(), text, []) == strict
    assert value(LoadedList(), text, []) == released


def test_sizes_are_numbers() -> None:
    with pytest.raises(ColumnError, match="`height` of row 0"):
        value(BoxList(), "[]", height="50")
