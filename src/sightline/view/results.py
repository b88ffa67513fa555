"""Scored rollouts as a report needs them: all numbers as arrays, and the whole rows of a few.

Reads what `sightline score` writes and what a training run leaves in `rollouts/`; both have `reward`, one column per
part with its `why_<part>`, `why` and `marks`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sightline.core.errors import RolloutFileError
from sightline.core.scores import ABSTAIN, ERROR

Values = NDArray[np.float64]


@dataclass
class Part:
    """One column of scores over all rollouts.

    Args:
        values: (N,) NaN where it could not be scored.
        abstained, errors: how many had nothing to judge; how many failed, also where a value was filled in.
    """

    name: str
    values: Values
    abstained: int = 0
    errors: int = 0

    @property
    def known(self) -> Values:
        return self.values[np.isfinite(self.values)]

    @property
    def mean(self) -> float:
        return float(self.known.mean()) if len(self.known) else float("nan")

    @property
    def std(self) -> float:
        return float(self.known.std(ddof=1)) if len(self.known) > 1 else float("nan")


@dataclass(frozen=True)
class Results:
    """Scored rollouts of some files.

    Args:
        files: the Parquet files, in order.
        parts: `reward` first, then the parts.
        group: (N,) group numbers, or of files without groups the row numbers.
        failed: (N,) True where some reason says `error: `.
        facts: what `sightline score` noted about the result; empty for others.
    """

    files: tuple[Path, ...]
    parts: tuple[Part, ...]
    group: NDArray[np.int64]
    failed: NDArray[np.bool_]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def reward(self) -> Part:
        return self.parts[0]

    def folders(self) -> list[Path]:
        """Where relative picture paths may be relative to."""
        folders = [Path(self.facts["folder"])] if "folder" in self.facts else []
        return [*folders, *dict.fromkeys(file.parent.absolute() for file in self.files)]

    def rows(self, wanted: Sequence[int]) -> list[dict[str, Any]]:
        """Whole rows by number, in the order asked for."""
        found: dict[int, dict[str, Any]] = {}
        at = 0
        for path in self.files:
            file = pq.ParquetFile(path)
            for index in range(file.num_row_groups):
                size = file.metadata.row_group(index).num_rows
                mine = [row for row in wanted if at <= row < at + size]
                if mine:
                    table = file.read_row_group(index).take(pa.array([row - at for row in mine]))
                    found.update(zip(mine, _decoded(table), strict=True))
                at += size
        return [found[row] for row in wanted]


def given(row: Mapping[str, Any], name: str) -> Any:
    """A column of the data: where a part has its name, it was put aside as `given_<name>`."""
    aside = row.get(f"given_{name}")
    return row.get(name) if aside is None else aside


def read_results(files: Sequence[Path]) -> Results:
    """The numbers of scored files.

    Raises:
        RolloutFileError: a file cannot be read, or holds no scores.
    """
    opened = [_opened(path) for path in files]
    names = list(dict.fromkeys(name for file in opened for name in file.schema_arrow.names))
    parts = [Part(name, _joined(opened, name)) for name in ("reward", *_part_names(names))]
    failed = np.zeros(len(parts[0].values), np.bool_)
    for part in parts:
        why = "why" if part.name == "reward" else f"why_{part.name}"
        errors = _begins(opened, why, ERROR)
        failed |= errors
        part.errors = int(errors.sum())
        part.abstained = int((_begins(opened, why, ABSTAIN) & np.isnan(part.values)).sum())
    metadata = opened[0].schema_arrow.metadata or {}
    facts = json.loads(metadata[b"sightline"]) if b"sightline" in metadata else {}
    return Results(tuple(files), tuple(parts), _groups(opened), failed, facts)


def _opened(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise RolloutFileError(f"{path}: there is no such file") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise RolloutFileError(f"{path}: not a complete Parquet file ({error})") from error
    if "reward" not in file.schema_arrow.names or "why" not in file.schema_arrow.names:
        raise RolloutFileError(f"{path}: has no columns `reward` and `why`; score it first: sightline score {path} ...")
    return file


def _part_names(names: Sequence[str]) -> list[str]:
    return [name for name in names if f"why_{name}" in names and name != "reward"]


def _joined(files: Sequence[pq.ParquetFile], name: str) -> Values:
    found = []
    for file in files:
        for index in range(file.num_row_groups):
            size = file.metadata.row_group(index).num_rows
            if name not in file.schema_arrow.names:
                found.append(np.full(size, np.nan))
                continue
            column = file.read_row_group(index, columns=[name])[name]
            found.append(column.cast(pa.float64()).to_numpy().astype(np.float64))
    return np.concatenate(found) if found else np.zeros(0)


def _begins(files: Sequence[pq.ParquetFile], name: str, prefix: str) -> NDArray[np.bool_]:
    found = []
    for file in files:
        for index in range(file.num_row_groups):
            size = file.metadata.row_group(index).num_rows
            if name not in file.schema_arrow.names:
                found.append(np.zeros(size, np.bool_))
                continue
            column = file.read_row_group(index, columns=[name])[name].cast(pa.string())
            found.append(pc.starts_with(column, prefix).fill_null(False).to_numpy())
    return np.concatenate(found) if found else np.zeros(0, np.bool_)


def _groups(files: Sequence[pq.ParquetFile]) -> NDArray[np.int64]:
    """Group numbers; those of several files are kept apart."""
    found: list[NDArray[np.int64]] = []
    first = 0
    for file in files:
        if "group" in file.schema_arrow.names:
            values = file.read(columns=["group"])["group"].to_pylist()
        else:
            values = list(range(file.metadata.num_rows))
        numbers: dict[Any, int] = {}
        found.append(np.array([first + numbers.setdefault(value, len(numbers)) for value in values], np.int64))
        first += len(numbers)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _decoded(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as dictionaries, columns of JSON text as what they say."""
    rows: list[dict[str, Any]] = table.to_pylist()
    for one in table.schema:
        if one.metadata and b"sightline.json" in one.metadata:
            for row in rows:
                row[one.name] = None if row[one.name] is None else json.loads(row[one.name])
    return rows
