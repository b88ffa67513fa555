"""Who scores what a desk has taken on: threads of the server's process, or processes beside it.

Whoever it is, there is one desk before them: queue, limits, keys and metrics are those of one server.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize
from queue import SimpleQueue
from typing import Any, Protocol

from sightline.core.errors import ConfigError
from sightline.media.reach import Reach, confined
from sightline.serve.refusal import Refusal
from sightline.serve.service import Answer, Service, Task

log = logging.getLogger("sightline.serve")
FAREWELL = 5.0  # seconds that an idle process gets to end


class Engine(Protocol):
    """Scores tasks, `places` of them at once."""

    places: int

    @property
    def busy(self) -> int:
        """How many tasks are under way."""

    async def answer(self, task: Task) -> Answer | Refusal:
        """The answer to one task, or why there is none."""

    def seconds_stuck(self) -> float:
        """For how long every place has been busy with one and the same task; 0 if one is free."""

    def close(self) -> None:
        """End, whatever is under way."""


def stuck(begun: Iterable[float], places: int) -> float:
    """Seconds since the latest of the `places` oldest tasks began; 0 where there are fewer.

    Example:
        >>> stuck([], 1)
        0.0
    """
    oldest = sorted(begun)[:places]
    return time.monotonic() - oldest[-1] if len(oldest) == places else 0.0


class Threads:
    """Threads of this process: right for rewards that wait for a judge, and for one core.

    Args:
        service: what is served.
        threads: requests scored at once.
    """

    def __init__(self, service: Service, threads: int) -> None:
        self.service, self.places = service, threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="scoring")
        self._since: dict[int, float] = {}

    async def answer(self, task: Task) -> Answer | Refusal:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._timed, task)

    def _timed(self, task: Task) -> Answer | Refusal:
        me = threading.get_ident()
        self._since[me] = time.monotonic()
        try:
            return self._work(task)
        finally:
            del self._since[me]

    def _work(self, task: Task) -> Answer | Refusal:
        return self.service.answer(task)

    @property
    def busy(self) -> int:
        return len(self._since)

    def seconds_stuck(self) -> float:
        return stuck(self._since.values(), self.places)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Processes(Threads):
    """Processes of this machine: right for rewards that compute.

    One that dies is replaced, and only its own request is refused; one that is busy with a single request for
    `Limits.hung_seconds` is ended.

    Args:
        service: what is served; it must pickle.
        workers: how many.

    Raises:
        ConfigError: the service does not pickle, or a process ended before it had loaded it; its own words are on
            stderr.
    """

    def __init__(self, service: Service, workers: int) -> None:
        super().__init__(service, workers)
        try:
            self._all = [_Worker(service) for _ in range(workers)]
        except (pickle.PicklingError, TypeError, AttributeError) as error:  # what does not pickle raises any of these
            raise ConfigError(f"the reward cannot be sent to another process: {error}") from error
        self._at_exit = Finalize(None, self.close, exitpriority=1)  # or the interpreter would wait for them for ever
        self._free: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._all:
            try:
                worker.wake()
            except (EOFError, OSError) as error:
                self.close()
                raise ConfigError("a process that should score could not load the reward") from error
            self._free.put(worker)

    def _work(self, task: Task) -> Answer | Refusal:
        worker = self._free.get()
        try:
            return worker.ask(task)
        finally:
            self._free.put(worker)

    def close(self) -> None:
        super().close()
        self._at_exit.cancel()
        for worker in self._all:
            worker.end()


class _Worker:
    """One process and the pipe to it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._ended = False
        self._busy = threading.Lock()
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # forking a process with threads is not safe
        self.pipe, far = context.Pipe()
        self.process = context.Process(target=_scoring, args=(far, self.service), daemon=True)
        self.process.start()
        far.close()
        self._awake = False

    def wake(self) -> None:
        """Wait until the process has loaded the service; EOFError if it cannot."""
        if not self._awake:
            self._awake = self.pipe.recv()

    def ask(self, task: Task) -> Answer | Refusal:
        with self._busy:
            return self._asked(task)

    def _asked(self, task: Task) -> Answer | Refusal:
        limit = self.service.limits.hung_seconds
        try:
            self.wake()
            self.pipe.send(task)
            if self.pipe.poll(limit):
                answer: Answer | Refusal = self.pipe.recv()
                return answer
            self.process.kill()
            said = Refusal(500, "hung", f"not scored within {limit:g} s; the process that scored it was ended")
        except (EOFError, OSError, pickle.UnpicklingError):
            said = Refusal(503, "scorer_died", "the process that scored this died", retry_after=2)
        self._replace()
        return said

    def _replace(self) -> None:
        self.process.join(FAREWELL)
        self.process.kill()
        self.pipe.close()
        if not self._ended:
            log.error("a scoring process ended with code %s; another takes its place", self.process.exitcode)
            self._start()
        if self._ended:  # meanwhile
            self.process.kill()

    def end(self) -> None:
        self._ended = True
        if self._busy.acquire(blocking=False):  # idle: it ends as soon as the pipe does
            self.pipe.close()
            self.process.join(FAREWELL)
        self.process.kill()
        self.process.join()


def _scoring(pipe: Connection, service: Service) -> None:
    """A process's life: tasks in, answers out, until the pipe breaks or the server is gone."""
    for number in (signal.SIGTERM, signal.SIGINT):  # sent to a whole group of processes: the server says when
        signal.signal(number, _unmoved)  # not SIG_IGN, which programs that a reward starts would inherit
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    with confined(Reach(service.root)), suppress(EOFError, OSError):
        pipe.send(True)
        while True:
            task: Any = pipe.recv()
            pipe.send(service.answer(task))


def _unmoved(number: int, frame: object) -> None:
    """Nothing."""


def _end_with_the_server() -> None:
    """A server that was killed cannot end the process of a request that takes long, or for ever."""
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
        os._exit(1)
