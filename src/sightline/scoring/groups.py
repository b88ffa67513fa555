"""From blocks to batches of whole groups.

A piece is a block with the number of every row in its file and of its group. Group numbers count groups in order of
first appearance, so rows of groups that lie together have numbers that never fall: that is how a torn group is seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import xxhash
from numpy.typing import NDArray

from sightline.core.errors import RolloutFileError, SightlineError
from sightline.scoring.blocks import Block, Index
from sightline.scoring.dialects import Columns, Dialect, Source, columns_of, dialect_of, exploded
from sightline.scoring.readers import read_blocks, rollout_files

PIECE_BYTES = 32 << 20  # of the file, in one batch: a row may hold pictures


@dataclass(frozen=True)
class Piece:
    """Some rollouts of a file, in the order in which they are scored.

    Args:
        block: their columns.
        columns: what the columns mean.
        row: (B,) row of the file; with several files rows are counted on.
        group: (B,) group number.
        element: (B,) which element of an exploded list, or of a row of the file that holds several; None if neither.
    """

    block: Block
    columns: Columns
    row: Index
    group: Index
    element: Index | None = None

    def __len__(self) -> int:
        return len(self.row)

    def slice(self, start: int, stop: int) -> Piece:
        element = None if self.element is None else self.element[start:stop]
        block = self.block.slice(start, stop)
        return replace(self, block=block, row=self.row[start:stop], group=self.group[start:stop], element=element)

    def take(self, index: Index) -> Piece:
        element = None if self.element is None else self.element[index]
        return replace(
            self, block=self.block.take(index), row=self.row[index], group=self.group[index], element=element
        )

    def joined(self, after: Piece) -> Piece:
        element = None
        if self.element is not None and after.element is not None:
            element = np.concatenate([self.element, after.element])
        row, group = np.concatenate([self.row, after.row]), np.concatenate([self.group, after.group])
        return Piece(self.block.joined(after.block), after.columns, row, group, element)


def read_pieces(source: Source) -> Iterator[Piece]:
    """The rollouts of a file in its order.

    Raises:
        RolloutFileError, ColumnError: the file or its columns are not usable.
    """
    names: dict[str, None] = {}
    columns: Columns | None = None
    dialect: Dialect | None = None
    numbers = _Numbers()
    first = 0
    for _, block in _all_blocks(source.path):
        rows = range(first, first + len(block))
        first += len(block)
        if dialect is None:
            dialect = dialect_of(block.names, source)
            if dialect.rows is not None:
                source = replace(source, dialect=dialect.name)  # the columns of its rollouts tell no longer
        block, origin, counted = dialect.unfolded(block, rows)
        if source.join is not None and len(block):
            block = source.join.added(block)
        if source.explode:
            block, origin, counted = exploded(block, source, origin)
        if not len(block):
            continue
        element = None if counted is None else np.array(counted, np.int64)
        if columns is None or not names.keys() >= set(block.names):
            names.update(dict.fromkeys(block.names))
            columns = columns_of(list(names), source)
        row = group = np.array(origin, np.int64)
        if columns.group:
            group = numbers.of(_keys(block, columns, source, origin))
        if len(block):
            yield Piece(block, columns, row, group, element)
    if columns is None:
        raise RolloutFileError(f"{source.path}: holds no rollouts")


def whole_groups(source: Source, strict: bool) -> Iterator[Piece]:
    """The rollouts of a file such that no group is torn between two pieces.

    Args:
        strict: the reward compares the rollouts of a group, so a group whose rows lie apart must not pass: they are
            brought together if the dialect or the source says so.

    Raises:
        RolloutFileError: a group came back later.
    """
    pieces = read_pieces(source)
    if not strict:
        return _adjacent(pieces)
    first = next(pieces)
    if first.columns.scattered:
        return _gathered(source)
    return _adjacent(_checked(first, pieces, source))


@dataclass
class Pace:
    """How many rollouts a batch holds: few at first, more as long as they go fast, so that little is lost by a kill.

    Args:
        size: rollouts of the next batch; whole groups are kept, so a batch can be larger.
        least, most: limits of `size`.
    """

    size: int = 64
    least: int = 16
    most: int = 8192

    def took(self, seconds: float, rollouts: int) -> None:
        """Learn from a batch."""
        if seconds < 0.5 and rollouts >= self.size // 2:
            self.size = min(self.most, self.size * 2)
        elif seconds > 4:
            self.size = max(self.least, self.size // 2)


def batches(pieces: Iterator[Piece], pace: Pace) -> Iterator[Piece]:
    """The same rollouts in batches of about `pace.size`, fewer where they are large, cut between groups.

    An error of the file comes after what was read before it.
    """
    rest: Piece | None = None
    try:
        for piece in pieces:
            rest = piece if rest is None or not len(rest) else rest.joined(piece)
            at, fit = 0, max(1, PIECE_BYTES * len(rest) // max(1, rest.block.nbytes))
            while len(rest) - at >= (size := min(pace.size, fit)):
                stop = _cut(rest.group, at, size)
                yield rest.slice(at, stop)
                at = stop
            rest = rest.slice(at, len(rest))
    except SightlineError:
        if rest is not None and len(rest):
            yield rest  # what came before a broken place is scored
        raise
    if rest is not None and len(rest):
        yield rest


def _all_blocks(path: Path) -> Iterator[tuple[Path, Block]]:
    for file in rollout_files(path):
        for block in read_blocks(file):
            if len(block):
                yield file, block


@dataclass
class _Numbers:
    """Numbers of groups in order of first appearance.

    Ids that count up need no memory; of others a digest is kept, since prompts are long and groups many.

    Args:
        first: the id from which ids count up.
        counted: how many ids count up from there.
        others: digest -> number of every other group.
    """

    first: int = 0
    counted: int = 0
    others: dict[bytes, int] = field(default_factory=dict)

    def of(self, keys: Iterable[Any]) -> NDArray[np.int64]:
        """The numbers of some rows' groups."""
        found: list[int] = []
        for key, rows in groupby(keys):
            found += [self._number(key)] * sum(1 for _ in rows)
        return np.array(found, np.int64)

    def _number(self, key: Any) -> int:
        if type(key) is int:
            if not self.counted and not self.others:
                self.first = key
            place = key - self.first
            if 0 <= place < self.counted:
                return place
            if place == self.counted and not self.others:
                self.counted += 1
                return place
        return self.others.setdefault(_digest(key), self.counted + len(self.others))


def _keys(block: Block, columns: Columns, source: Source, rows: Sequence[int]) -> Iterator[Any]:
    """What the rows of one group have in common: a number, or a tuple; of a row whose group is None, itself."""
    constants = dict(source.constants)
    values = [
        [constants[name]] * len(block) if name in constants else columns.column(block, columns.place(name))
        for name in columns.group
    ]
    for row, key in zip(rows, zip(*values, strict=True), strict=True):
        yield frozenset((row,)) if key == (None,) else key[0] if len(key) == 1 and type(key[0]) is int else key


def _digest(key: Any) -> bytes:
    try:
        return xxhash.xxh3_128_digest(orjson.dumps(key, default=repr))
    except TypeError:
        return xxhash.xxh3_128_digest(json.dumps(key, default=repr).encode())


def _adjacent(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Hold back the last group of every piece until its end is seen."""
    rest: Piece | None = None
    for piece in pieces:
        rest = piece if rest is None else rest.joined(piece)
        changes = np.flatnonzero(np.diff(rest.group))
        if len(changes):
            cut = int(changes[-1]) + 1
            yield rest.slice(0, cut)
            rest = rest.slice(cut, len(rest))
    if rest is not None and len(rest):
        yield rest


def _checked(first: Piece, pieces: Iterator[Piece], source: Source) -> Iterator[Piece]:
    last = -1
    for piece in (part for parts in ([first], pieces) for part in parts):
        fallen = np.flatnonzero(np.diff(piece.group, prepend=last) < 0)
        if len(fallen):
            at = int(fallen[0])
            if at:
                yield piece.slice(0, at)
            raise RolloutFileError(
                f"{source.path}: row {piece.row[at]} belongs to group {piece.group[at]}, which ended rows before; this "
                "reward compares the rollouts of a group. Sort the file by group, or say --gather: groups are then "
                "brought together, and rows wait in memory until theirs is complete"
            )
        last = int(piece.group[-1])
        yield piece


def _gathered(source: Source) -> Iterator[Piece]:
    """Rows of a group brought together; groups come in the order in which they are complete."""
    last: dict[int, int] = {}
    for piece in read_pieces(source):
        last.update(zip(piece.group.tolist(), piece.row.tolist(), strict=True))
    rest: Piece | None = None
    for piece in read_pieces(source):
        rest = piece if rest is None else rest.joined(piece)
        seen = int(piece.row[-1])
        complete = np.fromiter((last[group] for group in rest.group.tolist()), np.int64, len(rest))
        ready = np.flatnonzero(complete <= seen)
        if len(ready):
            yield rest.take(ready[np.argsort(complete[ready], kind="stable")])
            rest = rest.take(np.flatnonzero(complete > seen))


def _cut(group: NDArray[np.int64], start: int, size: int) -> int:
    """The last group boundary within `size` rows of `start`, or else the first one after."""
    window = group[start : start + size + 1]
    if len(window) <= size:
        return len(group)
    changes = np.flatnonzero(np.diff(window))
    if len(changes):
        return start + int(changes[-1]) + 1
    later = np.flatnonzero(group[start:] != group[start])
    return start + int(later[0]) if len(later) else len(group)
