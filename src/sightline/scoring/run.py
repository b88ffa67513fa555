"""Score a rollout file: stream it in, batch by batch of whole groups, and write one Parquet file of results.

Everything scored is on disk within seconds, so the process may be killed at any moment; the same call goes on from
there and ends with the same file.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash
from numpy.typing import NDArray

from sightline.core.errors import ConfigError, RolloutFileError
from sightline.core.scores import ERROR
from sightline.rewards.reward import Reward
from sightline.scoring.cluster import Cluster, OnRay
from sightline.scoring.dialects import Source, dialect_of
from sightline.scoring.engines import Engine, Remaining, chosen
from sightline.scoring.facts import facts_of
from sightline.scoring.groups import Pace, Piece, batches, read_pieces, whole_groups
from sightline.scoring.piece import Job
from sightline.scoring.place import check_place
from sightline.scoring.processes import few_collections
from sightline.scoring.readers import count_rows, read_blocks, rollout_files
from sightline.scoring.shards import (
    GrowingResult,
    Shards,
    check_facts,
    fitted,
    read_facts,
    read_shard,
    result_schema,
    write_result,
)
from sightline.scoring.summary import Summary, summarise

RETRY = "retry"  # where results wait that replace some of a finished result
Progress = Callable[[int, "int | None"], None]
Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Options:
    """How scoring is run; nothing here changes a number.

    Args:
        workers: processes, more than one only for rewards that ask no judge; None: this one; 0: as many as the file
            deserves, so that a script that calls this needs `if __name__ == "__main__":`. On Ray, pieces that are
            scored at once; None or 0: one per processor.
        fresh: forget what was scored before.
        input_changed: go on although the file has changed: the rows scored so far are still the same.
        retry_errors: score again the rollouts of a finished result of which some reason begins with `error: `.
        pace: how large batches are.
        cluster: score on Ray; None: on this machine, without.
    """

    workers: int | None = None
    fresh: bool = False
    input_changed: bool = False
    retry_errors: bool = False
    pace: Pace | None = None
    cluster: Cluster | None = None


def score_file(
    source: Source | Path | str,
    reward: Reward,
    out: Path | str,
    *,
    tokenizer: str = "",
    lean: bool = False,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Score every rollout of a file into a Parquet file.

    Columns of the result: `row` (number in the file, from 0), `group`, `element` (of an exploded list), `reward`, one
    per part (null where it is not a number), `why`, `why_<part>`, `marks`, and the columns of the file; one of them
    that has the name of a result is kept as `given_<name>`. Rows stand in the order of the file, or, where groups had
    to be gathered, in the order in which groups were complete.

    Args:
        source: a file or folder, or a `Source` that says what its columns mean.
        reward: any reward expression.
        out: the result. What is not finished waits in the folder `<out>.parts`.
        tokenizer: counts the column `completion_tokens` where the file has none.
        lean: leave the columns of the file out of the result.
        options: how it is run.
        progress: called with (rollouts scored, rollouts in all or None) after every batch.

    Raises:
        RolloutFileError, ColumnError, ConfigError: what was scored until then is kept, and a note of the error says so.
    """
    options = options or Options()
    source = source if isinstance(source, Source) else Source(Path(source))
    job, path = Job(source, reward, tokenizer, lean), Path(out)
    path = path.resolve() if path.is_symlink() else path
    check_place(path, source)
    engine = _engine(job, options)
    began = time.perf_counter()
    run = _Run(job, path, facts_of(job), options, engine, progress or (lambda done, total: None))
    scored = run.finished()
    seconds = time.perf_counter() - began
    rollouts, groups, parts = summarise(path)
    return Summary(path, rollouts, groups, parts, scored, seconds, _notes(job), engine.how if scored else "")


def _engine(job: Job, options: Options) -> Engine:
    if options.cluster is not None:
        return OnRay(options.cluster, options.workers or 0)
    return chosen(job, 1 if options.workers is None else options.workers)


@dataclass(frozen=True)
class _Run:
    job: Job
    out: Path
    facts: dict[str, Any]
    options: Options
    engine: Engine
    progress: Progress

    def finished(self) -> int:
        """Score what has not been scored yet; how many rollouts that were."""
        self.out.parent.mkdir(parents=True, exist_ok=True)
        with Shards(self.out.with_name(self.out.name + ".parts"), self.facts, self.options.input_changed) as shards:
            if self.options.fresh:
                shutil.rmtree(shards.folder / RETRY, ignore_errors=True)
                shards.clear()
                self.out.unlink(missing_ok=True)
            scored = 0 if self._complete(shards) else self._finish(shards)
            shards.clear()
            return scored + self._retry(shards.folder / RETRY) if self.options.retry_errors else scored

    def _complete(self, shards: Shards) -> bool:
        """Whether there is a result of the whole file; one of a file that has grown becomes the first shard."""
        if not self.out.exists():
            return False
        old = read_facts(self.out)
        check_facts(old, self.facts, self.out, self.options.input_changed)
        if old["input"] == self.facts["input"]:
            return True
        shards.adopt(self.out)
        return False

    def _finish(self, shards: Shards) -> int:
        result = GrowingResult(self.out, shards)
        try:
            scored = self._fill(shards, None, result)
            result.finish()
        except BaseException:
            result.drop()
            raise
        return scored

    def _retry(self, folder: Path) -> int:
        """Score again what failed."""
        wanted = failed_rows(self.out, whole_groups=self.job.compares)
        if not wanted.any():
            return 0
        digest = xxhash.xxh3_64_hexdigest(np.packbits(wanted).tobytes())
        facts = {**self.facts, "retried": [digest, self.out.stat().st_mtime_ns]}
        with Shards(folder, facts) as shards:
            if shards.noted() != facts:
                shards.clear()  # of a retry that ended, or of another result
            scored = self._fill(shards, wanted, None)
            schema = result_schema(
                [pq.read_schema(self.out), *(pq.read_schema(file) for file in shards.files())], self.facts
            )
            write_result(self.out, _replaced(self.out, wanted, shards, schema), schema, folder)
        return scored

    def _fill(self, shards: Shards, wanted: Rows | None, result: GrowingResult | None) -> int:
        """Add the shards that are missing."""
        before = done = shards.open()
        pace = self.options.pace or Pace()
        try:
            total = self._total() if wanted is None else int(wanted.sum())
            pieces = _selected(whole_groups(self.job.source, self.job.compares), wanted)
            pieces = _skipped(pieces, shards.rows(), self.job)
            self.progress(done, total)
            if result is not None:
                for table in shards.tables():
                    result.add(table)
            left = Remaining(self.job.source.path, done, total)
            work = self.engine.scored(self.job, batches(pieces, pace), pace, shards.folder, left)
            with few_collections(), closing(work) as scored:
                for one in scored:
                    file = shards.add(done, one.file)
                    done += one.rows
                    if result is not None:
                        result.add(read_shard(file) if one.table is None else one.table)
                    self.progress(done, total)
        except BaseException as error:
            if done:
                error.add_note(f"{done} rollouts are scored and kept in {shards.folder}; the same command goes on")
            raise
        return done - before

    def _total(self) -> int | None:
        if self.job.source.explode or _several(self.job.source):
            return None
        counts = [count_rows(file) for file in rollout_files(self.job.source.path)]
        return None if None in counts else sum(count or 0 for count in counts)


def _several(source: Source) -> bool:
    """Whether a row of the file may hold several rollouts; what is wrong with the file is said when it is read."""
    try:
        first = next(read_blocks(rollout_files(source.path)[0]), None)
    except RolloutFileError:
        return False
    return first is not None and dialect_of(first.names, source).rows is not None


def failed_rows(result: Path, whole_groups: bool = False) -> Rows:
    """(rows,) True where some reason of a result says that a judge or the sandbox failed.

    Args:
        whole_groups: also the other rollouts of their groups.
    """
    file = pq.ParquetFile(result)
    reasons = [name for name in file.schema_arrow.names if name == "why" or name.startswith("why_")]
    failed: list[NDArray[np.bool_]] = []
    groups: list[NDArray[np.int64]] = []
    for index in range(file.num_row_groups):
        table = file.read_row_group(index, columns=[*reasons, "group"])
        hit = [pc.starts_with(table[name], ERROR).fill_null(False).to_numpy() for name in reasons]
        failed.append(np.any(hit, axis=0))
        groups.append(table["group"].to_numpy())
    rows = np.concatenate(failed) if failed else np.zeros(0, np.bool_)
    if whole_groups and len(rows):
        group = np.concatenate(groups)
        rows = np.isin(group, group[rows])
    return rows


def _selected(pieces: Iterator[Piece], wanted: Rows | None) -> Iterator[Piece]:
    at = 0
    for piece in pieces:
        if wanted is None:
            yield piece
            continue
        keep = np.flatnonzero(wanted[at : at + len(piece)])
        at += len(piece)
        if len(keep):
            yield piece.take(keep)


def _skipped(pieces: Iterator[Piece], scored: Iterator[NDArray[np.int64]], job: Job) -> Iterator[Piece]:
    """What has not been scored yet: all that comes behind the rows that have been.

    Raises:
        ConfigError: the file has changed, and not only behind the rows that were scored.
    """
    waiting = np.zeros(0, np.int64)
    for piece in pieces:
        while len(waiting) < len(piece) and (more := next(scored, None)) is not None:
            waiting = np.concatenate([waiting, more])
        count = min(len(piece), len(waiting))
        torn = job.compares and 0 < count < len(piece) and piece.group[count] == piece.group[count - 1]
        if torn or not np.array_equal(piece.row[:count], waiting[:count]):
            raise _changed(job, "a group of which some rollouts were scored has others now" if torn else "")
        waiting = waiting[count:]
        if count < len(piece):
            yield piece.slice(count, len(piece)) if count else piece
    if len(waiting) or next(scored, None) is not None:
        raise _changed(job, "it has fewer rollouts")


def _changed(job: Job, how: str) -> ConfigError:
    why = how or "its rollouts come in another order"
    return ConfigError(f"{job.source.path}: has changed since it was scored in part, {why}; start anew with --fresh")


def _replaced(old: Path, wanted: Rows, shards: Shards, schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of `old`, those that are `wanted` taken from the shards."""
    file = pq.ParquetFile(old)
    fresh = (fitted(table, schema) for table in shards.tables())
    waiting = schema.empty_table()
    at = 0
    for index in range(file.num_row_groups):
        table = fitted(file.read_row_group(index), schema)
        mine = wanted[at : at + table.num_rows]
        at += table.num_rows
        while waiting.num_rows < mine.sum():
            waiting = pa.concat_tables([waiting, next(fresh)])
        both = pa.concat_tables([table, waiting.slice(0, int(mine.sum()))])
        waiting = waiting.slice(int(mine.sum()))
        order = np.arange(table.num_rows)
        order[mine] = table.num_rows + np.arange(mine.sum())
        yield both.take(pa.array(order))


def _notes(job: Job) -> tuple[str, ...]:
    if not job.compares or job.source.explode:
        return ()
    first = next(islice(read_pieces(job.source), 1))
    if first.columns.group:
        return ()
    return (
        "the reward compares the rollouts of a prompt, but the file has no column `group`: every rollout stood alone. "
        "Name the columns that make a group, for example --group prompt",
    )
