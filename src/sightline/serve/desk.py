"""Where requests are taken on: a bounded number at once, each scored at most once for its key, all of them finished.

Lives on the event loop, so nothing here needs a lock; an engine does the scoring. Knows nothing of HTTP or rewards.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from sightline.serve.limits import Limits
from sightline.serve.refusal import Refusal, too_large

Work = Callable[[], Awaitable[bytes]]


@dataclass
class Place:
    """One request's place: taken before its body is read, given back when its scoring has ended."""

    desk: Desk
    size: int = 0
    held: bool = True

    def grow(self, size: int) -> None:
        """Account for `size` more bytes of the body.

        Raises:
            Refusal: 413 or 429, before they are kept.
        """
        limits = self.desk.limits
        if self.size + size > limits.body_bytes:
            raise too_large(f"a body of more than {limits.body_bytes:,} bytes")
        if self.desk.held_bytes + size > limits.waiting_bytes:
            raise self.desk.full("bodies of requests that wait take too much memory")
        self.size += size
        self.desk.held_bytes += size

    def leave(self) -> None:
        if self.held:
            self.held = False
            self.desk.inside -= 1
            self.desk.held_bytes -= self.size


@dataclass
class Kept:
    """An answer under way or given, and what it answers."""

    print: str
    answer: asyncio.Future[bytes]
    since: float
    size: int = 0


@dataclass
class Desk:
    """Takes requests on and has them scored.

    Args:
        limits: how many, how large, how long.
        places: how many are scored at once.
    """

    limits: Limits
    places: int = 1
    inside: int = 0
    held_bytes: int = 0
    accepted: int = 0
    answered: int = 0
    under_way: dict[str, Kept] = field(default_factory=dict)
    kept: OrderedDict[str, Kept] = field(default_factory=OrderedDict)
    kept_bytes: int = 0
    pace: float = 0.05  # seconds a request takes, a running mean

    def __post_init__(self) -> None:
        self._running: set[asyncio.Future[bytes]] = set()

    def enter(self, size: int = 0) -> Place:
        """A place for a request whose body is said to have `size` bytes.

        Raises:
            Refusal: 429, all places are taken; 413, the body is too large.
        """
        if size > self.limits.body_bytes:
            raise too_large(f"a body of {size:,} bytes, more than {self.limits.body_bytes:,}")
        if self.inside >= self.limits.waiting:
            raise self.full(f"{self.inside} requests wait")
        self.inside += 1
        return Place(self)

    def full(self, why: str) -> Refusal:
        """429 with the time after which a place should be free."""
        wait = math.ceil(self.inside * self.pace / self.places)
        return Refusal(429, "busy", f"{why}; send this again later", retry_after=min(60, max(1, wait)))

    def start(self, work: Work, place: Place, key: str = "", print: str = "") -> tuple[asyncio.Future[bytes], bool]:
        """(the answer to come, whether it was asked for before). Takes over `place`.

        Args:
            work: what gives the answer; called once.
            place: the request's place.
            key: the caller's name for this request; empty: none, it is scored in any case.
            print: what tells whether two bodies are the same.

        Raises:
            Refusal: 422, the key was used for another body.
        """
        self._forget_old()
        known = self.under_way.get(key) or self.kept.get(key)
        if known is not None:
            place.leave()
            if known.print != print:
                raise Refusal(422, "key_reused", "this Idempotency-Key was used for another request")
            return known.answer, True
        answer = asyncio.ensure_future(self._done(work, place))
        self._running.add(answer)
        answer.add_done_callback(partial(self._ended, key))
        if key:
            self.under_way[key] = Kept(print, answer, time.monotonic())
        return answer, False

    async def _done(self, work: Work, place: Place) -> bytes:
        begun = time.perf_counter()
        try:
            return await work()
        finally:
            waited = (time.perf_counter() - begun) * self.places / max(1, self.inside)
            self.pace += 0.05 * (waited - self.pace)
            place.leave()

    def _ended(self, key: str, done: asyncio.Future[bytes]) -> None:
        """Keep an answer for retries; what failed may be tried again."""
        self._running.discard(done)
        kept = self.under_way.pop(key, None)
        if not done.cancelled() and done.exception() is None and kept is not None:
            kept.size, kept.since = len(done.result()), time.monotonic()
            self.kept[key] = kept
            self.kept_bytes += kept.size
            self._forget_old()

    def _forget_old(self) -> None:
        limits, now = self.limits, time.monotonic()
        while self.kept and (
            len(self.kept) > limits.kept
            or self.kept_bytes > limits.kept_bytes
            or now - next(iter(self.kept.values())).since > limits.kept_seconds
        ):
            self.kept_bytes -= self.kept.popitem(last=False)[1].size

    async def drain(self, seconds: float) -> int:
        """Wait for all scoring to end; how many have not after `seconds`."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        return len(self._running)
