"""Pieces through a reward, in this process or in several, results in the order of the pieces.

A result goes to disk where it was made; between processes only the name of its file travels.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from sightline.core.errors import ConfigError, SightlineError
from sightline.scoring.groups import Pace, Piece
from sightline.scoring.piece import Job, score_piece
from sightline.scoring.shards import read_shard, write_shard

NEW_OBJECTS = 100_000  # between two searches for cycles; a batch makes as many objects, none of them in a cycle

T = TypeVar("T")
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends the pool
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
    pool = ProcessPoolExecutor(workers, context, _begin, (job,))

    def result(future: Future[Scored]) -> Scored:
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise ConfigError("a worker process died while it scored; run with --workers 1 to see why") from error

    try:
        yield from in_order(pieces, lambda piece: pool.submit(_work, piece, folder), result, pace, lambda: 2 * workers)
    finally:
        pool.shutdown(cancel_futures=True)


def in_order(
    pieces: Iterator[Piece],
    submit: Callable[[Piece], T],
    result: Callable[[T], Scored],
    pace: Pace,
    under_way: Callable[[], int],
) -> Generator[Scored]:
    """Results in the order of the pieces, no more than `under_way()` of them begun.

    Where the file breaks, what was read before is scored and the error comes after it. Where scoring fails, nothing
    that comes later is given: it would stand in the place of what failed.
    """
    waiting: deque[T] = deque()
    broken: SightlineError | None = None

    def first() -> Scored:
        one = result(waiting.popleft())
        pace.took(one.seconds, one.rows)
        return one

    while True:
        try:
            piece = next(pieces, None)
        except SightlineError as error:
            broken = error
            break
        if piece is None:
            break
        waiting.append(submit(piece))
        while len(waiting) >= under_way():
            yield first()
    while waiting:
        yield first()
    if broken is not None:
        raise broken
