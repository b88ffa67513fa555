"""The private event loop of a process, and the connections that are open in it.

Connections belong to a process, not to a judge: a judge is a value that is pickled and compared. The loop runs in a
thread of its own, so a judge can be asked from anywhere, also from inside a running loop. It knows no HTTP beyond
opening and closing sessions.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")
_CLOSING_SECONDS = 2.0


class Lane(NamedTuple):
    """Open connections to one server, and the slots that bound how many requests may be under way at once."""

    session: aiohttp.ClientSession
    slots: asyncio.Semaphore


@dataclass(frozen=True)
class Route:
    """What requests must share to use the same connections and the same slots."""

    url: str
    concurrency: int


class _Loop:
    """One event loop in one daemon thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.lanes: dict[Route, Lane] = {}
        self.thread = threading.Thread(target=self.loop.run_forever, name="sightline-judges", daemon=True)
        self.thread.start()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close_sessions(), self.loop).result(_CLOSING_SECONDS)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(_CLOSING_SECONDS)
        self.loop.close()

    async def _close_sessions(self) -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        for lane in self.lanes.values():
            await lane.session.close()


_loop: _Loop | None = None
_lock = threading.Lock()
_of_parents: list[_Loop] = []


def submit(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Start a coroutine on the private loop; may be called from any other thread."""
    return asyncio.run_coroutine_threadsafe(work, _running().loop)


async def lane(route: Route) -> Lane:
    """The connections of a route, opened on first use. Only on the private loop."""
    import aiohttp

    lanes = _running().lanes
    if route not in lanes:
        connector = aiohttp.TCPConnector(limit=route.concurrency)
        lanes[route] = Lane(aiohttp.ClientSession(connector=connector), asyncio.Semaphore(route.concurrency))
    return lanes[route]


def _running() -> _Loop:
    global _loop
    with _lock:
        if _loop is None:
            _loop = _Loop()
            atexit.register(_close)
        return _loop


def _close() -> None:
    global _loop
    with _lock:
        closing, _loop = _loop, None
    if closing is not None:
        closing.close()


def _forget_parent() -> None:
    # the thread did not survive the fork, but the sockets did: closing them here would cut the parent's connections
    global _loop, _lock
    if _loop is not None:
        _of_parents.append(_loop)
    _loop, _lock = None, threading.Lock()
    atexit.unregister(_close)


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_forget_parent)
