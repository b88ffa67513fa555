"""The HTTP face: routes, tokens, bodies within their limits, statuses. Scoring itself is the business of `service.py`.

POST /score        rows, groups or columns -> scores, reasons, parts
POST /openrlhf     OpenRLHF's protocol (also at /get_reward)
GET  /             what is served      GET /health  /ready      GET /metrics      GET /openapi.json
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from sightline.core.version import __version__
from sightline.media.reach import Reach, confined
from sightline.serve import schema
from sightline.serve.bodies import JSON, KINDS, encoded, kind_of
from sightline.serve.desk import Desk, Place
from sightline.serve.engines import Engine
from sightline.serve.gauges import Gauges
from sightline.serve.refusal import Refusal
from sightline.serve.service import OPENRLHF, SCORE, Service, Task

log = logging.getLogger("sightline.serve")
OPEN = ("/health", "/ready")
LONGEST_KEY = 200
ACCEPTED = "sightline.accepted"  # marks a request whose body was taken on


class Door:
    """One server's state, and how a request goes through it.

    Args:
        service: what is served.
        engine: who scores.
        token: what callers must send as `Authorization: Bearer ...`; empty: nothing.
        drain_seconds: how long scoring may go on after the last request was taken on.
    """

    def __init__(self, service: Service, engine: Engine, token: str = "", drain_seconds: float = 120.0) -> None:
        self.service, self.engine, self.token = service, engine, token.encode()
        self.drain_seconds = drain_seconds
        self.desk = Desk(service.limits, engine.places)
        self.gauges = Gauges.new(self.desk, engine)
        self.left = 0

    @asynccontextmanager
    async def life(self, app: FastAPI) -> AsyncIterator[None]:
        with confined(Reach(self.service.root)):
            yield
            self.left = await self.desk.drain(self.drain_seconds)
        log.warning("drained: accepted %d, answered %d, left %d", self.desk.accepted, self.desk.answered, self.left)

    def admit(self, request: Request) -> None:
        """Raise a `Refusal` unless the request carries the token."""
        if not self.token or request.url.path in OPEN:
            return
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(sent.strip().encode("latin-1"), self.token):
            raise Refusal(401, "no_token", "needs the header `Authorization: Bearer TOKEN` with this server's token")

    async def answer(self, request: Request, route: str) -> Response:
        """Take a request on, have it scored, answer it."""
        self.admit(request)
        kind = kind_of(request.headers.get("content-type", ""))
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refusal(415, "encoded_body", "compressed bodies are not accepted; send it as it is")
        answer_kind = KINDS.get(request.headers.get("accept", "").partition(";")[0].strip().lower(), kind)
        key = self._key(request)
        said = request.headers.get("content-length", "0")
        place = self.desk.enter(int(said) if said.isdecimal() else 0)
        try:
            body = await self._body(request, place)
            seen = _print(route, body, answer_kind) if key or route == OPENRLHF else ""
            if route == OPENRLHF and not key:
                key = f"\n{seen}"  # its callers retry without a key: there the content is the name; no header has it
            request.scope[ACCEPTED] = True
            self.desk.accepted += 1
            coming, again = self.desk.start(
                partial(self._scored, Task(route, body, kind, answer_kind)), place, key, seen
            )
        except BaseException:
            place.leave()
            raise
        if again:
            self.gauges.repeats.inc()
        return Response(await self._in_time(coming), media_type=answer_kind)

    async def _scored(self, task: Task) -> bytes:
        found = await self.engine.answer(task)
        if isinstance(found, Refusal):
            raise found
        self.gauges.count(found)
        return found.body

    async def _in_time(self, coming: asyncio.Future[bytes]) -> bytes:
        try:
            return await asyncio.wait_for(asyncio.shield(coming), self.service.limits.seconds)
        except TimeoutError:
            seconds = self.service.limits.seconds
            message = f"not scored within {seconds:g} s; it is being scored on: send it again with the same key"
            raise Refusal(504, "too_slow", message, retry_after=1) from None
        except asyncio.CancelledError:  # the server's end has come, and its time for answering is over
            raise Refusal(503, "shut_down", "the server ends before this is scored", retry_after=1) from None

    async def _body(self, request: Request, place: Place) -> bytes:
        chunks = []
        try:
            async with asyncio.timeout(self.service.limits.read_seconds):
                async for chunk in request.stream():
                    place.grow(len(chunk))
                    chunks.append(chunk)
        except TimeoutError:
            seconds = self.service.limits.read_seconds
            raise Refusal(408, "slow_body", f"the body did not arrive within {seconds:g} s") from None
        except ClientDisconnect:
            raise Refusal(400, "broken_body", "the caller went away before the body had arrived") from None
        return b"".join(chunks)

    @staticmethod
    def _key(request: Request) -> str:
        key: str = request.headers.get("idempotency-key", "")
        if len(key) > LONGEST_KEY:
            raise Refusal(400, "long_key", f"an Idempotency-Key has at most {LONGEST_KEY} characters, got {len(key)}")
        return key


def _print(route: str, body: bytes, answer_kind: str) -> str:
    """What tells requests apart."""
    seen = sha256(f"{route} {answer_kind} ".encode())  # a faster one lets a body be made that passes for another
    seen.update(body)
    return seen.hexdigest()


def app(door: Door) -> FastAPI:
    """The application for one door."""
    found = FastAPI(
        title=f"sightline: {door.service.name}",
        version=__version__,
        lifespan=door.life,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # ours asks for the token
        redirect_slashes=False,  # to wherever the Host header says
    )

    async def score(request: Request) -> Response:
        """Score rollouts: `rows`, `groups` or `columns`."""
        return await door.answer(request, SCORE)

    async def openrlhf(request: Request) -> Response:
        """Score queries in OpenRLHF's protocol."""
        return await door.answer(request, OPENRLHF)

    async def about(request: Request) -> Response:
        """What is served: columns, range."""
        door.admit(request)
        return Response(encoded(door.service.about, JSON), media_type=JSON)

    async def metrics(request: Request) -> Response:
        """For Prometheus."""
        door.admit(request)
        return Response(door.gauges.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openapi(request: Request) -> Response:
        door.admit(request)
        return Response(encoded(schema.described(found.openapi(), bool(door.token)), JSON), media_type=JSON)

    async def health() -> Response:
        """Alive: 200; 503 where only a restart helps."""
        stuck = door.engine.seconds_stuck() > door.service.limits.hung_seconds
        return Response(
            encoded({"status": "stuck" if stuck else "alive"}, JSON), 503 if stuck else 200, media_type=JSON
        )

    async def ready() -> Response:
        """Takes requests on: 200, else 503."""
        limits = door.service.limits
        stuck = door.engine.seconds_stuck() > limits.seconds
        free = not stuck and door.desk.inside < limits.waiting
        said = {"status": "ready" if free else "stuck" if stuck else "busy", "inside": door.desk.inside}
        return Response(encoded(said, JSON), 200 if free else 503, media_type=JSON)

    found.post(SCORE, openapi_extra=schema.SCORE, responses=schema.REFUSALS)(score)
    found.post(OPENRLHF, openapi_extra=schema.OPENRLHF, responses=schema.REFUSALS)(openrlhf)
    found.post("/get_reward", include_in_schema=False)(openrlhf)
    found.get("/", responses=schema.PAGE)(about)
    found.get("/metrics", responses=schema.METRICS)(metrics)
    found.get("/openapi.json", include_in_schema=False)(openapi)
    for path, probe in (("/health", health), ("/ready", ready)):
        found.get(path, responses=schema.PROBE)(probe)
        found.head(path, include_in_schema=False)(probe)
    _refusing(found, door)
    found.add_middleware(_Counted, door=door)
    return found


def _refusing(found: FastAPI, door: Door) -> None:
    """All errors in one form."""

    async def refuse(request: Request, refusal: Exception) -> Response:
        headers = getattr(refusal, "headers", None) or {}
        if isinstance(refusal, HTTPException):  # no such path, or another method
            asked = f"{request.method} {request.url.path[:80]}"
            refusal = Refusal(refusal.status_code, "no_route", f"{asked}: {refusal.detail}")
        elif not isinstance(refusal, Refusal):  # a fault of ours; the server logs its trace
            refusal = Refusal(500, "fault", type(refusal).__name__)
        door.gauges.refusals.labels(refusal.code).inc()
        headers = {**headers, **({"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {})}
        return Response(encoded(refusal.body, JSON), refusal.status, headers, JSON)

    found.add_exception_handler(Refusal, refuse)
    found.add_exception_handler(HTTPException, refuse)
    found.add_exception_handler(Exception, refuse)


Scope = dict[str, Any]
Send = Callable[[Any], Awaitable[None]]


class _Counted:
    """Counts requests by route and status, and the answers that went out."""

    def __init__(self, app: Any, door: Door) -> None:
        self.app, self.door = app, door

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, gauges = time.perf_counter(), self.door.gauges

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                known = scope.get("route")
                route = getattr(known, "path", "other")
                gauges.requests.labels(route, message["status"]).inc()
                gauges.seconds.labels(route).observe(time.perf_counter() - begun)
            await send(message)
            if message["type"] == "http.response.body" and ACCEPTED in scope:
                self.door.desk.answered += 1

        await self.app(scope, receive, sent)
