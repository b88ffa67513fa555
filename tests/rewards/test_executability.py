"""Shares of calls that work."""

import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError, ConfigError
from sightline.rewards.executability import Executability

CALL = '<tool_call>{"name": "crop", "arguments": {"box": 1}}</tool_call>'


def value(text: str, needed: bool = True, ran=None, depth: int | None = None) -> float:
    columns = {"tools": [{"crop": ["box"]}], "needs_tool": [needed], "call_outcomes": [ran]}
    return float(Executability(depth)(Batch([text], columns)).values[0])


@pytest.mark.parametrize(
    ("text", "more", "worth"),
    [
        ("", {}, 0.0),
        ("", {"needed": False}, 1.0),
        (CALL, {}, 1.0),
        (CALL, {"needed": False}, 1.0),
        (CALL * 4, {"depth": 3}, 0.75),
        (CALL, {"depth": 0}, 0.0),
        (CALL * 3, {"ran": [True, False, True]}, 2 / 3),
        (CALL * 3, {"ran": [True]}, 1 / 3),
        (CALL, {"ran": [True, True]}, 1.0),
        (CALL + "<tool_call>", {}, 0.5),
        (CALL.replace("crop", "rm"), {}, 0.0),
        (CALL.replace('"box": 1', ""), {}, 0.0),
    ],
)
def test_share(text: str, more: dict, worth: float) -> None:
    assert value(text, **more) == pytest.approx(worth)


def test_marks_say_which_call_failed() -> None:
    columns = {"tools": [{"crop": ["box"]}], "needs_tool": [True], "call_outcomes": [[True, False]]}
    scores = Executability()(Batch([CALL * 2], columns))
    assert [(mark.value, mark.why) for mark in scores.marks[0]] == [(1.0, "succeeds"), (0.0, "failed")]


@pytest.mark.parametrize(
    "columns",
    [
        {"tools": [{}]},
        {"tools": ["crop"], "needs_tool": [True]},
        {"tools": [{"crop": "box"}], "needs_tool": [True]},
        {"tools": [{}], "needs_tool": [None]},
        {"tools": [{}], "needs_tool": [True], "call_outcomes": [[0.5]]},
    ],
)
def test_wrong_columns(columns: dict) -> None:
    with pytest.raises(ColumnError):
        Executability()(Batch(["a"], columns))


def test_wrong_depth() -> None:
    with pytest.raises(ConfigError):
        Executability(-1)
