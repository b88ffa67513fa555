"""The process in which math-verify runs: started when first needed, killed when it takes too long, started again.

One request and one answer are one line of JSON each. Whoever forks gets a process of its own; the worker ends by
itself when its parent is gone, since its input is closed then. The worker may not write files and its memory is
limited, because what it parses was written by a policy.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import subprocess
import sys
import time
from threading import Lock
from typing import Any
from weakref import WeakSet

import orjson

from sightline.core.missing import Missing

START_SECONDS = 120.0  # importing sympy on a busy machine
_ALL: WeakSet[MathsProcess] = WeakSet()


class MathsProcess:
    """A killable math-verify, safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._worker: subprocess.Popen[bytes] | None = None
        _ALL.add(self)

    def equal(self, answer: str, gold: str, seconds: float) -> bool | Missing:
        """The verdict, or Missing if there is none within `seconds` or the worker breaks."""
        with self._lock:
            try:
                worker = self._running()
                _send(worker, [answer.encode("utf-8", "replace").decode(), gold.encode("utf-8", "replace").decode()])
                reply = _receive(worker, seconds)
            except (OSError, EOFError) as error:
                self._kill()
                return Missing(f"the maths verifier broke: {error or type(error).__name__}")
            if reply is None:
                self._kill()
                return Missing(f"the maths verifier took more than {seconds:g} s")
            return reply if isinstance(reply, bool) else Missing(f"the maths verifier broke: {reply}")

    def close(self) -> None:
        """Ends the worker; the next question starts another."""
        with self._lock:
            self._kill()

    @property
    def pid(self) -> int | None:
        """The worker's process id, None while there is none."""
        return None if self._worker is None else self._worker.pid

    def _running(self) -> subprocess.Popen[bytes]:
        if self._worker is not None and self._worker.poll() is not None:
            self._kill()
        if self._worker is None:
            self._worker = subprocess.Popen(
                [sys.executable, "-B", "-P", "-c", _WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            if _receive(self._worker, START_SECONDS) != "ready":
                raise EOFError("it did not start")
        return self._worker

    def _kill(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()
            worker.wait()
            _close_pipes(worker)

    def _forget(self) -> None:
        """In a forked child: the worker belongs to the parent, its pipes must not stay open here."""
        self._lock = Lock()
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.returncode = 0  # not our child: nothing to wait for
            _close_pipes(worker)


def _close_pipes(worker: subprocess.Popen[bytes]) -> None:
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _send(worker: subprocess.Popen[bytes], pair: list[str]) -> None:
    assert worker.stdin is not None
    worker.stdin.write(orjson.dumps(pair) + b"\n")
    worker.stdin.flush()


def _receive(worker: subprocess.Popen[bytes], seconds: float) -> Any:
    """One answer, None if it does not come in time."""
    assert worker.stdout is not None
    until = time.monotonic() + seconds
    ready, line = select.poll(), b""  # `select.select` takes no descriptor above 1023, which a busy server has
    ready.register(worker.stdout, select.POLLIN)
    while not line.endswith(b"\n"):
        if not ready.poll(1000 * max(0.0, until - time.monotonic())):
            return None
        piece = os.read(worker.stdout.fileno(), 65536)
        if not piece:
            raise EOFError("it ended")
        line += piece
    return orjson.loads(line)


def _forget_all() -> None:
    for process in list(_ALL):
        process._forget()


def _close_all() -> None:
    for process in list(_ALL):
        process.close()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)

# Runs by itself, without sightline: starting it costs the import of math-verify and no more.
_WORKER = r"""
import contextlib, logging, os, signal, sys
import orjson
for number in (signal.SIGINT, signal.SIGTERM):  # sent to a whole group of processes: the parent says when
    signal.signal(number, signal.SIG_IGN)
logging.disable(logging.CRITICAL)
answers, sys.stdout = os.fdopen(os.dup(1), "wb", buffering=0), sys.stderr
from math_verify import parse, verify
with contextlib.suppress(ImportError, OSError, ValueError):  # not every system has these limits
    import resource
    for what, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_AS, 4 << 30)):
        resource.setrlimit(what, (most, most))

def equal(answer, gold):
    answer, gold = (parse(text, parsing_timeout=None) for text in (answer, gold))
    return bool(verify(gold, answer, timeout_seconds=None))

answers.write(b'"ready"\n')
for line in sys.stdin.buffer:
    try:
        reply = equal(*orjson.loads(line))
    except BaseException as error:
        reply = type(error).__name__
    answers.write(orjson.dumps(reply) + b"\n")
"""
