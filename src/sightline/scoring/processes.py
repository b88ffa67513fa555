"""Pieces through a reward, in this process or in several, results in the order of the pieces.

A result goes to disk where it was made; between processes only the name of its file travels.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sightline.core.errors import ConfigError, SightlineError
from sightline.scoring.groups import Pace, Piece
from sightline.scoring.piece import Job, score_piece
from sightline.scoring.shards import read_shard, write_shard

NEW_OBJECTS = 100_000  # between two searches for cycles; a batch makes as many objects, none of them in a cycle

_worker_job: Job | None = None


@dataclass(frozen=True)
class Scored:
    """A piece that was scored.

    Args:
        file: its rows of the result, for `Shards.add`.
        rows: their number.
        seconds: what scoring took.
        table: the same rows, unless another process has them.
    """

    file: Path
    rows: int
    seconds: float
    table: pa.Table | None = None


def score_into(folder: Path, job: Job, piece: Piece) -> Scored:
    """Score a piece into a file of `folder`."""
    began = time.perf_counter()
    table = score_piece(job, piece)
    file = write_shard(folder, table)
    if not pq.read_schema(file).equals(table.schema, check_metadata=True):
        table = read_shard(file)  # a type that Parquet does not have: the result is the same after a kill
    return Scored(file, table.num_rows, time.perf_counter() - began, table)


@contextmanager
def few_collections() -> Iterator[None]:
    """Search for cycles less often, and not among what is there already: a fifth of the time goes there otherwise."""
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not frozen:
            gc.unfreeze()


def _begin(job: Job) -> None:
    global _worker_job
    _worker_job = job
    few_collections().__enter__()
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """A killed parent leaves no workers behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(piece: Piece, folder: Path) -> Scored:
    began = time.perf_counter()
    if _worker_job is None:
        raise ConfigError("a worker process was not given its job")
    table = score_piece(_worker_job, piece)
    return Scored(write_shard(folder, table), table.num_rows, time.perf_counter() - began)


def in_processes(job: Job, pieces: Iterator[Piece], pace: Pace, workers: int, folder: Path) -> Generator[Scored]:
    """Results in the order of the pieces; two pieces per worker are under way, no more."""
    context = multiprocessing.get_context("spawn")  # a fork could copy a lock that Arrow's threads hold
    with ProcessPoolExecutor(workers, context, _begin, (job,)) as pool:
        waiting: deque[Future[Scored]] = deque()

        def result() -> Scored:
            try:
                one = waiting.popleft().result()
            except BrokenProcessPool as error:
                raise ConfigError("a worker process died while it scored; run with --workers 1 to see why") from error
            pace.took(one.seconds, one.rows)
            return one

        try:
            for piece in pieces:
                waiting.append(pool.submit(_work, piece, folder))
                if len(waiting) >= 2 * workers:
                    yield result()
        except SightlineError:
            while waiting:
                yield result()
            raise
        while waiting:
            yield result()
