"""What a request asks for, as a batch; and scores as the answer.

A request has exactly one of `rows` (objects), `groups` (lists of rows, each list one prompt's rollouts) and `columns`
(name -> list). Groups stay whole: a group is what one request says it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sightline.core.batch import Batch
from sightline.core.errors import did_you_mean
from sightline.core.marks import Mark
from sightline.core.scores import Scores
from sightline.serve.limits import Limits
from sightline.serve.media import Inspection
from sightline.serve.refusal import too_large, wrong

SHAPES = ("rows", "groups", "columns")
KNOWN = (*SHAPES, "media", "step", "marks")


def batch_of(
    body: Any, limits: Limits, root: Path | None = None, constants: Sequence[tuple[str, Any]] = ()
) -> tuple[Batch, bool]:
    """(the rollouts of a request, whether its answer shows marks).

    Args:
        body: the decoded body.
        limits: how much is accepted.
        root: the folder that paths of media may lead into.
        constants: (column, value) for rows that lack the column.

    Raises:
        Refusal: 413 or 422, naming row and column.

    Example:
        >>> batch, marks = batch_of({"groups": [[{"completion": "a"}, {"completion": "b"}]]}, Limits())
        >>> batch.group, marks
        (array([0, 0]), False)
    """
    if not isinstance(body, dict):
        raise wrong(f"a request is an object with {' or '.join(SHAPES)}, got {_kind(body)}")
    for name in body:
        if name not in KNOWN:
            said = str(name)[:80]  # names can be as long as a body
            raise wrong(f"unknown field `{said}`; there are {list(KNOWN)}.{did_you_mean(said, KNOWN)}")
    given = [shape for shape in SHAPES if body.get(shape) is not None]
    if len(given) != 1:
        raise wrong(f"a request has exactly one of {list(SHAPES)}, got {given}")
    rows = _rows(given[0], body[given[0]], limits)
    media, step, marks = body.get("media") or {}, body.get("step"), body.get("marks") or False
    if not isinstance(media, dict):
        raise wrong(f"`media` is an object of id -> bytes, got {_kind(media)}")
    if step is not None and (type(step) is not int or not 0 <= step < 2**53):
        raise wrong(f"`step` is a whole number from 0, got {_kind(step)}")
    if type(marks) is not bool:
        raise wrong(f"`marks` is true or false, got {_kind(marks)}")
    return checked(rows, Inspection(limits, root, media), constants, step), marks


def checked(
    rows: Sequence[Mapping[str, Any]],
    inspection: Inspection,
    constants: Sequence[tuple[str, Any]] = (),
    step: int | None = None,
) -> Batch:
    """A batch from rows whose columns have been looked at one by one; a row without a group is one.

    Raises:
        Refusal: 413 or 422, naming row and column.
    """
    found, names = [], {name for name, _ in constants}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise wrong(f"a row is an object with a column `completion`, got {_kind(row)}", number)
        _check_completion(row, number)
        if not row.keys() <= names:  # a table is as wide as all rows together
            names |= row.keys()
            if len(names) > inspection.limits.columns:
                raise too_large(f"more than {inspection.limits.columns} names of columns in one request", number)
        one = inspection.row(row, number)
        for name, value in constants:
            if one.get(name) is None:
                one[name] = value
        found.append(one)
    if "group" in names:
        for number, one in enumerate(found):
            if one.get("group") is None:
                one["group"] = ("alone", number)
    return Batch.from_rows(found, step=step)


def _rows(shape: str, given: Any, limits: Limits) -> list[Any]:
    rows = {"rows": _plain, "groups": _grouped, "columns": _by_column}[shape](given, limits)
    if not rows:
        raise wrong(f"`{shape}` is empty; needs one rollout at least")
    return rows


def _plain(given: Any, limits: Limits) -> list[Any]:
    if not isinstance(given, list):
        raise wrong(f"`rows` is a list of rows, got {_kind(given)}")
    return few(given, limits)


def _grouped(given: Any, limits: Limits) -> list[Any]:
    if not isinstance(given, list):
        raise wrong(f"`groups` is a list of lists of rows, got {_kind(given)}")
    rows: list[Any] = []
    for number, group in enumerate(given):
        if not isinstance(group, list):
            raise wrong(f"group {number} is a list of rows, got {_kind(group)}")
        rows += [{**row, "group": number} if isinstance(row, dict) else row for row in group]
    return few(rows, limits)


def _by_column(given: Any, limits: Limits) -> list[Any]:
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        raise wrong(f"`columns` is an object of name -> list, got {_kind(given)}")
    for name, values in given.items():
        if not isinstance(values, list):
            raise wrong(f"needs a list with a value for every row, got {_kind(values)}", column=name)
    sizes = {name: len(values) for name, values in given.items()}
    if len(set(sizes.values())) > 1:
        raise wrong(f"columns of different lengths: {dict(list(sizes.items())[:8])}")
    few(next(iter(given.values()), []), limits)
    return [dict(zip(given, values, strict=True)) for values in zip(*given.values(), strict=True)]


def few(rows: list[Any], limits: Limits) -> list[Any]:
    if len(rows) > limits.rows:
        raise too_large(f"{len(rows):,} rows, more than {limits.rows:,}; send them in several requests")
    return rows


def _check_completion(row: Mapping[str, Any], number: int) -> None:
    if "completion" not in row:
        known = [str(name)[:80] for name in list(row)[:20]]
        raise wrong(f"missing; the row has {sorted(known)}.{did_you_mean('completion', known)}", number, "completion")
    _check_words(row["completion"], number, "completion")
    if row.get("prompt") is not None:
        _check_words(row["prompt"], number, "prompt")
    if type(row.get("group")) not in (int, str, type(None)):
        raise wrong(f"needs a number or a text, got {_kind(row['group'])}", number, "group")


def _check_words(value: Any, number: int, column: str) -> None:
    """A text, or chat messages."""
    if type(value) is str:
        return
    if type(value) is not list or not all(type(turn) is dict for turn in value):
        raise wrong(f"needs a text or a list of chat messages, got {_kind(value)}", number, column)
    for turn in value:
        if not isinstance(turn.get("role", "assistant"), str):
            raise wrong(f"the role of a message is a text, got {_kind(turn['role'])}", number, column)
        if not isinstance(turn.get("content"), str | list | None):
            raise wrong(f"the content of a message is a text or a list, got {_kind(turn['content'])}", number, column)


def answer_of(scores: Scores, marks: bool = False) -> dict[str, Any]:
    """Scores as plain values: null is unscorable, `why` says whether there was nothing to judge or a judge failed."""
    answer: dict[str, Any] = {**_one(scores), "parts": {name: _one(part) for name, part in scores.parts.items()}}
    if marks:
        answer["marks"] = [[_mark(mark) for mark in row] for row in scores.marks]
    return answer


def _mark(mark: Mark) -> dict[str, Any]:
    frame = None if mark.frame is None else asdict(mark.frame)
    place = [_number(at) for at in mark.place]
    return {"unit": mark.unit, "place": place, "value": _number(mark.value), "why": mark.why, "frame": frame}


def _one(scores: Scores) -> dict[str, Any]:
    return {"scores": [_number(value) for value in scores.values.tolist()], "why": list(scores.why)}


def _number(value: Any) -> float | None:
    """A plain number, None for what is not finite: the same in all formats."""
    number: float = value.item() if hasattr(value, "item") else value
    return number if number - number == 0 else None


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bytes: "bytes",
        type(None): "nothing",
        bool: "a truth value",
    }
    names |= {int: "a number", float: "a number"}
    return names.get(type(value), f"a {type(value).__name__}")
