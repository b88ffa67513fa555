"""Calls and turns as policies write them, good and hostile."""

import pytest

from sightline.core.missing import Missing
from sightline.parse.tool_calls import MOST_CALLS, ToolCalls, ToolTurns

ZOOM = '<tool_call>{"name": "zoom"}</tool_call>'


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("<tool_call>zoom</tool_call>", "the call is not JSON"),
        ("<tool_call>[1]</tool_call>", "the call is no object with a `name`"),
        ('<tool_call>{"name": 3}</tool_call>', "the call is no object with a `name`"),
        ('<tool_call>{"name": "a", "arguments": [1]}</tool_call>', "`arguments` is no object"),
        ('<tool_call>{"name": "a"}', "the call is never closed"),
        (ZOOM, ""),
    ],
)
def test_faults(said: str, fault: str) -> None:
    (call,) = ToolCalls()(said)
    assert call.fault == fault
    assert said[call.span.start : call.span.end] == call.span.text


def test_calls_in_order_with_arguments() -> None:
    calls = ToolCalls()(f'{ZOOM} and <tool_call> {{"name": "crop", "arguments": {{"x": 1}}}} </tool_call>')
    assert [(call.name, dict(call.arguments)) for call in calls] == [("zoom", {}), ("crop", {"x": 1})]


@pytest.mark.parametrize(
    "said",
    [
        "",
        ZOOM,
        "<answer>3</answer>",
        "<think>a</think>",
        "<think>a</think><answer>3",
        "<think>a</think><answer>3</answer>.",
        "x<think>a</think><answer>3</answer>",
        "<think>a</think><answer>3</answer><answer>4</answer>",
        f"<think>a</think><answer>3</answer>{ZOOM}",
        f"<think>a{ZOOM}</think><answer>3</answer>",
        "<think>a</think><tool_call>{</tool_call><answer>3</answer>",
        "<think>a<answer>1</answer></think><answer>3</answer>",
    ],
)
def test_forms_that_are_none(said: str) -> None:
    assert isinstance(ToolTurns()(said), Missing)


@pytest.mark.parametrize("middle", ["", ZOOM, f"{ZOOM}\n{ZOOM}", f"{ZOOM} <think>b</think>", " " * 500])
def test_forms(middle: str) -> None:
    assert ToolTurns()(f"<think>a</think>{middle}<answer> 3 </answer>\n") == "3"


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("flood", ["<tool_call>", ZOOM, "<think></think>" + " " * 300, "<tool_call>{</tool_call>"])
def test_floods_are_cheap(flood: str) -> None:
    text = "<think>a</think>" + flood * (100_000 // len(flood))
    assert len(ToolCalls()(text)) <= MOST_CALLS
    ToolTurns()(text)
