"""The async core of the remote judge: bounded, patient, and never raising for one bad question.

Runs on the private loop of `lanes`. It knows HTTP and its failures; what a body means is the business of `wire`.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import orjson

from sightline.core.errors import JudgeError, MediaError
from sightline.judges import lanes
from sightline.judges.album import Album
from sightline.judges.judge import Question, Verdict
from sightline.judges.stream import Arrival
from sightline.judges.wire import Wire

if TYPE_CHECKING:
    from sightline.judges.remote import RemoteJudge

_WORTH_A_RETRY = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
_WORDS = 500  # of an error that are kept


class _Failure(NamedTuple):
    """A failed call: the provider's words, whether to try again, and how long the server wants us to wait."""

    words: str
    again: bool = False
    wait: float | None = None
    unreachable: bool = False


class Round:
    """All questions of one call, on the private loop."""

    def __init__(
        self,
        judge: RemoteJudge,
        wire: Wire,
        questions: Sequence[Question],
        arrive: Callable[[Arrival], None],
        headers: dict[str, str],
    ) -> None:
        self.judge, self.wire, self.questions, self.arrive, self.headers = judge, wire, questions, arrive, headers
        self.url = f"{judge.base_url.rstrip('/')}/{wire.path}"
        self.constant = judge.constant()
        self.album = Album(questions, judge.encoding)
        self.reached = False
        self.down = ""

    async def run(self) -> None:
        waiting = iter(range(len(self.questions)))
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(self.judge.concurrency, len(self.questions))):
                tasks.create_task(self._work(waiting))

    async def _work(self, waiting: Iterator[int]) -> None:
        lane = await lanes.lane(lanes.Route(self.judge.base_url, self.judge.concurrency))
        for number in waiting:
            async with lane.slots:
                self.arrive((number, await self._verdict(lane.session, self.questions[number])))

    async def _verdict(self, session: aiohttp.ClientSession, question: Question) -> Verdict[Any]:
        try:
            body = {**self.wire.body(question, await self.album.urls(question)), **self.constant}
        except (JudgeError, MediaError) as error:
            return Verdict(error=str(error))
        if self.judge.system and "messages" in body:
            body["messages"] = [{"role": "system", "content": self.judge.system}, *body["messages"]]
        sent = {key: value for key, value in body.items() if value is not None}
        answer = await self._post_patiently(session, orjson.dumps(sent))
        return Verdict(error=answer.words) if isinstance(answer, _Failure) else self._read(answer, question)

    def _read(self, reply: Any, question: Question) -> Verdict[Any]:
        try:
            return Verdict(self.wire.read(reply, question))
        except JudgeError as error:
            return Verdict(error=self._without_key(str(error)))
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            return Verdict(error=self._without_key(f"a reply of an unexpected shape ({error!r}): {reply!r:.200}"))

    async def _post_patiently(self, session: aiohttp.ClientSession, body: bytes) -> Any:
        for tries in range(self.judge.retries + 1):
            if self.down:
                return _Failure(self.down)
            answer = await self._post(session, body)
            if not isinstance(answer, _Failure):
                self.reached = True
                return answer
            if answer.unreachable and not self.reached:
                self.down = answer.words  # nobody has got through: the others need not wait for the same
                return answer
            self.reached |= not answer.unreachable
            wait = self._wait(tries, answer)
            if wait is None:
                return answer
            await asyncio.sleep(wait)
        raise AssertionError("the last try has no wait")  # pragma: no cover

    def _wait(self, tries: int, failure: _Failure) -> float | None:
        """Seconds until the next try, or None if there is none."""
        if not failure.again or tries >= self.judge.retries:
            return None
        jitter = random.uniform(0.5, 1.0)
        if failure.wait is not None:
            return None if failure.wait > self.judge.longest_wait_seconds else failure.wait + 0.1 * jitter
        return min(self.judge.backoff_seconds * 2.0**tries, self.judge.longest_wait_seconds) * jitter

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> Any:
        judge = self.judge
        timeout = aiohttp.ClientTimeout(total=judge.timeout_seconds, sock_connect=judge.connect_seconds)
        try:
            async with session.post(self.url, data=body, headers=self.headers, timeout=timeout) as response:
                payload = await response.read()
                status, retry_after = response.status, response.headers.get("Retry-After", "")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return _Failure(f"{judge.base_url} cannot be reached: {error}", again=True, unreachable=True)
        except TimeoutError:
            return _Failure(f"no answer from {judge.base_url} within {judge.timeout_seconds:g} s", again=True)
        except aiohttp.ClientError as error:
            return _Failure(f"connection to {judge.base_url} broke: {error or error!r}", again=True)
        if status >= 400:
            words = self._without_key(f"HTTP {status}: {_words(payload)}")
            return _Failure(words, status in _WORTH_A_RETRY, _seconds(retry_after))
        try:
            reply = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            return _Failure(self._without_key(f"broken JSON ({error}): {_words(payload)}"), again=True)
        if isinstance(reply, dict) and reply.get("error"):
            return _Failure(self._without_key(_words(payload)))
        return reply

    def _without_key(self, words: str) -> str:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        return (words.replace(key, "***") if key else words)[:_WORDS]


def _words(payload: bytes) -> str:
    """What a provider says in an error reply: its message where the usual place has one, else the text."""
    try:
        reply = json.loads(payload)
        error = reply.get("error", reply)
        return str(error.get("message") or error) if isinstance(error, dict) else str(error)
    except (ValueError, AttributeError):
        return payload.decode("utf-8", "replace").strip()[:_WORDS]


def _seconds(retry_after: str) -> float | None:
    """A `Retry-After` header, seconds or a date, as seconds from now."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
