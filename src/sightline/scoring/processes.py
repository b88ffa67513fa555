"""Pieces through a reward, in this process or in several, results in the order of the pieces.

A result goes to disk where it was made; between processes only the name of its file travels.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from sightline.core.errors import ConfigError, SightlineError
from sightline.scoring.groups import Pace, Piece
from sightline.scoring.piece import Job, score_piece
from sightline.scoring.shards import read_shard, write_shard

NEW_OBJECTS = 100_000  # between two searches for cycles; a batch makes as many objects, none of them in a cycle
UNDER_WAY = 4 << 30  # bytes of pieces that are begun, at most

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


def collect_rarely() -> None:
    """Search for cycles less often, and not among what is there already: a fifth of the time goes there otherwise."""
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 20)


@contextmanager
def few_collections() -> Iterator[None]:
    """`collect_rarely`, and as before afterwards."""
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    collect_rarely()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not frozen:
            gc.unfreeze()


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Variables for processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started meanwhile never hear Ctrl-C: the parent does, and ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(job: Job, held: Connection) -> None:
    global _worker_job
    _worker_job = job
    collect_rarely()
    threading.Thread(target=_leave_with_parent, args=(held,), daemon=True).start()


def _leave_with_parent(held: Connection) -> None:
    """End this process as soon as the parent lets go of the other end: it stops, or was killed."""
    with suppress(EOFError, OSError):
        held.recv()
    os._exit(1)


def _work(piece: Piece, folder: Path) -> Scored:
    began = time.perf_counter()
    if _worker_job is None:
        raise ConfigError("a worker process was not given its job")
    try:
        table = score_piece(_worker_job, piece)
    except Exception as error:
        if not _arrives(error):
            raise RuntimeError(f"{type(error).__name__}: {error}") from error
        raise
    return Scored(write_shard(folder, table), table.num_rows, time.perf_counter() - began)


def _arrives(error: Exception) -> bool:
    """Whether an error can be sent to the parent: one that cannot be unpacked there would look like a dead worker."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever its class does
        return False
    return True


def in_processes(job: Job, pieces: Iterator[Piece], pace: Pace, workers: int, folder: Path) -> Generator[Scored]:
    """Results in the order of the pieces; two pieces per worker are under way, no more."""
    context = multiprocessing.get_context("spawn")  # a fork could copy a lock that Arrow's threads hold
    theirs, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(workers, context, _begin, (job, theirs))
    threads = {} if "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": "1"}  # there is a process per core

    def submit(piece: Piece) -> Future[Scored]:
        with _deaf_to_ctrl_c(), environment(threads):
            return pool.submit(_work, piece, folder)

    try:
        yield from in_order(pieces, submit, lambda future: future.result(), pace, lambda: 2 * workers)
    except BrokenProcessPool as error:
        raise ConfigError(
            "a worker process died while it scored: killed by hand, or because memory ran out (fewer --workers need "
            "less). --workers 1 shows what happens"
        ) from error
    except BaseException:
        ours.close()  # what is under way is lost in any case, so nobody waits for it
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        ours.close()
        theirs.close()


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
    waiting: deque[tuple[T, int]] = deque()
    held = 0
    broken: SightlineError | None = None

    def first() -> Scored:
        nonlocal held
        handle, size = waiting.popleft()
        one = result(handle)
        held -= size
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
        waiting.append((submit(piece), piece.block.nbytes))
        held += waiting[-1][1]
        while waiting and (len(waiting) >= under_way() or held > UNDER_WAY):
            yield first()
    while waiting:
        yield first()
    if broken is not None:
        raise broken
