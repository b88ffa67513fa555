"""What a result says at a glance: mean, spread and missing values of the reward and of each part."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sightline.core.scores import ABSTAIN, ERROR


@dataclass
class PartSummary:
    """Running statistics of one column of scores.

    Args:
        name: `reward` or a part.
        count: rollouts with a value.
        total, squares: sum and sum of squares around `shift`, the first value.
        low, high: smallest and largest value.
        abstained: rollouts with nothing to judge.
        errors: rollouts whose judge or sandbox failed, also where a value was filled in.
    """

    name: str
    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    shift: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    abstained: int = 0
    errors: int = 0

    @property
    def mean(self) -> float:
        return self.shift + self.total / self.count if self.count else math.nan

    @property
    def std(self) -> float:
        """Sample standard deviation; 0 for one value."""
        if self.count < 2:
            return 0.0 if self.count else math.nan
        return math.sqrt(max(0.0, (self.squares - self.total**2 / self.count) / (self.count - 1)))

    def add(self, values: pa.ChunkedArray, why: pa.ChunkedArray) -> None:
        """Take in some rows."""
        known = values.drop_null()
        if len(known):
            if not self.count:
                self.shift = known[0].as_py()
            centred = pc.subtract(known, self.shift)
            self.count += len(known)
            self.total += pc.sum(centred).as_py()
            self.squares += pc.sum(pc.multiply(centred, centred)).as_py()
            span = pc.min_max(known).as_py()
            self.low, self.high = min(self.low, span["min"]), max(self.high, span["max"])
        missing = why.filter(values.is_null())
        self.abstained += pc.sum(pc.starts_with(missing, ABSTAIN)).as_py() or 0
        self.errors += pc.sum(pc.starts_with(why, ERROR)).as_py() or 0


@dataclass(frozen=True)
class Summary:
    """What one run of scoring did, and what the whole result holds.

    Args:
        out: the result file.
        rollouts: rollouts in the result.
        groups: groups in the result.
        parts: statistics of `reward` and of every part.
        scored: rollouts scored by this run; the others had been scored before.
        seconds: what this run took.
        notes: what its user should know.
        how: where it was scored, in words; empty if nothing was.
    """

    out: Path
    rollouts: int
    groups: int
    parts: tuple[PartSummary, ...]
    scored: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())
    how: str = ""

    @property
    def per_second(self) -> float:
        return self.scored / self.seconds if self.seconds else 0.0


def part_columns(names: Sequence[str]) -> list[str]:
    """The parts among the columns of a result: those that have a reason."""
    return [name for name in names if f"why_{name}" in names]


def summarise(out: Path) -> tuple[int, int, tuple[PartSummary, ...]]:
    """(rollouts, groups, statistics) of a result file, read row group by row group."""
    file = pq.ParquetFile(out)
    parts = part_columns(file.schema_arrow.names)
    found = [PartSummary(name) for name in ("reward", *parts)]
    wanted = ["group", "reward", "why", *parts, *(f"why_{name}" for name in parts)]
    groups = 0
    for table in _tables(file, wanted):
        groups = max(groups, (pc.max(table["group"]).as_py() or 0) + 1)
        for part in found:
            part.add(table[part.name], table["why" if part.name == "reward" else f"why_{part.name}"])
    return file.metadata.num_rows, groups, tuple(found)


def _tables(file: pq.ParquetFile, columns: list[str]) -> Iterable[pa.Table]:
    for index in range(file.num_row_groups):
        yield file.read_row_group(index, columns=columns)
