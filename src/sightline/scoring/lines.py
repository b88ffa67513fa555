"""Lines of JSON to rows. Knows nothing of files."""

from __future__ import annotations

import json
from typing import Any

import orjson


def parsed(lines: list[bytes]) -> tuple[list[dict[str, Any]], int | None]:
    """The rows of some lines, up to the first that is no JSON object, and the index of that line.

    Example:
        >>> parsed([b'{"a": 1}', b"[2]"])
        ([{'a': 1}], 1)
    """
    try:
        rows = list(map(orjson.loads, lines))
        if set(map(type, rows)) <= {dict}:
            return rows, None
    except orjson.JSONDecodeError:
        pass
    rows = []
    for index, line in enumerate(lines):
        try:
            row = loads(line)
        except (ValueError, RecursionError):
            return rows, index
        if not isinstance(row, dict):
            return rows, index
        rows.append(row)
    return rows, None


def loads(line: bytes) -> Any:
    """JSON, and what Python writes beyond it: NaN, Infinity, lone surrogates, long integers."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return json.loads(line)
