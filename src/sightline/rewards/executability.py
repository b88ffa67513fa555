"""Whether the tool calls of a rollout could be made and worked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, ConfigError
from sightline.core.marks import Mark
from sightline.core.rollout import Rollout
from sightline.core.scores import Score
from sightline.parse.tool_calls import Call, ToolCalls
from sightline.rewards.reward import Reward, RowReward


@dataclass(frozen=True)
class Executability(RowReward):
    """Share of a rollout's tool calls that succeed.

    value = successful calls / calls; without a call 1 if none was needed, 0 if one was

    A call succeeds if it is a JSON object that names a tool of the prompt with all its arguments, is not beyond the
    depth limit, and, where the environment kept a record, was answered without an error.

    Args:
        depth: so many calls may be made; None: any number.
        calls: text -> calls.

    Reads: `tools` (name -> list of the arguments it needs; None: there is no such tool), `needs_tool` (true or false);
    `call_outcomes` (true or false for every call that was written, in order, also for those that are broken; a call
    behind its end was not run) if it is there and not None.
    Range: 0..1. Marks: every call with 1 or 0.

    Raises:
        ColumnError: a column does not hold that.

    Example:
        >>> said = ['<tool_call>{"name": "crop"}</tool_call>', "no call"]
        >>> columns = {"tools": [{"crop": []}, {"crop": []}], "needs_tool": [True, True]}
        >>> Executability()(Batch(said, columns)).values
        array([1., 0.])

    References:
        Rethinking reinforcement fine-tuning in LVLM, arXiv 2604.19857, tool executability.
    """

    depth: int | None = None
    calls: ToolCalls = ToolCalls()
    reads: ClassVar[tuple[str, ...]] = ("tools", "needs_tool")
    may_read: ClassVar[tuple[str, ...]] = ("call_outcomes",)

    def __post_init__(self) -> None:
        if self.depth is not None and self.depth < 0:
            raise ConfigError(f"Executability: depth is {self.depth}; it cannot be negative")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        given: dict[str, Any] = {"tools": {"crop": ["box"]}, "needs_tool": True, "call_outcomes": None}
        crop = '<tool_call>{"name": "crop", "arguments": {"box": [1, 2, 3, 4]}}</tool_call>'
        texts = (crop, f"{crop}{crop}<tool_call>", '<tool_call>{"name": "zoom"}</tool_call>', "", "[]")
        rows = [{**given, "completion": text} for text in texts]
        return cls(depth=2), [*rows, {**rows[1], "call_outcomes": [True]}, {**rows[4], "needs_tool": False}]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        outcomes = batch.column("call_outcomes") if batch.has("call_outcomes") else [None] * len(batch)
        rows = zip(batch.column("tools"), batch.column("needs_tool"), outcomes, strict=True)
        for row, (tools, needed, ran) in enumerate(rows):
            wrong = _wrong(tools, needed, ran)
            if wrong:
                raise ColumnError(f"Executability: row {row}: {wrong}")

    def row(self, rollout: Rollout) -> Score:
        calls = self.calls(rollout.text)
        if not calls:
            return Score(0.0, "a tool was needed, none was called") if rollout["needs_tool"] else Score(1.0, "no call")
        faults = [self._fault(place, call, rollout) for place, call in enumerate(calls)]
        marks = tuple(
            Mark("char", (call.span.start, call.span.end), float(not fault), fault or "succeeds")
            for call, fault in zip(calls, faults, strict=True)
        )
        worked = sum(not fault for fault in faults)
        first = next((fault for fault in faults if fault), "")
        return Score(worked / len(calls), f"{worked} of {len(calls)} calls" + (f"; {first}" if first else ""), marks)

    def _fault(self, place: int, call: Call, rollout: Rollout) -> str:
        if call.fault:
            return call.fault
        if self.depth is not None and place >= self.depth:
            return f"beyond the limit of {self.depth} calls"
        tools: Mapping[str, Sequence[str] | None] = rollout["tools"]
        needed = tools.get(call.name)  # a table of rows holds None for a tool that only other rows have
        if needed is None:
            return f"there is no tool `{call.name:.40}`"
        lacking = [name for name in needed if name not in call.arguments]
        if lacking:
            return f"`{call.name}` lacks {lacking}"
        ran = rollout.columns.get("call_outcomes")
        if ran is None:
            return ""
        return "was not run" if place >= len(ran) else "" if ran[place] else "failed"


def _wrong(tools: Any, needed: Any, ran: Any) -> str:
    if not isinstance(tools, Mapping) or not all(_is_list(names) for names in tools.values() if names is not None):
        return f"column `tools` is {tools!r:.60}; it needs names with lists of arguments"
    if needed not in (True, False):
        return f"column `needs_tool` is {needed!r:.60}; it needs true or false"
    if ran is not None and (not _is_list(ran) or any(r not in (0, 1) for r in ran)):
        return f"column `call_outcomes` is {ran!r:.60}; it needs a list of true and false"
    return ""


def _is_list(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | bytes | Mapping)
