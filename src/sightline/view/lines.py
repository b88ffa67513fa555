"""Scored rollouts as JSON lines, such as reward workers inside another trainer log them: read, and made Parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sightline.core.errors import RolloutFileError
from sightline.core.scores import ABSTAIN

OWN = ("step", "mode", "group", "prompt", "completion", "reward", "why")  # what is no part
NOT_LOGGED = f"{ABSTAIN}not scored"


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines; none if there is no file.

    Raises:
        RolloutFileError: a line, other than the last, is not JSON.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found += [json.loads(line)] if line.strip() else []
        except ValueError as error:
            if number < len(lines):  # the last line may have been cut by a kill, or is being written
                raise RolloutFileError(f"{path}: line {number} is not JSON ({error})") from error
    return [one for one in found if isinstance(one, dict)]


def as_parquet(files: Sequence[Path], out: Path) -> Path:
    """One file of scored rollouts, in the order of steps: every number that is not known otherwise is a part.

    Raises:
        RolloutFileError: there is nothing scored in them.
    """
    rows = [row for file in files for row in lines_of(file)]
    if not any("reward" in row and "why" in row for row in rows):
        raise RolloutFileError(
            f"{files[0]}: no line has `reward` and `why`; score it first: sightline score {files[0]}"
        )
    rows.sort(key=lambda row: _number(row.get("step")) or 0.0)
    names = dict.fromkeys(name for row in rows for name in row)
    columns: dict[str, pa.Array] = {}
    for name in names:
        values = [row.get(name) for row in rows]
        part = name not in OWN and all(value is None or _number(value) is not None for value in values)
        if part or name == "reward":
            columns[name] = pa.array([_number(value) for value in values], pa.float64())
        elif name == "step":
            columns[name] = pa.array(
                [None if (at := _number(value)) is None else int(at) for value in values], pa.int64()
            )
        else:
            columns[name] = pa.array([_text(value) for value in values], pa.string())
        if part:
            columns[f"why_{name}"] = pa.array([NOT_LOGGED if value is None else "" for value in values], pa.string())
    pq.write_table(pa.table(columns), out)
    return out


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    text = value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return None if text is None else text.encode("utf-8", "replace").decode()
