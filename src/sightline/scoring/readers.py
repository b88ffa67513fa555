"""Rollout files as a stream of blocks: JSON lines, JSON arrays, Parquet, what torch saved; told by their first bytes.

JSON may be compressed with gzip or zstd. Never holds more than some megabytes of a file. Knows formats only; what the
columns mean is the business of `dialects.py`.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from sightline.core.errors import MissingExtra, RolloutFileError, did_you_mean
from sightline.scoring.blocks import ArrowBlock, Block, JsonBlock
from sightline.scoring.lines import loads, parsed

BLOCK_BYTES = 8 << 20
LARGEST_ELEMENT = 64 << 20
JSON = (".jsonl", ".ndjson", ".json")
SUFFIXES = (".parquet", *JSON, ".pt", *(f"{kind}{packed}" for kind in JSON for packed in (".gz", ".zst")))
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
STEP = re.compile(r"train_data_step(\d+)\.")  # NeMo-RL says the step in the name of a file, and nowhere else
PARQUET = b"PAR1"
TORCH = b"PK\x03\x04"
BOM = b"\xef\xbb\xbf"


def rollout_files(path: Path) -> list[Path]:
    """The file itself, or the rollout files of a folder in natural order (step 2 before step 10).

    Raises:
        RolloutFileError: there is no such file, or none in the folder.
    """
    if path.is_dir():
        found = [file for file in path.iterdir() if file.name.endswith(SUFFIXES) and file.is_file()]
        if not found:
            raise RolloutFileError(f"{path}: the folder holds no rollout file ({', '.join(SUFFIXES)})")
        return sorted(found, key=lambda file: [int(t) if t.isdigit() else t for t in re.split(r"(\d+)", file.name)])
    if not path.is_file():
        near = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        raise RolloutFileError(f"{path}: there is no such file.{did_you_mean(path.name, near)}")
    return [path]


def read_blocks(path: Path) -> Iterator[Block]:
    """The rows of one file, block by block.

    Raises:
        RolloutFileError: the file is empty, truncated, or not what its name says; rows before the broken place have
            been yielded by then.
    """
    reader, step = _reader(path), STEP.match(path.name)
    try:
        for block in reader(path):
            yield block if step is None else JsonBlock([{"step": int(step[1]), **row} for row in block.rows()])
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, RolloutFileError):
            raise
        raise RolloutFileError(f"{path}: cannot be read: {error}") from error


def count_rows(path: Path) -> int | None:
    """How many rows a file holds, or None if that takes reading it."""
    kind = _reader(path)
    if kind is _parquet:
        return int(_open_parquet(path).metadata.num_rows)
    if kind in (_json_array, _torch_samples) or _packing(path):
        return None
    lines, last = 0, b"\n"
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(BLOCK_BYTES), b""):
            lines, last = lines + chunk.count(b"\n"), chunk[-1:]
    return lines + (last != b"\n")  # the last line may lack its end


def _reader(path: Path) -> Callable[[Path], Iterator[Block]]:
    """The reader for what the file begins with."""
    try:
        with _opened(path) as file:
            head = file.read(4096).removeprefix(BOM)
    except (OSError, EOFError, zlib.error) as error:
        raise RolloutFileError(f"{path}: cannot be read: {error}") from error
    if head.startswith(PARQUET) or path.suffix == ".parquet":
        return _parquet
    if head.startswith(TORCH):
        return _torch_samples
    first = head.lstrip()[:1]
    if first not in (b"[", b"{"):
        what = "is empty" if not head else f"begins with {head[:20]!r}"
        raise RolloutFileError(f"{path}: {what}; a rollout file is JSON lines, a JSON list of rows, or Parquet")
    return _json_array if first == b"[" else _json_lines


def _packing(path: Path) -> str:
    """How a file is compressed; empty: not at all."""
    with path.open("rb") as file:
        head = file.read(4)
    return "gzip" if head.startswith(GZIP) else "zstd" if head == ZSTD else ""


def _opened(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked while they are read."""
    packing = _packing(path)
    if packing == "gzip":
        return cast(BinaryIO, gzip.open(path))
    if packing == "zstd":
        return cast(BinaryIO, io.BufferedReader(pa.input_stream(str(path), compression="zstd")))
    return path.open("rb")


def _open_parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise RolloutFileError(f"{path}: not a complete Parquet file, it seems cut off or damaged ({error})") from error


def _parquet(path: Path) -> Iterator[Block]:
    file = _open_parquet(path)
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    size = sum(group.total_byte_size for group in groups) / max(1, file.metadata.num_rows)
    rows = min(8192, max(16, int(BLOCK_BYTES / max(1.0, size))))
    seen = 0
    try:
        for batch in file.iter_batches(batch_size=rows):
            seen += batch.num_rows
            yield ArrowBlock(pa.Table.from_batches([batch]))
    except (pa.ArrowException, OSError) as error:
        raise RolloutFileError(f"{path}: damaged after row {seen} ({error})") from error


def _torch_samples(path: Path) -> Iterator[Block]:
    """The list `samples` of what torch saved, which may hold tensors and plain values and nothing that runs code."""
    from pickle import UnpicklingError

    try:
        import torch
    except ImportError as error:
        raise MissingExtra.of(f"reading {path.name}", "train") from error
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError) as error:
        reason = str(error).partition("\n")[0]
        raise RolloutFileError(f"{path}: cannot be read without running code that it holds ({reason})") from error
    samples = held.get("samples") if isinstance(held, dict) else None
    if not isinstance(samples, list) or not all(isinstance(sample, dict) for sample in samples):
        raise RolloutFileError(f"{path}: holds no list `samples` of rollouts")
    yield JsonBlock(samples)


def _json_lines(path: Path) -> Iterator[Block]:
    with _opened(path) as file:
        number = 0
        while lines := file.readlines(BLOCK_BYTES):
            if number == 0:
                lines[0] = lines[0].removeprefix(BOM)
            written = [index for index, line in enumerate(lines) if not line.isspace()]
            filled = lines if len(written) == len(lines) else [lines[index] for index in written]
            rows, broken = parsed(filled)
            if rows:
                ended = filled if len(filled) == len(rows) else filled[: len(rows)]
                if not ended[-1].endswith(b"\n"):
                    ended = [*ended[:-1], ended[-1] + b"\n"]
                yield JsonBlock(rows, ended)
            if broken is not None:
                at = written[broken]
                raise _broken_line(path, number + at, lines[at], last=not file.read(1))
            number += len(lines)


def _broken_line(path: Path, index: int, line: bytes, last: bool) -> RolloutFileError:
    try:
        reason = f"holds {type(loads(line)).__name__}, not an object"
    except (ValueError, RecursionError) as error:
        cut = last and not line.endswith(b"\n")
        reason = "is cut off: the file was not written to its end" if cut else f"is not JSON ({error})"
    return RolloutFileError(f"{path}: line {index + 1} {reason}; it begins {line[:60]!r}")


def _json_array(path: Path) -> Iterator[Block]:
    rows: list[dict[str, Any]] = []
    size, seen = 0, 0
    with _opened(path) as file:
        try:
            for length, row in _elements(path, file):
                if not isinstance(row, dict):
                    raise RolloutFileError(f"{path}: element {seen} of the list is {type(row).__name__}, not an object")
                rows.append(row)
                seen, size = seen + 1, size + length
                if size > BLOCK_BYTES:
                    yield JsonBlock(rows)
                    rows, size = [], 0
        except RolloutFileError:
            if rows:
                yield JsonBlock(rows)
            raise
    if rows:
        yield JsonBlock(rows)


def _elements(path: Path, file: BinaryIO) -> Iterator[tuple[int, Any]]:
    """(characters, value) of every element of a JSON list, reading as much as the next element needs."""
    text = _Text(path, file)
    decoder = json.JSONDecoder()
    text.expect("[")
    if text.peek() == "]":
        return
    while True:
        text.peek()
        value, end = text.decoded(decoder)
        yield end, value
        if text.expect(",]") == "]":
            return


class _Text:
    """The text of a file from where reading stands."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.stream = iter(lambda: file.read(1 << 20), b"")
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.text = ""
        self.at = 0
        self.line = 1

    def more(self) -> bool:
        """Read on; False at the end of the file."""
        chunk = next(self.stream, None)
        if chunk is None:
            return False
        self.line += self.text.count("\n", 0, self.at)
        try:
            self.text = self.text[self.at :] + self.decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise RolloutFileError(f"{self.path}: after line {self.line}: not UTF-8 ({error})") from error
        self.at = 0
        return True

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            while self.at < len(self.text):
                if not self.text[self.at].isspace():
                    return self.text[self.at]
                self.at += 1
            if not self.more():
                return ""

    def expect(self, wanted: str) -> str:
        """The next character, which has to be one of `wanted`."""
        found = self.peek()
        if not found or found not in wanted:
            got = f"{found!r}" if found else "the end of the file: it was not written to its end"
            raise RolloutFileError(f"{self.path}: line {self.where()}: expected one of {wanted!r}, got {got}")
        self.at += 1
        return found

    def decoded(self, decoder: json.JSONDecoder) -> tuple[Any, int]:
        """The next value and its length."""
        while True:
            try:
                value, end = decoder.raw_decode(self.text, self.at)
                if end < len(self.text) or not self.more():
                    break
            except (json.JSONDecodeError, RecursionError) as error:
                hopeless = isinstance(error, RecursionError) or len(self.text) - self.at > LARGEST_ELEMENT
                if hopeless or not self.more():
                    raise RolloutFileError(f"{self.path}: line {self.where()}: broken JSON ({error})") from error
        length = end - self.at
        self.at = end
        return value, length

    def where(self) -> int:
        return self.line + self.text.count("\n", 0, self.at)
