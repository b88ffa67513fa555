"""Connections that may not hold a server up: what is no body has a size, and every wait for the other side a time.

uvicorn bounds neither. Bodies are the business of `app.py`, which answers where they are too large or too slow; here
there is nobody yet to answer, so the connection is closed.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sightline.serve.limits import Limits

SPARE = 64  # connections beyond the limit that are still told 503
PACKET = 256 << 10  # bytes that arrive at once, at most
FRAMED = 8  # a chunk of one byte comes in six


def guarded(limits: Limits) -> type[HttpToolsProtocol]:
    """uvicorn's protocol within `head_bytes` and `read_seconds` of some limits.

    Whatever arrives and is no body counts as head: lines, headers, trailers, extensions of chunks. The clock runs while
    a request is awaited, while the rest of a body is thrown away that was refused, and while an answer is not read.
    """

    class Guarded(HttpToolsProtocol):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._head = 0
            self._cycles: list[Any] = []
            self._coming = _Clock(self.loop, limits.read_seconds, self._hang_up)
            self._leaving = _Clock(self.loop, limits.read_seconds, self._hang_up)

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            transport.set_write_buffer_limits(high=0)  # told of every byte that is not read, not of the 65537th
            self._coming.start()
            if self.limit_concurrency and len(self.connections) > self.limit_concurrency + SPARE:
                self._hang_up()

        def connection_lost(self, exc: Exception | None) -> None:
            self._coming.stop()
            self._leaving.stop()
            self._drop_answers()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._head += len(data)
            if self._head > limits.head_bytes + PACKET:
                self._hang_up()
            elif self.cycle is not None and not self.cycle.response_complete:
                self._coming.stop()
            else:
                self._coming.start()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._head = 0
            self._coming.stop()  # and from now on anew

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            self._cycles = [*(cycle for cycle in self._cycles if not cycle.response_complete), self.cycle]

        def on_body(self, body: bytes) -> None:
            self._head = max(0, self._head - FRAMED * len(body))  # no credit for what comes behind a large body
            super().on_body(body)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.cycle.response_complete and self.cycle.more_body:
                self._coming.start()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._leaving.start()

        def resume_writing(self) -> None:
            super().resume_writing()
            self._leaving.stop()

        def _hang_up(self) -> None:
            self._head = 0
            self._drop_answers()
            self.transport.abort()

        def _drop_answers(self) -> None:
            for cycle in self._cycles:  # uvicorn knows the last one only
                cycle.disconnected = True

    return Guarded


class _Clock:
    """Calls `late` once after `seconds`, unless it is stopped before; starting it again changes nothing."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, late: Any) -> None:
        self._loop, self._seconds, self._late = loop, seconds, late
        self._running: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self._running is None:
            self._running = self._loop.call_later(self._seconds, self._rung)

    def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            self._running = None

    def _rung(self) -> None:
        self._running = None
        self._late()
