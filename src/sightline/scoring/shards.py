"""The folder in which results wait until all are there: numbered shards, each complete or absent.

A shard's name is the number of the rollout it begins with. What has been scored follows from the shards alone: kill the
process at any moment, and the next one goes on behind the last shard. A lock keeps two processes from one folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sightline.core.errors import ConfigError, RolloutFileError
from sightline.scoring.blocks import AS_JSON, json_texts

ROW_GROUP = 65_536  # rows, at most
GROUP_BYTES = 256 << 20  # of Python values, so that rows with pictures do not fill the memory
KEY = b"sightline"  # of the facts in a result's schema metadata


@dataclass
class Shards:
    """The shards of one result that is being made.

    Args:
        folder: where they lie.
        facts: what they were made from; other facts must not be mixed in.
        input_changed: go on although the rollout file is another one.
    """

    folder: Path
    facts: Mapping[str, Any]
    input_changed: bool = False
    lock: IO[bytes] | None = field(default=None, repr=False)

    def __enter__(self) -> Shards:
        """Take the folder.

        Raises:
            ConfigError: another process has it.
        """
        while self.lock is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # whoever had the folder may be removing it
                self.lock = self._locked((self.folder / ".lock").open("ab"))
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Give it back; a folder whose work is done, or that holds nothing, is removed."""
        if kind is None or not any(self.folder.rglob("*.parquet")):
            shutil.rmtree(self.folder, ignore_errors=True)
        if self.lock is not None:
            self.lock.close()
        with suppress(OSError):
            self.folder.rmdir()  # NFS keeps an open file, and so its folder, until it is closed

    def open(self) -> int:
        """The number of rollouts that are already scored.

        Raises:
            ConfigError: the shards were made with other facts.
        """
        for torn in self.folder.glob("*.tmp"):
            torn.unlink()
        facts = self.noted()
        if facts is not None and self.files():
            check_facts(facts, self.facts, self.folder, self.input_changed)
        self._note(self.facts)
        return self._scored()

    def adopt(self, result: Path) -> None:
        """Make a finished result the first shard."""
        self.clear()
        self._note(read_facts(result))
        os.replace(result, self.folder / f"{0:015d}.parquet")

    def clear(self) -> None:
        """Forget the shards."""
        for file in self.files():
            file.unlink()

    def noted(self) -> dict[str, Any] | None:
        """What the shards were made from."""
        path = self.folder / "facts.json"
        return orjson.loads(path.read_bytes()) if path.exists() else None

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))

    def add(self, start: int, temporary: Path) -> Path:
        """Take in a file that `write_shard` wrote: the results of the rollouts from number `start` on."""
        path = self.folder / f"{start:015d}.parquet"
        settle(temporary, path)
        return path

    def tables(self) -> Iterator[pa.Table]:
        """What is in the shards; of one that was a whole result, row group by row group."""
        for path in self.files():
            file = pq.ParquetFile(path)
            yield from (file.read_row_group(index) for index in range(file.num_row_groups))

    def rows(self) -> Iterator[NDArray[np.int64]]:
        """The column `row` of the shards."""
        for path in self.files():
            for batch in pq.ParquetFile(path).iter_batches(columns=["row"]):
                yield batch["row"].to_numpy()

    def _scored(self) -> int:
        """Rollouts in the shards up to the first gap; what lies behind a gap is dropped."""
        scored = 0
        for path in self.files():
            if int(path.stem) != scored:
                path.unlink()
                continue
            try:
                scored += pq.read_metadata(path).num_rows
            except (pa.ArrowInvalid, OSError) as error:
                if isinstance(error, OSError) and error.errno is not None:  # the disk's fault, not the file's
                    raise
                path.unlink()
        return scored

    def _note(self, facts: Mapping[str, Any]) -> None:
        write_atomically(self.folder / "facts.json", orjson.dumps(dict(facts), option=orjson.OPT_INDENT_2))

    def _locked(self, file: IO[bytes]) -> IO[bytes] | None:
        """The lock, if the file still is that of the folder."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), os.stat(file.name)):
                return file
        except BlockingIOError:
            file.close()
            raise ConfigError(f"{self.folder}: another process is scoring into this folder") from None
        except FileNotFoundError:
            pass
        except OSError as error:
            file.close()
            raise ConfigError(f"{self.folder}: its disk cannot lock files ({error.strerror})") from error
        file.close()
        return None


def write_shard(folder: Path, table: pa.Table) -> Path:
    """Write some results where they wait for `Shards.add`."""
    number, name = tempfile.mkstemp(".tmp", "", folder)
    os.close(number)
    _write(table, name)
    return Path(name)


def packed_shard(table: pa.Table) -> pa.Buffer:
    """The bytes of a shard, for a process that does not see the folder."""
    sink = pa.BufferOutputStream()
    _write(table, sink)
    return sink.getvalue()


def put_shard(folder: Path, shard: pa.Buffer) -> Path:
    """Write what `packed_shard` gave where it waits for `Shards.add`."""
    number, name = tempfile.mkstemp(".tmp", "", folder)
    with os.fdopen(number, "wb") as file:
        file.write(shard)
    return Path(name)


def _write(table: pa.Table, where: Any) -> None:
    """Fast rather than small: shards are read once, and soon."""
    pq.write_table(table, where, compression="lz4", use_dictionary=False, write_statistics=False)


def read_shard(path: Path) -> pa.Table:
    """The results of one shard."""
    return pq.ParquetFile(path).read()


class ResultWriter:
    """One Parquet file from many tables, in row groups of equal size; it appears whole or not at all.

    Args:
        path: the file.
        schema: of all tables, see `result_schema`.
        folder: where it is until it is whole.
    """

    def __init__(self, path: Path, schema: pa.Schema, folder: Path) -> None:
        self.path, self.schema = path, schema
        self.temporary = folder / f"{path.name}.tmp"
        self.writer = pq.ParquetWriter(self.temporary, schema, compression="zstd")
        self.waiting: list[pa.Table] = []
        self.rows = self.size = 0

    def add(self, table: pa.Table) -> None:
        self.waiting.append(fitted(table, self.schema))
        self.size = self.size or row_group_of(self.waiting[0])
        self.rows += table.num_rows
        if self.rows >= self.size:
            whole = pa.concat_tables(self.waiting)
            self.rows %= self.size
            full = whole.num_rows - self.rows
            self.writer.write_table(whole.slice(0, full).combine_chunks(), self.size)
            # a copy: a slice would keep all of the rows that are written
            self.waiting = [whole.slice(full).take(pa.array(np.arange(self.rows)))] if self.rows else []

    def finish(self) -> None:
        """Write what waits, and give the file its name."""
        if self.rows:
            self.writer.write_table(pa.concat_tables(self.waiting).combine_chunks(), self.size)
        self.writer.close()
        settle(self.temporary, self.path)

    def drop(self) -> None:
        """Leave no file."""
        self.writer.close()
        self.temporary.unlink(missing_ok=True)


@dataclass
class GrowingResult:
    """A result file that is written while shards arrive, as long as all have the same columns.

    Args:
        path: the file.
        shards: the shards it is made of.
    """

    path: Path
    shards: Shards
    writer: ResultWriter | None = None
    torn: bool = False

    def add(self, table: pa.Table) -> None:
        """The next shard."""
        if self.torn:
            return
        schema = result_schema([table.schema], self.shards.facts)
        if self.writer is None:
            self.writer = ResultWriter(self.path, schema, self.shards.folder)
        if self.writer.schema.equals(schema, check_metadata=True):
            self.writer.add(table)
        else:
            self.torn = True
            self.drop()

    def finish(self) -> None:
        """Give the file its name; of shards with different columns it is written only now."""
        if self.writer is not None:
            self.writer.finish()
        else:
            schema = result_schema([pq.read_schema(file) for file in self.shards.files()], self.shards.facts)
            write_result(self.path, self.shards.tables(), schema, self.shards.folder)

    def drop(self) -> None:
        if self.writer is not None:
            self.writer.drop()
            self.writer = None


def write_result(path: Path, tables: Iterator[pa.Table], schema: pa.Schema, folder: Path) -> None:
    """A result file from all its tables, in `folder` until it is whole."""
    writer = ResultWriter(path, schema, folder)
    try:
        for table in tables:
            writer.add(table)
        writer.finish()
    except BaseException:
        writer.drop()
        raise


def row_group_of(first: pa.Table) -> int:
    """Rows of a row group, by the size of the first rows: the same for the same rows, however they were cut."""
    some = first.slice(0, 16)
    size = max(1, len(repr(some.to_pylist())) // max(1, some.num_rows))
    return max(16, min(ROW_GROUP, 1 << (GROUP_BYTES // size + 1).bit_length() - 1))


def result_schema(schemas: Sequence[pa.Schema], facts: Mapping[str, Any]) -> pa.Schema:
    """One schema for all tables; a column for which there is no common type becomes JSON text."""
    fields: dict[str, dict[tuple[pa.DataType, bool], pa.Field]] = {}
    for schema in schemas:
        for one in schema:
            fields.setdefault(one.name, {})[one.type, bool(one.metadata)] = one
    metadata = {KEY: orjson.dumps(dict(facts))}
    return pa.schema([_united(name, list(of_name.values())) for name, of_name in fields.items()], metadata=metadata)


def fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table with the columns and types of `schema`."""
    return pa.table([_fitted(table, one) for one in schema], schema=schema)


def read_facts(path: Path) -> dict[str, Any]:
    """What a result file was made from.

    Raises:
        RolloutFileError: it is no Parquet file, or not one that sightline scored.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowInvalid, OSError) as error:
        raise RolloutFileError(f"{path}: not a complete Parquet file ({error})") from error
    if KEY not in metadata:
        raise RolloutFileError(f"{path}: a Parquet file, but not one that sightline scored")
    facts: dict[str, Any] = orjson.loads(metadata[KEY])
    return facts


def check_facts(old: Mapping[str, Any], new: Mapping[str, Any], path: Path, input_changed: bool = False) -> None:
    """Raise if results made from `old` facts must not be continued with `new` ones."""
    differ = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name) and name != "folder"]
    if differ == ["input"] and input_changed:
        return
    if differ == ["input"]:
        raise ConfigError(
            f"{path}: the rollout file has changed since it was scored in part. If the rows scored so far are the same "
            "(rows were added, or a later one repaired), go on with --input-changed; else start anew with --fresh"
        )
    if differ:
        raise ConfigError(
            f"{path}: holds results of other settings ({', '.join(differ)}). "
            "Give another -o, or start anew with --fresh"
        )


def write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(content)
    settle(temporary, path)


def settle(temporary: Path, path: Path) -> None:
    """Give a finished file its name, once its bytes are on disk; both are there afterwards."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    with suppress(OSError):  # not every disk can
        os.fsync(folder)
    os.close(folder)


def _united(name: str, fields: Sequence[pa.Field]) -> pa.Field:
    if any(field.metadata for field in fields):
        return pa.field(name, pa.string(), metadata=AS_JSON)
    try:
        schemas = [pa.schema([pa.field(name, field.type)]) for field in fields]
        return pa.unify_schemas(schemas, promote_options="permissive").field(name)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.field(name, pa.string(), metadata=AS_JSON)


def _fitted(table: pa.Table, wanted: pa.Field) -> pa.ChunkedArray | pa.Array:
    if wanted.name not in table.column_names:
        return pa.nulls(table.num_rows, wanted.type)
    given, column = table.schema.field(wanted.name), table[wanted.name]
    if wanted.metadata:
        return column if given.metadata else json_texts(column.to_pylist())
    if given.type == wanted.type:
        return column
    try:
        return column.cast(wanted.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return pa.array(column.to_pylist(), wanted.type)
