"""Vector files as tables: what the released code gives and what the strict reward gives on the same rollouts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from site_pages.markdown import code, folded, plain, table

Case = Mapping[str, Any]
_SETUP = ("rows", "plus", "minus", "only", "step", "verdicts", "records")  # beside the variant, what makes a run


@dataclass(frozen=True)
class Pair:
    """One case as both variants see it."""

    official: Case
    strict: Case

    def rows(self) -> list[tuple[str, str, str]]:
        """(completion, official, strict) of every rollout on which the two part."""
        texts = list(map(rollout_cell, rows_of(self.strict)))
        if "raises" in self.official or "raises" in self.strict:
            said = [_row(case, 0, None) for case in (self.official, self.strict)]
            return [(texts[0] if texts else "", said[0], said[1])] if said[0] != said[1] else []
        shared = _keys(self.official) & _keys(self.strict)
        found = []
        for number, text in enumerate(texts):
            values = [_row(case, number, shared) for case in (self.official, self.strict)]
            if values[0] != values[1]:
                found.append((text, values[0], values[1]))
        return found


def page(path: Path, one_variant: bool = False) -> str:
    """The section of a system's page that its vector file makes.

    Args:
        path: the vector file.
        one_variant: the released code agrees with the strict reward, or there is none.
    """
    cases = read(path)
    parted = [(pair, rows) for pair in pairs(cases) if (rows := pair.rows())]
    lines = [
        (plain(pair.strict["what"]) if number == 0 else "", *row)
        for pair, rows in parted
        for number, row in enumerate(rows)
    ]
    where = table(["case", "rollout", "official gives", "strict gives"], lines)
    if not where:
        where = (
            "There is one variant: official is strict.\n" if one_variant else "No vector holds both variants apart.\n"
        )
    everything = table(
        ["case", "variant", "expected", "source"],
        [(plain(c["what"]), _variant(c), expected(c), plain(c.get("source", ""))) for c in cases],
    )
    return f"{where}\n{folded(f'All {len(cases)} vectors', everything, 'abstract')}"


def read(path: Path) -> list[Case]:
    """The cases of a vector file; none if there is no such file."""
    if not path.exists():
        return []
    found = json.loads(path.read_text("utf-8"))
    return list(found["cases"] if isinstance(found, dict) else found)


def pairs(cases: Sequence[Case]) -> list[Pair]:
    """Cases that run the same rollouts through both variants, in the order of the file."""
    seen: dict[str, dict[str, Case]] = {}
    for case in cases:
        if "rows" in case:
            key = json.dumps([case.get(name) for name in _SETUP], sort_keys=True)
            both, variant = seen.setdefault(key, {}), case.get("variant", "strict")
            both[variant] = _merged(both.get(variant, {}), case)
    return [Pair(both["official"], both["strict"]) for both in seen.values() if len(both) == 2]


def expected(case: Case) -> str:
    """What a case expects, in one cell."""
    if "raises" in case:
        return code(case["raises"])
    parts = {"reward": case["reward"]} if "reward" in case else {}
    parts |= case.get("parts", {})
    parts |= {name: case[name] for name in ("marks", "advantages", "expected") if name in case}
    return "<br>".join(f"{plain(name)} {code(_value(value))}" for name, value in parts.items())


def said_by(completion: Any) -> str:
    """What the policy wrote: the text, or its turns of a transcript."""
    if isinstance(completion, list):
        turns = [turn for turn in completion if isinstance(turn, Mapping) and turn.get("role") == "assistant"]
        return " … ".join(str(turn.get("content")) for turn in turns)
    return str(completion)


def rows_of(case: Case) -> list[Case]:
    """The rollouts of a case as rows, also where the file has them as columns."""
    given = case["rows"]
    if not isinstance(given, Mapping):
        return list(given)
    return [dict(zip(given, values, strict=True)) for values in zip(*given.values(), strict=True)]


def rollout_cell(row: Case) -> str:
    """What was said, and below it the columns that it is held against."""
    columns = [
        f"{plain(name)}: {code(value, 60)}" for name, value in row.items() if name not in ("completion", "prompt")
    ]
    said = code(said_by(row.get("completion", "")))
    return "<br>".join((said, f"<small>{'; '.join(columns)}</small>")) if columns else said


def _merged(first: Case, second: Case) -> Case:
    """Two cases of one run as one: each tells some of its parts."""
    return {**second, **first, "parts": {**second.get("parts", {}), **first.get("parts", {})}}


def _variant(case: Case) -> str:
    return case.get("variant", "strict") if "rows" in case else "both"


def _keys(case: Case) -> set[str]:
    return ({"reward"} if "reward" in case else set()) | set(case.get("parts", {}))


def _row(case: Case, number: int, keys: set[str] | None) -> str:
    if "raises" in case:
        return code(case["raises"])
    columns = {"reward": case["reward"]} if "reward" in case else {}
    columns |= case.get("parts", {})
    return "<br>".join(
        f"{plain(name)}&nbsp;{_number(value[number]) if number < len(value) else ''}"
        for name, value in columns.items()
        if keys is None or name in keys
    )


def _number(value: Any) -> str:
    return "n/a" if value is None else f"{value:.6g}" if isinstance(value, int | float) else code(value)


def _value(value: Any) -> str:
    if isinstance(value, list) and all(item is None or isinstance(item, int | float) for item in value):
        return ", ".join(_number(item) for item in value)
    return _number(value) if isinstance(value, int | float) or value is None else json.dumps(value)
