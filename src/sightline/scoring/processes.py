"""Pieces through a reward in several processes, results in the order of the pieces."""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pyarrow as pa

from sightline.core.errors import ConfigError, SightlineError
from sightline.scoring.groups import Pace, Piece
from sightline.scoring.piece import Job, score_piece

_worker_job: Job | None = None


def _begin(job: Job) -> None:
    global _worker_job
    _worker_job = job


def _work(piece: Piece) -> tuple[pa.Table, float]:
    began = time.perf_counter()
    if _worker_job is None:
        raise ConfigError("a worker process was not given its job")
    return score_piece(_worker_job, piece), time.perf_counter() - began


def in_processes(job: Job, pieces: Iterator[Piece], pace: Pace, workers: int) -> Generator[pa.Table]:
    """Tables in the order of the pieces; two pieces per worker are under way, no more."""
    context = multiprocessing.get_context("spawn")  # a fork could copy a lock that Arrow's threads hold
    with ProcessPoolExecutor(workers, context, _begin, (job,)) as pool:
        waiting: deque[tuple[Future[tuple[pa.Table, float]], int]] = deque()

        def result() -> pa.Table:
            future, size = waiting.popleft()
            try:
                table, seconds = future.result()
            except BrokenProcessPool as error:
                raise ConfigError("a worker process died while it scored; run with --workers 1 to see why") from error
            pace.took(seconds, size)
            return table

        try:
            for piece in pieces:
                waiting.append((pool.submit(_work, piece), len(piece)))
                if len(waiting) >= 2 * workers:
                    yield result()
        except SightlineError:
            while waiting:
                yield result()
            raise
        while waiting:
            yield result()
