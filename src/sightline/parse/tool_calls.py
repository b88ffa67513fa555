"""Tool calls that a policy wrote: JSON objects with a name and arguments inside `<tool_call>` blocks.

Knows nothing of which tools there are, or of what they answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sightline.core.missing import Missing
from sightline.parse.json import load
from sightline.parse.tags import Block, Span

MOST_CALLS = 256


class Call(NamedTuple):
    """One call.

    Args:
        span: its place, tags left out.
        name: of the tool.
        arguments: by name.
        fault: why it is no call that can be made; empty if it is one.
    """

    span: Span
    name: str = ""
    arguments: Mapping[str, Any] = {}
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """The calls of a text, in order, at most 256; a block that is never closed is a broken call.

    Args:
        tag: of the blocks.
        name, arguments: keys of the JSON object; the arguments may be left out.

    Example:
        >>> said = '<tool_call>{"name": "crop", "arguments": {"box": [1, 2, 3, 4]}}</tool_call><tool_call>zoom'
        >>> [(call.name, call.fault) for call in ToolCalls()(said)]
        [('crop', ''), ('', 'the call is never closed')]
    """

    tag: str = "tool_call"
    name: str = "name"
    arguments: str = "arguments"

    def __call__(self, text: str) -> tuple[Call, ...]:
        spans, _ = Block(self.tag).first(text, MOST_CALLS)
        calls = [self._call(span) for span in spans]
        behind = spans[-1].end if spans else 0
        opened = text.find(f"<{self.tag}>", behind) if len(calls) < MOST_CALLS else -1
        if opened >= 0:
            start = opened + len(self.tag) + 2
            calls.append(Call(Span(text[start:], start, len(text)), fault="the call is never closed"))
        return tuple(calls)

    def _call(self, span: Span) -> Call:
        found = load(span.text)
        if isinstance(found, Missing):
            return Call(span, fault=f"the call is {found.why}")
        if not isinstance(found, dict) or not isinstance(found.get(self.name), str):
            return Call(span, fault=f"the call is no object with a `{self.name}`")
        given = found.get(self.arguments, {})
        if not isinstance(given, dict):
            return Call(span, found[self.name], fault=f"`{self.arguments}` is no object")
        return Call(span, found[self.name], given)


@dataclass(frozen=True, slots=True)
class ToolTurns:
    """Whether a reply is thoughts and well-formed calls in any order, and one answer at its end: that answer.

    Blocks `think`, `tool_call` and `answer` follow each other with nothing but white space between them, the first is
    a thought, the last is the only answer.

    Args:
        calls: how calls are read.

    Example:
        >>> said = '<think>a</think><tool_call>{"name": "zoom"}</tool_call>\\n<think>b</think><answer>3</answer>'
        >>> ToolTurns()(said), ToolTurns()("<think>a</think>3").why
        ('3', 'text outside the blocks: 3')
    """

    calls: ToolCalls = ToolCalls()

    def __call__(self, text: str) -> str | Missing:
        tags = ("think", self.calls.tag, "answer")
        place, kinds, inner = 0, [], ""
        while rest := text[place : place + 200].lstrip() or text[place:].lstrip():
            place = text.index(rest[0], place)
            tag = next((tag for tag in tags if rest.startswith(f"<{tag}>")), None)
            if tag is None:
                return Missing(f"text outside the blocks: {rest:.40}")
            start = place + len(tag) + 2
            end = text.find(f"</{tag}>", start)
            if end < 0:
                return Missing(f"no closed <{tag}> block")
            kinds.append(tag)
            inner, place = text[start:end], end + len(tag) + 3
        return self._verdict(kinds, inner, text)

    def _verdict(self, kinds: list[str], inner: str, text: str) -> str | Missing:
        if not kinds or kinds[0] != "think":
            return Missing("does not begin with <think>")
        if kinds[-1] != "answer" or kinds.count("answer") > 1:
            return Missing("there must be one answer, at the end")
        if text.count("<answer>") > 1 or len(self.calls(text)) != min(kinds.count(self.calls.tag), MOST_CALLS):
            return Missing("a block stands inside another one")
        fault = next((call.fault for call in self.calls(text) if call.fault), "")
        return Missing(fault) if fault else inner.strip()
