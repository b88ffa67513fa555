"""Processes below this one, where the system lists them in /proc: what was started can be ended, and nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class Process(NamedTuple):
    """A process: numbers are given again, a number and its start are not."""

    pid: int
    began: int


def children(pid: int) -> set[Process]:
    """Those that a process started and that have not ended; none where there is no /proc."""
    try:
        threads = os.listdir(PROC / str(pid) / "task")
    except OSError:
        return set()
    found = set()
    for thread in threads:
        with contextlib.suppress(OSError):
            words = (PROC / str(pid) / "task" / thread / "children").read_text().split()
            found |= {Process(int(word), began) for word in words if (began := _began(int(word))) is not None}
    return found


def family(processes: Iterable[Process]) -> set[Process]:
    """The processes and all below them."""
    found = set(processes)
    return found.union(*(family(children(one.pid)) for one in found))


def end(processes: Iterable[Process]) -> None:
    """End those that still run, at once."""
    for one in processes:
        if _began(one.pid) == one.began:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)


def _began(pid: int) -> int | None:
    """When a process began, in ticks; None if it has ended."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rsplit(") ", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] == "Z" else int(fields[19])
