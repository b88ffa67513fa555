"""Pieces through a reward on Ray: this machine's own or a cluster, results in the order of the pieces.

The driver reads the file, cuts it between groups and writes the shards, as it does without Ray; tasks get pieces and
give the bytes of their shards back, so workers need not see the driver's disk, and one that is killed leaves nothing
behind. Judges are asked through `judge_actors`.
"""

from __future__ import annotations

import ctypes
import functools
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from sightline.core.errors import ConfigError, MissingExtra
from sightline.rewards.reward import Reward
from sightline.scoring.engines import Left, cores, judges_asked
from sightline.scoring.groups import Pace, Piece
from sightline.scoring.judge_actors import desks, holders_needed
from sightline.scoring.packing import packed, unpacked
from sightline.scoring.piece import Job, score_piece
from sightline.scoring.processes import Scored, collect_rarely, environment, in_order
from sightline.scoring.shards import packed_shard, put_shard

TRIES = 3  # after a worker died
REACHED = 20.0  # seconds within which the head of a cluster answers
LOOK = 2.0  # seconds between two looks at how large the cluster is
GONE = 5.0  # seconds that a killed process may take to end
ADOPT = 36  # prctl's PR_SET_CHILD_SUBREAPER


@dataclass(frozen=True)
class Cluster:
    """Which Ray scores, and what judges get of it.

    Args:
        address: `host:port` or `auto`; empty: that of the environment variable RAY_ADDRESS, or else a Ray of our own
            on this machine, which ends with the run.
        judges: actors that hold each judge; 0: one, and none for a judge behind HTTP, which one process asks.
        judge_gpus: GPUs of each of these actors, 0.5 for two on one.
    """

    address: str = ""
    judges: int = 0
    judge_gpus: float = 0.0

    def __post_init__(self) -> None:
        if self.judges < 0 or self.judge_gpus < 0:
            raise ConfigError("judges and their GPUs must not be negative")
        if "://" in self.where:
            raise ConfigError(
                f"{self.where}: is far from the cluster's disks. Run on a node of the cluster, with the address of its "
                "head as host:port, or hand the command to `ray job submit`"
            )

    @property
    def where(self) -> str:
        """The address of a cluster; empty: there is none, a Ray of our own is started."""
        address = self.address or os.environ.get("RAY_ADDRESS", "")
        return "" if address == "local" else address


@dataclass
class OnRay:
    """The engine: tasks for pieces, actors for judges.

    Args:
        cluster: which Ray.
        workers: pieces that are scored at once; 0: one per processor, also of machines that join later.
        how: where it ran, in words.
    """

    cluster: Cluster
    workers: int = 0
    how: str = "Ray"

    def __post_init__(self) -> None:
        _load(own=not self.cluster.where)
        if self.workers < 0:
            raise ConfigError(f"--workers {self.workers}: needs a number of pieces, or 0 for one per processor")

    def scored(self, job: Job, pieces: Iterator[Piece], pace: Pace, folder: Path, left: Left) -> Generator[Scored]:
        """Results in the order of the pieces; Ray is not started for none."""
        first = next(pieces, None)
        if first is None:
            return
        with connected(self.cluster, self.workers) as where:
            judges = _enough(job.reward, self.cluster)
            with desks(job.reward, self.cluster.judges, self.cluster.judge_gpus) as reward:
                tasks = _Tasks(packed(replace(job, reward=reward)), folder, self.workers)
                self.how = f"{where}, {tasks.room()} pieces at once{judges}"
                try:
                    yield from in_order(_after(first, pieces), tasks.submit, tasks.result, pace, tasks.under_way)
                finally:
                    tasks.cancel()


class _Shard(NamedTuple):
    """What a task gives back."""

    data: pa.Buffer
    rows: int
    seconds: float


class _Tasks:
    """Pieces that are being scored."""

    def __init__(self, job: bytes, folder: Path, workers: int) -> None:
        ray = _ray()
        self.folder, self.workers, self.open = folder, workers, set[Any]()
        self.job = ray.put(job)
        self.remote = ray.remote(score_remotely).options(num_cpus=1, max_retries=TRIES)
        self.seen, self.looked = 0, -LOOK

    def submit(self, piece: Piece) -> Any:
        handle = self.remote.remote(self.job, piece)
        self.open.add(handle)
        return handle

    def result(self, handle: Any) -> Scored:
        found = given(handle)
        self.open.discard(handle)
        return Scored(put_shard(self.folder, found.data), found.rows, found.seconds)

    def room(self) -> int:
        """Pieces that can be scored at once; asked again while the cluster may grow."""
        if self.workers:
            return self.workers
        if time.monotonic() - self.looked > LOOK:
            self.seen = max(1, int(_ray().cluster_resources().get("CPU", 1)))
            self.looked = time.monotonic()
        return self.seen

    def under_way(self) -> int:
        """Pieces that may be begun: twice the room, so that nobody waits for the driver."""
        return 2 * self.room()

    def cancel(self) -> None:
        """Stop what is still under way, gently: force, as a task ends, ends the driver (Ray 2.60)."""
        for handle in self.open:
            _ray().cancel(handle)


def score_remotely(job: bytes, piece: Piece) -> _Shard:
    """Score a piece in a worker."""
    began = time.perf_counter()
    table = score_piece(_job(job), piece)
    return _Shard(packed_shard(table), table.num_rows, time.perf_counter() - began)


@functools.lru_cache(maxsize=1)
def _job(data: bytes) -> Job:
    collect_rarely()
    job: Job = unpacked(data)
    return job


def given(handle: Any) -> Any:
    """What a task gives, or the error that it met.

    Raises:
        SightlineError: as the task raised it; ConfigError if its worker died time and again.
    """
    from ray.exceptions import RayError, RayTaskError

    try:
        return _ray().get(handle)
    except RayTaskError as error:
        if isinstance(error.cause, Exception) and not isinstance(error.cause, RayError):
            raise error.cause from error
        raise ConfigError(f"Ray gave up on a piece: {_said(error)}") from error
    except RayError as error:
        raise ConfigError(f"Ray gave up on a piece, tried {TRIES + 1} times: {_said(error)}") from error


def _said(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines)[:500]}"


@contextmanager
def connected(cluster: Cluster, workers: int = 0) -> Iterator[str]:
    """A connection to Ray, in words which; what was started here has ended afterwards.

    Raises:
        MissingExtra: Ray is not installed.
        ConfigError: there is no cluster at the address.
    """
    ray = _ray()
    address = cluster.where
    if ray.is_initialized():
        yield "the Ray that runs"
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    handler = signal.getsignal(signal.SIGTERM)
    try:
        if address:
            _connect(address, quiet)
            yield f"Ray at {address}"
        else:
            with _own(workers or cores(), quiet):
                yield "Ray on this machine"
    finally:
        ray.shutdown()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray has put its own there


@contextmanager
def _own(processors: int, settings: Mapping[str, Any]) -> Iterator[None]:
    """A Ray on this machine of which nothing is left afterwards, neither files nor processes."""
    ray = _ray()
    with (
        tempfile.TemporaryDirectory(prefix="sl-", dir="/tmp", ignore_cleanup_errors=True) as session,  # short: sockets
        _outlived(),
    ):
        try:
            with environment(_own_settings()):
                ray.init(address="local", num_cpus=processors, include_dashboard=False, _temp_dir=session, **settings)
            yield
        finally:
            ray.shutdown(wait_for_processes=True)


@contextmanager
def _outlived() -> Iterator[None]:
    """The processes of a Ray that is started here end with the block; on Linux also those whose parent has ended.

    Ray's helpers would outlive a raylet that ended in a hurry by a minute.
    """
    import psutil  # comes with Ray

    me, adopt, ended = psutil.Process(), getattr(ctypes.CDLL(None), "prctl", lambda *of: None), []
    others = set(me.children())
    adopt(ADOPT, 1, 0, 0, 0)
    try:
        yield
    finally:
        for begun in set(me.children()) - others:
            with suppress(psutil.NoSuchProcess):
                said = " ".join(begun.cmdline())
                ended += [begun, *begun.children(recursive=True)] if "/ray/" in said or "ray::" in said else []
        for one in ended:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(ended, timeout=GONE)
        adopt(ADOPT, 0, 0, 0, 0)


def _connect(address: str, settings: Mapping[str, Any]) -> None:
    try:
        host, colon, port = address.rpartition(":")
        if colon:  # Ray itself would try for many minutes
            socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED).close()
        _ray().init(address=address, **settings)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"no Ray cluster at `{address}`: {str(error).splitlines()[0]}") from error


def _enough(reward: Reward, cluster: Cluster) -> str:
    """How many actors hold judges, in words.

    Raises:
        ConfigError: the cluster lacks the GPUs.
    """
    held = sum(holders_needed(judge, cluster.judges, cluster.judge_gpus) for judge in judges_asked(reward))
    needed, there = held * cluster.judge_gpus, float(_ray().cluster_resources().get("GPU", 0))
    if needed > there:
        raise ConfigError(
            f"{held} judge actors with {cluster.judge_gpus:g} GPUs each need {needed:g} GPUs; this Ray has {there:g}"
        )
    each = f" with {cluster.judge_gpus:g} GPUs each" if cluster.judge_gpus else ""
    return f", {held} judge actors{each}" if held else ""


@functools.lru_cache(maxsize=1)
def _own_settings() -> Mapping[str, str]:
    """Environment of a Ray of our own: nothing is reported to anybody, it listens on loopback, and only we may use it.

    Ray takes address and token when it is imported: where somebody has done that before, it stays as it was set up.
    """
    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_enable_metrics_collection": "0"}
    if "ray" not in sys.modules:
        settings["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # on Linux too: one machine, so 127.0.0.1
        if "RAY_AUTH_MODE" not in os.environ:
            settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return settings


def _after(first: Piece, rest: Iterator[Piece]) -> Iterator[Piece]:
    yield first
    yield from rest


def _load(own: bool) -> None:
    """Import Ray, under our token if a Ray of our own will be started.

    Raises:
        MissingExtra: it is not installed.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # as later versions do, without their warning
    try:
        with environment(_own_settings() if own else {}):
            import ray  # noqa: F401
    except ImportError as error:
        raise MissingExtra.of("--engine ray", "ray") from error


def _ray() -> Any:
    import ray

    return ray
