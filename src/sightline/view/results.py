"""Scored rollouts as a page needs them: all numbers as arrays, and the whole rows of a few.

Reads what `sightline score` writes and what a training run leaves in `rollouts/`; both have `reward`, one column per
part with its `why_<part>`, `why` and `marks`. Texts are streamed, never held: a million rollouts are some arrays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
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
from sightline.rewards.algebra import NOT_EVALUATED

Values = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
MEASURES = ("advantage", "step", "completion_tokens")  # numbers beside the parts, where a file has them
ASIDE = "given_group"
AT_ONCE = 512  # rows that are decoded together when some of them are wanted


@dataclass
class Part:
    """One column of scores over all rollouts.

    Args:
        values: (N,) NaN where it could not be scored.
        nothing: (N,) True where there was nothing to judge.
        failing: (N,) True where a judge or a sandbox failed, also where a value was filled in.
        open: whether it was evaluated in any rollout; else it stands behind gates that are closed for all.
    """

    name: str
    values: Values
    nothing: Flags
    failing: Flags
    open: bool = True

    @property
    def abstained(self) -> int:
        return int(self.nothing.sum())

    @property
    def errors(self) -> int:
        return int(self.failing.sum())

    @property
    def known(self) -> Values:
        return self.values[np.isfinite(self.values)]

    @property
    def mean(self) -> float:
        return float(self.known.mean()) if len(self.known) else float("nan")

    @property
    def std(self) -> float:
        known = self.known
        if len(known) < 2:
            return float("nan")
        return float(known.std(ddof=1)) if (known != known[0]).any() else 0.0  # not rounding noise

    @property
    def why(self) -> str:
        """The column of its reasons."""
        return "why" if self.name == "reward" else f"why_{self.name}"


@dataclass(frozen=True)
class Results:
    """Scored rollouts of some files.

    Args:
        files: the Parquet files, in order.
        sizes: how many rollouts each holds.
        parts: `reward` first, then the parts.
        measures: other numbers, such as advantages and steps, as parts without reasons.
        group: (N,) group numbers, or of files without groups the row numbers.
        labels: the name of each group, as its file has it.
        failed: (N,) True where some reason says `error: `.
        facts: what `sightline score` noted about the result; empty for others.
    """

    files: tuple[Path, ...]
    sizes: tuple[int, ...]
    parts: tuple[Part, ...] = field(repr=False)
    measures: tuple[Part, ...] = field(repr=False)
    group: Rows = field(repr=False)
    labels: pa.Array = field(repr=False)
    failed: Flags = field(repr=False)
    facts: dict[str, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.group)

    @property
    def reward(self) -> Part:
        return self.parts[0]

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of the parts that were evaluated in any rollout."""
        return tuple(part.name for part in self.parts[1:] if part.open)

    def numbers(self, name: str) -> Part:
        """The part or measure of a name."""
        return next(part for part in (*self.parts, *self.measures) if part.name == name)

    def folders(self) -> list[Path]:
        """Where relative picture paths may be relative to."""
        folders = [Path(self.facts["folder"])] if "folder" in self.facts else []
        return [*folders, *dict.fromkeys(file.parent.absolute() for file in self.files)]

    def rows(self, wanted: Sequence[int], columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Rows by number, in the order asked for; all columns, or those of `columns` that a file has."""
        found: dict[int, dict[str, Any]] = {}
        for file, index, first, mine in self._pieces(sorted(set(wanted))):
            names = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
            if names == []:
                found.update({row: {} for row in mine})
                continue
            for at, table in _batches(file, index, names, mine[-1] - first + 1):
                here = [row for row in mine if first + at <= row < first + at + table.num_rows]
                if here:
                    picked = table.take(pa.array([row - first - at for row in here]))
                    found.update(zip(here, _decoded(picked), strict=True))
        return [found[row] for row in wanted]

    def cost(self, wanted: Sequence[int], column: str) -> int:
        """Bytes that are decoded, at most, to read one column of these rows."""
        total = 0
        for file, index, _, _ in self._pieces(sorted(set(wanted))):
            group = file.metadata.row_group(index)
            parts = (group.column(number) for number in range(group.num_columns))
            total += sum(p.total_uncompressed_size for p in parts if p.path_in_schema.split(".")[0] == column)
        return total

    def holding(self, column: str, text: str) -> Flags:
        """(N,) True where a text column has `text` in it, whatever the case; of chat messages any of them."""
        found = [np.zeros(0, np.bool_)]
        for path in self.files:
            schema = pq.read_schema(path)
            texts = column in schema.names and pa.types.is_string(schema.field(column).type)
            # equal texts, of which reasons have many, are looked at once
            with pq.ParquetFile(path, read_dictionary=[column] if texts else None) as file:
                for size, read in _chunks([file], column):
                    found.append(np.zeros(size, np.bool_) if read is None else _holds(read, text))
        return np.concatenate(found)

    def _pieces(self, wanted: Sequence[int]) -> Iterator[tuple[pq.ParquetFile, int, int, list[int]]]:
        """(file, row group, number of its first row, rows wanted of it) of every row group that has some of them."""
        first = 0
        for path, size in zip(self.files, self.sizes, strict=True):
            if any(first <= row < first + size for row in wanted):
                with pq.ParquetFile(path, memory_map=True) as file:
                    at = first
                    for index in range(file.num_row_groups):
                        rows = file.metadata.row_group(index).num_rows
                        if mine := [row for row in wanted if at <= row < at + rows]:
                            yield file, index, at, mine
                        at += rows
            first += size


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
    try:
        sizes = tuple(file.metadata.num_rows for file in opened)
        names = list(dict.fromkeys(name for file in opened for name in file.schema_arrow.names))
        parts, failed = [], np.zeros(sum(sizes), np.bool_)
        for name in ("reward", *_part_names(names)):
            values = _joined(opened, name)
            nothing, failing, closed = _reasons(opened, "why" if name == "reward" else f"why_{name}")
            parts.append(Part(name, values, nothing & np.isnan(values), failing, not closed))
            failed |= failing
        none = np.zeros(len(failed), np.bool_)
        measures = [
            Part(name, _joined(opened, name), none, none) for name in MEASURES if _is_number(opened, name, parts)
        ]
        metadata = opened[0].schema_arrow.metadata or {}
        facts = json.loads(metadata[b"sightline"]) if b"sightline" in metadata else {}
        group, labels = _groups(opened)
        return Results(tuple(files), sizes, tuple(parts), tuple(measures), group, labels, failed, facts)
    finally:
        for file in opened:
            file.close()


def _opened(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise RolloutFileError(f"{path}: there is no such file") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise RolloutFileError(f"{path}: not a complete Parquet file ({error})") from error
    if "reward" not in file.schema_arrow.names or "why" not in file.schema_arrow.names:
        file.close()
        raise RolloutFileError(f"{path}: has no columns `reward` and `why`; score it first: sightline score {path} ...")
    for name in ("reward", *_part_names(file.schema_arrow.names)):
        kind = file.schema_arrow.field(name).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind)):
            file.close()
            raise RolloutFileError(f"{path}: column `{name}` has values of type {kind}; a score is a number")
    return file


def _part_names(names: Sequence[str]) -> list[str]:
    return [name for name in names if f"why_{name}" in names and name != "reward"]


def _is_number(files: Sequence[pq.ParquetFile], name: str, parts: Sequence[Part]) -> bool:
    if any(part.name == name for part in parts):
        return False
    types = [file.schema_arrow.field(name).type for file in files if name in file.schema_arrow.names]
    return bool(types) and all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in types)


def _chunks(files: Sequence[pq.ParquetFile], name: str) -> Iterator[tuple[int, pa.ChunkedArray | None]]:
    """(rows, column) of every row group; no column where a file lacks it."""
    for file in files:
        there = name in file.schema_arrow.names
        for index in range(file.num_row_groups):
            column = file.read_row_group(index, columns=[name])[name] if there else None
            yield file.metadata.row_group(index).num_rows, column


def _joined(files: Sequence[pq.ParquetFile], name: str) -> Values:
    found = [
        np.full(size, np.nan) if column is None else column.cast(pa.float64()).to_numpy().astype(np.float64)
        for size, column in _chunks(files, name)
    ]
    return np.concatenate(found) if found else np.zeros(0)


def _reasons(files: Sequence[pq.ParquetFile], name: str) -> tuple[Flags, Flags, bool]:
    """Where a reason says that there was nothing to judge, where that something failed, and if none was evaluated."""
    found: dict[str, list[Flags]] = {ABSTAIN: [], ERROR: []}
    closed = True
    for size, column in _chunks(files, name):
        texts = pa.nulls(size, pa.string()) if column is None else column.cast(pa.string())
        for prefix, flags in found.items():
            flags.append(_flags(pc.starts_with(texts, prefix)))
        closed = closed and bool(_flags(pc.starts_with(texts, NOT_EVALUATED)).all()) if size else closed
    nothing, failing = (np.concatenate([np.zeros(0, np.bool_), *flags]) for flags in found.values())
    return nothing, failing, closed


def _flags(found: Any) -> Flags:
    flags: Flags = found.fill_null(False).to_numpy(zero_copy_only=False)
    return flags


def _holds(column: pa.ChunkedArray, text: str) -> Flags:
    kind = column.type
    if pa.types.is_dictionary(kind):
        found = [_flags(_matches(chunk.dictionary, text).take(chunk.indices)) for chunk in column.chunks]
        return np.concatenate([np.zeros(0, np.bool_), *found])
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _flags(_matches(column, text))
    flags = np.zeros(len(column), np.bool_)
    messages = pa.types.is_list(kind) and pa.types.is_struct(kind.value_type)
    if messages and kind.value_type.get_field_index("content") >= 0:
        listed = column.combine_chunks()
        content = pc.struct_field(pc.list_flatten(listed), "content")
        if pa.types.is_string(content.type):
            said = _flags(_matches(content, text))
            flags[pc.list_parent_indices(listed).to_numpy()[said]] = True
    return flags


def _matches(texts: Any, text: str) -> Any:
    return pc.match_substring(texts, text, ignore_case=True)


def _groups(files: Sequence[pq.ParquetFile]) -> tuple[Rows, pa.Array]:
    """Group numbers, and names as the scored data has them; groups of several files are kept apart."""
    found: list[Rows] = [np.zeros(0, np.int64)]
    labels: list[pa.Array] = [pa.array([], pa.string())]
    first = 0
    for file in files:
        if "group" in file.schema_arrow.names:
            coded = file.read(columns=["group"])["group"].combine_chunks().dictionary_encode(null_encoding="encode")
            numbers, names = coded.indices.to_numpy().astype(np.int64), coded.dictionary
            if ASIDE in file.schema_arrow.names:  # the number is ours, the name was put aside
                of_group = np.unique(numbers, return_index=True)[1]
                names = file.read(columns=[ASIDE])[ASIDE].take(pa.array(of_group))
        else:
            numbers = np.arange(file.metadata.num_rows)
            names = pa.array(numbers)
        found.append(first + numbers)
        labels.append(pa.array([str(name) for name in names.to_pylist()], pa.string()))
        first += len(names)
    return np.concatenate(found), pa.concat_arrays(labels)


def _batches(
    file: pq.ParquetFile, index: int, columns: Sequence[str] | None, stop: int
) -> Iterator[tuple[int, pa.Table]]:
    """(number of the first row in its row group, rows) up to row `stop`, some hundred rows in memory at a time."""
    at = 0
    for batch in file.iter_batches(batch_size=AT_ONCE, row_groups=[index], columns=columns):
        yield at, pa.Table.from_batches([batch])
        at += batch.num_rows
        if at >= stop:
            return


def _decoded(table: pa.Table) -> list[dict[str, Any]]:
    """Rows as dictionaries, columns of JSON text as what they say."""
    rows: list[dict[str, Any]] = table.to_pylist()
    for one in table.schema:
        if one.metadata and b"sightline.json" in one.metadata:
            for row in rows:
                row[one.name] = None if row[one.name] is None else json.loads(row[one.name])
    return rows
