"""Some rows of a rollout file, as they were read: from JSON they stay rows, from Parquet they stay Arrow columns.

Knows nothing of rollouts; a block has named columns, can be cut, picked from and joined with the next.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sightline.judges.judge import encodable
from sightline.scoring.lines import parsed

Index: TypeAlias = NDArray[np.int64]
SAMPLE = 16  # rows that tell how large the others are
AS_JSON = {b"sightline.json": b"1"}  # metadata of a text column that holds JSON, since no Arrow type fits all values


class Block(Protocol):
    """Rows of one file with named columns."""

    @property
    def names(self) -> Sequence[str]: ...
    @property
    def nbytes(self) -> int: ...
    def __len__(self) -> int: ...
    def column(self, name: str) -> Sequence[Any]: ...
    def arrow(self, name: str) -> tuple[pa.Field, pa.ChunkedArray | pa.Array]: ...
    def slice(self, start: int, stop: int) -> Block: ...
    def take(self, index: Index) -> Block: ...
    def joined(self, after: Block) -> Block: ...
    def rows(self) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class JsonBlock:
    """Rows that were JSON objects. A column that a row lacks is None there.

    Args:
        items: the rows.
        lines: the JSON they were read from with its line ends, if it is at hand: what another process gets instead of
            the rows.
    """

    items: list[dict[str, Any]]
    lines: list[bytes] | None = field(default=None, compare=False, repr=False)

    @cached_property
    def names(self) -> Sequence[str]:
        return list(dict.fromkeys(name for item in self.items for name in item))

    @property
    def nbytes(self) -> int:
        """Bytes of its JSON, of some rows if the lines are not at hand."""
        if self.lines is not None:
            return sum(map(len, self.lines))
        some = self.items[:: max(1, len(self.items) // SAMPLE)]
        return sum(len(repr(row).encode()) for row in some) * len(self.items) // max(1, len(some))

    def __len__(self) -> int:
        return len(self.items)

    def column(self, name: str) -> list[Any]:
        return [item.get(name) for item in self.items]

    def arrow(self, name: str) -> tuple[pa.Field, pa.Array]:
        return arrow_column(name, self.column(name))

    def slice(self, start: int, stop: int) -> JsonBlock:
        return JsonBlock(self.items[start:stop], None if self.lines is None else self.lines[start:stop])

    def take(self, index: Index) -> JsonBlock:
        lines = None if self.lines is None else [self.lines[i] for i in index.tolist()]
        return JsonBlock([self.items[i] for i in index.tolist()], lines)

    def joined(self, after: Block) -> JsonBlock:
        written = after.lines if isinstance(after, JsonBlock) else None
        lines = None if self.lines is None or written is None else self.lines + written
        return JsonBlock(self.items + after.rows(), lines)

    def __reduce__(self) -> tuple[Any, ...]:
        # reading a line again takes less than packing and unpacking a row
        return (JsonBlock, (self.items,)) if self.lines is None else (_from_lines, (b"".join(self.lines),))

    def rows(self) -> list[dict[str, Any]]:
        return self.items


@dataclass(frozen=True)
class ArrowBlock:
    """Rows of a Parquet file."""

    table: pa.Table
    known: dict[str, list[Any]] = field(default_factory=dict, compare=False)

    @property
    def names(self) -> Sequence[str]:
        return list(self.table.column_names)

    @property
    def nbytes(self) -> int:
        return int(self.table.nbytes)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def column(self, name: str) -> list[Any]:
        if name not in self.known:
            missing = name not in self.table.column_names
            self.known[name] = [None] * len(self) if missing else self.table[name].to_pylist()
        return self.known[name]

    def arrow(self, name: str) -> tuple[pa.Field, pa.ChunkedArray | pa.Array]:
        if name not in self.table.column_names:
            return arrow_column(name, [None] * len(self))
        return pa.field(name, self.table.schema.field(name).type), self.table[name]

    def slice(self, start: int, stop: int) -> ArrowBlock:
        return ArrowBlock(self.table.slice(start, stop - start))

    def take(self, index: Index) -> ArrowBlock:
        return ArrowBlock(self.table.take(pa.array(index)))

    def joined(self, after: Block) -> Block:
        if isinstance(after, ArrowBlock):
            return ArrowBlock(pa.concat_tables([self.table, after.table], promote_options="permissive"))
        return JsonBlock(self.rows() + after.rows())

    def __reduce__(self) -> tuple[Any, ...]:
        # a slice pickles with all rows of its table, a stream holds its own only
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.table.schema) as stream:
            stream.write_table(self.table)
        return _from_stream, (sink.getvalue().to_pybytes(),)

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.table.to_pylist()
        return found


def _from_lines(data: bytes) -> JsonBlock:
    return JsonBlock(parsed(data.split(b"\n")[:-1])[0])


def _from_stream(data: bytes) -> ArrowBlock:
    return ArrowBlock(pa.ipc.open_stream(data).read_all())


def arrow_column(name: str, values: Sequence[Any]) -> tuple[pa.Field, pa.Array]:
    """Python values as an Arrow column; as JSON text if no one Arrow type holds them all.

    Example:
        >>> arrow_column("answer", ["a", None])[0].type, arrow_column("answer", [1, "a"])[1].to_pylist()
        (DataType(string), ['1', '"a"'])
    """
    try:
        array = pa.array(values, from_pandas=False)
    except UnicodeEncodeError:
        array = None if any(not isinstance(v, str | None) for v in values) else pa.array(clean_texts(values))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        array = None
    if array is None or not _storable(array.type):
        return pa.field(name, pa.string(), metadata=AS_JSON), json_texts(values)
    return pa.field(name, array.type), array


def json_texts(values: Sequence[Any]) -> pa.Array:
    """Values as JSON text; None stays None."""
    return pa.array([None if value is None else json.dumps(value, default=repr) for value in values], pa.string())


def clean_texts(texts: Sequence[str | None]) -> list[str | None]:
    """Texts that UTF-8 can hold."""
    return [None if text is None else encodable(text) for text in texts]


def text_column(texts: Sequence[str | None]) -> pa.Array:
    """Texts as an Arrow column, whatever a policy wrote into them."""
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array(clean_texts(texts), pa.string())


def _storable(kind: pa.DataType) -> bool:
    """Parquet has no structures without fields."""
    if pa.types.is_struct(kind):
        return kind.num_fields > 0 and all(_storable(kind.field(i).type) for i in range(kind.num_fields))
    return _storable(kind.value_type) if pa.types.is_list(kind) else True
