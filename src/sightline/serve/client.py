"""A reward on another machine, as a reward for TRL or verl: one call, one key, retries that never score twice.

Knows the wire only: it needs nothing of the server's extra but MessagePack, and no trainer.
"""

from __future__ import annotations

import atexit
import http.client
import io
import os
import random
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

import orjson
import xxhash

from sightline.core.errors import ConfigError, MissingExtra, ServerError
from sightline.media import images

AGAIN = frozenset((408, 425, 429, 502, 503, 504))
TRAINER = frozenset(("trainer_state", "log_extra", "log_metric", "environments", "completion_ids"))
MEDIA = frozenset(("image", "images", "video", "videos", "frames", "picture", "pictures"))
LONGEST_WAIT = 30.0


@dataclass(frozen=True)
class RemoteReward:
    """Asks a `sightline serve` for scores; a value, so it pickles into workers.

    Args:
        url: of the server, as `http://host:8000`.
        token_env: environment variable that holds the token; empty: none is sent.
        patience: seconds until a call is given up, all retries included.
        timeout: seconds until one try is given up.
        group_size: rollouts that are compared with each other, which follow one another: those of one prompt, or of
            two prompts for a reward that compares two. 0: rows with equal prompts that follow one another.
        rows: rollouts of one request; groups are never cut.
        name: what trainers log it as.

    Example:
        >>> RemoteReward("http://localhost:8000").__name__
        'sightline'
    """

    url: str
    token_env: str = ""
    patience: float = 600.0
    timeout: float = 150.0
    group_size: int = 0
    rows: int = 512
    name: str = "sightline"

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https"):
            raise ConfigError(f"url `{self.url}`: needs http://host:port")

    @property
    def __name__(self) -> str:  # TRL logs a reward function under it
        return self.name

    def __call__(self, completions: Sequence[Any], prompts: Sequence[Any] | None = None, **columns: Any) -> list[Any]:
        """TRL's reward function: one number per completion, None where there is nothing to judge.

        Parts are logged under their names where the trainer passes `log_extra`.

        Raises:
            ServerError: the server refused the request, or did not answer within `patience`.
        """
        size = len(completions)
        kept = {name: values for name, values in columns.items() if name not in TRAINER and _is_column(values, size)}
        rows = [{name: values[i] for name, values in kept.items()} for i in range(size)]
        for i, row in enumerate(rows):
            row["completion"] = completions[i]
            row |= {} if prompts is None else {"prompt": prompts[i]}
        for row, group in zip(rows, self._groups(rows), strict=True):
            row["group"] = group
        answer = self.score(rows, step=getattr(columns.get("trainer_state"), "global_step", None))
        if callable(columns.get("log_extra")):
            for name, part in answer["parts"].items():
                columns["log_extra"](name, part["scores"])
        return list(answer["scores"])

    def score(self, rows: Sequence[Mapping[str, Any]], step: int | None = None) -> dict[str, Any]:
        """The server's answer for rows: `scores`, `why`, and `parts`, each with `scores` and `why`.

        Raises:
            ServerError: the server refused the request, or did not answer within `patience`.
        """
        pieces = list(_pieces(rows, self.rows))
        answers = [self.send("/score", _request([rows[i] for i in piece], step)) for piece in pieces]
        places = [i for piece in pieces for i in piece]
        names = dict.fromkeys(name for answer in answers for name in answer["parts"])
        parts = {name: _joined([answer["parts"][name] for answer in answers], places) for name in names}
        return {**_joined(answers, places), "parts": parts}

    def send(self, path: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One request, tried until it is answered; every try carries the same key, so it is scored once.

        Raises:
            ServerError: refused, or not answered within `patience`.
        """
        body, key = _packed(request), uuid.uuid4().hex
        until, tries = time.monotonic() + self.patience, 0
        while True:
            tries += 1
            try:
                seconds = max(0.1, min(self.timeout, until - time.monotonic()))
                status, wait, reply = self._try(path, body, key, seconds)
            except (OSError, http.client.HTTPException) as error:
                _idle.drop(self.url)
                status, wait, reply = 0, 0.0, f"{type(error).__name__}: {error}".encode()
            if status == 200:
                return _unpacked(reply)
            pause = max(wait, min(LONGEST_WAIT, 0.05 * 2 ** min(tries, 12))) * random.uniform(1.0, 1.5)
            if (status and status not in AGAIN) or time.monotonic() + pause > until:
                raise ServerError(f"{self.url}{path}: {_said(status, reply)} (try {tries})")
            time.sleep(pause)

    def _try(self, path: str, body: bytes, key: str, seconds: float) -> tuple[int, float, bytes]:
        """(status, seconds to wait, body) of one try."""
        headers = {"Content-Type": "application/msgpack", "Idempotency-Key": key}
        if self.token_env:
            headers["Authorization"] = f"Bearer {os.environ.get(self.token_env, '').strip()}"
        connection = _idle.take(self.url, seconds)
        try:
            connection.request("POST", urlsplit(self.url).path.rstrip("/") + path, body, headers)
            reply = connection.getresponse()
            wait, found = reply.headers.get("Retry-After", ""), reply.read()
        except BaseException:
            connection.close()
            raise
        _idle.give(self.url, connection)
        return reply.status, float(wait) if wait.isdecimal() else 0.0, found

    def _groups(self, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        if self.group_size:
            return [i // self.group_size for i in range(len(rows))]
        runs = groupby(range(len(rows)), key=lambda i: rows[i].get("prompt", i))
        return [number for number, (_, run) in enumerate(runs) for _ in run]


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    *,
    url: str,
    label: str = "answer",
    token_env: str = "",
    unscored: float = 0.0,
    reward_router_address: Any = None,
    reward_model_tokenizer: Any = None,
    **settings: Any,
) -> dict[str, float]:
    """verl's reward function: `reward.custom_reward_function.path=pkg://sightline.serve.client`.

    The server's address goes into `reward_kwargs`. The path of this file will not do: verl loads a file as a module
    that is not in `sys.modules`, where no dataclass can be made. Rollouts come one at a time here: a reward that
    compares rollouts of a prompt needs verl's manager instead.

    Args:
        data_source: becomes the column `data_source`.
        solution_str: the response.
        ground_truth: an object of columns, or the value of the column `label`.
        extra_info: more columns.
        url: of the server.
        label: the column that a ground truth fills that is no object.
        token_env: environment variable that holds the token.
        unscored: the number where there is nothing to judge; the key `unscored` is 1 there.
        reward_router_address, reward_model_tokenizer: what verl passes for reward models; not used.
        settings: more of `RemoteReward`.

    Returns:
        `score`, every part, and `unscored`.

    Raises:
        ServerError: the server refused the request, or a judge failed.
    """
    truth = ground_truth if isinstance(ground_truth, Mapping) else {label: ground_truth}
    row = {**(extra_info or {}), **truth, "data_source": data_source, "completion": solution_str}
    answer = RemoteReward(url, token_env, **settings).score([row])
    value, why = answer["scores"][0], answer["why"][0]
    if value is None and why.startswith("error: "):
        raise ServerError(f"{url}: {why}")
    parts = {name: _or(part["scores"][0], unscored) for name, part in answer["parts"].items()}
    return {**parts, "score": _or(value, unscored), "unscored": float(value is None)}


def _or(value: float | None, other: float) -> float:
    return other if value is None else float(value)


def _is_column(values: Any, size: int) -> bool:
    return hasattr(values, "__len__") and not isinstance(values, str | bytes | Mapping) and len(values) == size


def _pieces(rows: Sequence[Mapping[str, Any]], size: int) -> Iterator[list[int]]:
    """Row numbers of each request, whole groups together; a row without a group is one."""
    groups: dict[Any, list[int]] = {}
    for i, row in enumerate(rows):
        name = row.get("group")
        groups.setdefault(("alone", i) if name is None else name, []).append(i)
    piece: list[int] = []
    for group in groups.values():
        if piece and len(piece) + len(group) > size:
            yield piece
            piece = []
        piece += group
    if piece:
        yield piece


def _request(rows: Sequence[Mapping[str, Any]], step: int | None) -> dict[str, Any]:
    """The request for some rows, every picture in it once."""
    media: dict[str, bytes] = {}
    sent = [{name: _plain(value, media, name in MEDIA) for name, value in row.items()} for row in rows]
    return {"rows": sent, **({"media": media} if media else {}), **({} if step is None else {"step": int(step)})}


def _plain(value: Any, media: dict[str, bytes], shown: bool) -> Any:
    """A value as it travels: pictures become references into `media`."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes | bytearray):
        return _reference(bytes(value), media)
    if isinstance(value, Mapping):
        data = value.get("bytes")
        if isinstance(data, bytes | bytearray) and data and value.keys() <= {"bytes", "path"}:
            return _reference(bytes(data), media)
        return {str(name): _plain(item, media, shown) for name, item in value.items()}
    if hasattr(value, "tobytes") and hasattr(value, "mode"):  # a Pillow image
        return _reference(_png(value), media)
    if shown and getattr(value, "ndim", 0) >= 2:
        return _reference(_png(images.load(value)), media)
    if hasattr(value, "tolist"):
        return _plain(value.tolist(), media, shown)
    if isinstance(value, Sequence | set | frozenset):
        return [_plain(item, media, shown) for item in value]
    return str(value)


def _reference(data: bytes, media: dict[str, bytes]) -> dict[str, str]:
    name = xxhash.xxh3_128_hexdigest(data)
    media[name] = data
    return {"media": name}


def _png(picture: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _joined(answers: Sequence[Mapping[str, Any]], places: Sequence[int]) -> dict[str, Any]:
    """Scores and reasons of several answers, each at its row."""
    found: dict[str, Any] = {}
    for name in ("scores", "why"):
        by_row = dict(zip(places, (value for answer in answers for value in answer[name]), strict=True))
        found[name] = [by_row[i] for i in range(len(by_row))]
    return found


def _packed(request: Mapping[str, Any]) -> bytes:
    try:
        packed: bytes = _msgpack().packb(request, unicode_errors="replace")  # half a surrogate pair cannot travel
    except OverflowError as error:
        raise ConfigError(f"a whole number of more than 64 bits cannot travel; send it as text ({error})") from error
    return packed


def _unpacked(reply: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = _msgpack().unpackb(reply)
    except ValueError as error:
        raise ServerError(f"an answer that is not whole MessagePack: {error}") from error
    return answer


@lru_cache(maxsize=1)
def _msgpack() -> Any:
    try:
        import msgpack
    except ImportError as error:
        raise MissingExtra.of("the reward client", "serve") from error
    return msgpack


def _said(status: int, reply: bytes) -> str:
    """What the server said, in its own words."""
    if not status:
        return reply.decode(errors="replace")
    try:
        return f"{status} {orjson.loads(reply)['error']['message']}"
    except (ValueError, KeyError, TypeError):
        return f"{status} {reply[:200].decode(errors='replace')}"


class _Idle:
    """Open connections that no thread uses, by process and server; a process that was forked opens its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[int, str], list[http.client.HTTPConnection]] = {}

    def take(self, url: str, timeout: float) -> http.client.HTTPConnection:
        with self._lock:
            free = self._open.get((os.getpid(), url))
            connection = free.pop() if free else None
        if connection is not None:
            connection.timeout = timeout
            if connection.sock is not None:
                connection.sock.settimeout(timeout)
            return connection
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=timeout)

    def give(self, url: str, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._open.setdefault((os.getpid(), url), []).append(connection)

    def drop(self, url: str) -> None:
        """Close them all: one broke, so the server has gone or has closed the others too."""
        with self._lock:
            free = self._open.pop((os.getpid(), url), [])
        for connection in free:
            connection.close()

    def close(self) -> None:
        for _, url in list(self._open):
            self.drop(url)

    def forked(self) -> None:
        """In a new process: another thread may have held the lock; the parent's connections stay the parent's."""
        self._lock = threading.Lock()


_idle = _Idle()
atexit.register(_idle.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.forked)
