"""Where pieces are scored: in this process, in several, or on Ray; and which of these a file deserves.

Whoever scores gives the same numbers in the same order. Knows what processes cost, and nothing of how they work.
"""

from __future__ import annotations

import math
import os
import pickle
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np

from sightline.core.errors import ConfigError
from sightline.judges.judge import Judge
from sightline.rewards.reward import JudgedReward, Reward
from sightline.scoring.groups import Pace, Piece
from sightline.scoring.piece import Job
from sightline.scoring.processes import Scored, in_processes, score_into
from sightline.scoring.readers import count_rows, rollout_files

TRIAL = 1.0  # seconds of scoring that say how long the rest will take
SECONDS_EACH = 5.0  # of work that a process must have before it is started: starting one takes a second of CPU
CGROUP = Path("/sys/fs/cgroup/cpu.max")

Left: TypeAlias = Callable[[Piece], float]
"""About how many rollouts are left after the piece that was scored last."""


class Engine(Protocol):
    """Who scores."""

    @property
    def how(self) -> str:
        """Where it was done, in words."""

    def scored(self, job: Job, pieces: Iterator[Piece], pace: Pace, folder: Path, left: Left) -> Generator[Scored]:
        """Results in the order of the pieces."""


@dataclass
class ThisProcess:
    """One piece after the other; a judge's answers are awaited concurrently."""

    how: str = "one process"

    def scored(self, job: Job, pieces: Iterator[Piece], pace: Pace, folder: Path, left: Left) -> Generator[Scored]:
        """Results in the order of the pieces."""
        for piece in pieces:
            one = score_into(folder, job, piece)
            pace.took(one.seconds, one.rows)
            yield one


@dataclass
class Processes:
    """A pool of processes on this machine.

    Args:
        workers: how many.
    """

    workers: int

    @property
    def how(self) -> str:
        return f"{self.workers} processes"

    def scored(self, job: Job, pieces: Iterator[Piece], pace: Pace, folder: Path, left: Left) -> Generator[Scored]:
        """Results in the order of the pieces."""
        yield from in_processes(job, pieces, pace, self.workers, folder)


@dataclass
class BySize:
    """This process; and processes for the rest, once what was scored says that the rest is worth starting them.

    Args:
        cores: processors at hand.
        how: what was chosen, in words.
    """

    cores: int
    how: str = "one process: too little work for more"

    def scored(self, job: Job, pieces: Iterator[Piece], pace: Pace, folder: Path, left: Left) -> Generator[Scored]:
        """Results in the order of the pieces."""
        seconds, rows, before = 0.0, 0, 0
        for number, piece in enumerate(pieces):
            one = score_into(folder, job, piece)
            pace.took(one.seconds, one.rows)
            before += one.rows
            if number:  # the first piece also loads what the reward needs
                seconds, rows = seconds + one.seconds, rows + one.rows
            yield one
            work = left(piece) * seconds / max(1, rows)
            workers = worthwhile(work, self.cores)
            if seconds >= TRIAL and workers > 1:
                self.how = f"{workers} processes for about {work:.0f} s of work, after {before:,} rollouts in one"
                yield from in_processes(job, pieces, pace, workers, folder)
                return


def worthwhile(seconds: float, cores: int) -> int:
    """How many processes some work deserves; 1 where a second would not pay for its start.

    Example:
        >>> worthwhile(9.9, 8), worthwhile(21, 8), worthwhile(600, 8)
        (1, 4, 8)
    """
    return max(1, min(cores, int(seconds / SECONDS_EACH)))


def chosen(job: Job, workers: int) -> Engine:
    """The engine on this machine for a number of processes; 0: by size.

    Raises:
        ConfigError: several processes were asked for, and the reward asks a judge or cannot be sent to them.
    """
    if workers < 0:
        raise ConfigError(f"--workers {workers}: needs a number of processes, or 0 for as many as the file deserves")
    if workers == 1:
        return ThisProcess()
    reason = obstacle(job)
    if workers and reason:
        raise ConfigError(f"--workers {workers}: {reason}; leave out --workers")
    if reason:
        return ThisProcess(f"one process: {reason}")
    at_hand = cores()
    return Processes(workers) if workers else BySize(at_hand) if at_hand > 1 else ThisProcess("one process: one core")


def obstacle(job: Job) -> str:
    """Why a job cannot be shared among processes; empty if it can."""
    if any(asks(node) for node in job.reward.walk()):
        return "a reward that asks a judge runs in one process, which asks concurrently (--engine ray shares it out)"
    try:
        data = pickle.dumps(job)
    except Exception as error:  # noqa: BLE001 - whatever a member does when it is packed is the reason
        return f"the reward cannot be sent to other processes ({error})"
    if b"__main__" in data and not os.path.isfile(getattr(sys.modules["__main__"], "__file__", "")):
        return "the reward is defined where other processes cannot find it; put it into a module"
    return ""


def asks(node: Reward) -> bool:
    """Whether a node waits for somebody's answers."""
    return isinstance(node, JudgedReward) and not getattr(node.judge, "instant", False)


def judges_asked(reward: Reward) -> list[Judge]:
    """The judges of an expression that wait for somebody's answers, each once."""
    found: list[Judge] = []
    for node in reward.walk():
        if isinstance(node, JudgedReward) and asks(node) and node.judge not in found:
            found.append(node.judge)
    return found


def cores(limit: Path = CGROUP) -> int:
    """Processors that this process may use, by its affinity and the limit of its container."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = limit.read_text().split()
    except (OSError, ValueError):
        return found
    return found if quota == "max" else max(1, min(found, math.ceil(int(quota) / int(period))))


@dataclass
class Remaining:
    """About how many rollouts are left, from what the file is known to hold or from its bytes.

    Args:
        path: of the file or folder.
        done: rollouts scored before.
        total: rollouts in all; None: not known.
        guess: rollouts in all, by a first piece.
    """

    path: Path
    done: int
    total: int | None
    guess: float = 0.0

    def __call__(self, piece: Piece) -> float:
        if self.total is None and not self.guess:
            self.guess = estimated(self.path, piece)
        self.done += len(piece)
        return max(0.0, (self.guess if self.total is None else self.total) - self.done)


def estimated(path: Path, piece: Piece) -> float:
    """About how many rollouts a file holds that is like one of its pieces."""
    files = rollout_files(path)
    counts = [count_rows(file) for file in files]
    if None not in counts:
        return sum(count or 0 for count in counts) * len(piece) / len(np.unique(piece.row))
    return sum(file.stat().st_size for file in files) * len(piece) / max(1, piece.block.nbytes)
