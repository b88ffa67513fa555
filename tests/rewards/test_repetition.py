"""The repetition penalty, over items and over words."""

from __future__ import annotations

import json

import pytest

from sightline.core import Batch
from sightline.rewards.repetition import Repetition

CAT = {"bbox_2d": [1, 2, 3, 4], "label": "cat"}


def fenced(*items: object) -> str:
    return f"```json\n{json.dumps(items)}\n```"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (fenced(CAT, CAT), -1 / 2),
        (fenced(CAT, {**CAT, "label": "Cat"}), 0.0),
        (fenced(CAT, {**CAT, "bbox_2d": [1.0, 2, 3, 4]}), -1 / 2),
        (fenced(CAT, {"label": "cat"}, {"bbox_2d": [1, 2, 3, 4]}), 0.0),
        (fenced({"label": "cat"}), 0.0),
        (fenced(CAT) + fenced(CAT, CAT), 0.0),
        ("<think>" + "go on " * 3 + "</think>" + fenced(CAT), 0.0),
        ("go on " * 4, -1 / 3),
        ("Go on go ON go on GO on", -1 / 3),
        ("one two three four five", 0.0),
        ("", 0.0),
        ("```json\n{\n``` a b c d e f", 0.0),
    ],
)
def test_share_of_what_occurred_before(text: str, value: float) -> None:
    assert Repetition()(Batch([text])).values[0] == pytest.approx(value)


def test_reason() -> None:
    assert Repetition()(Batch([fenced(CAT, CAT), "a"])).why == ["50% repeated", ""]
