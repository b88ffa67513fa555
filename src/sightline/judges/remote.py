"""A judge behind an OpenAI-compatible server.

This file is the value: what to ask, where and how patiently. The async core is in `calls`, the loop and the connections
in `lanes`, the formats in `wire`. Whatever goes wrong with a call becomes the error of its verdict.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Literal
from urllib.parse import urlsplit

from sightline.core.errors import ConfigError
from sightline.judges.judge import Ability, Question
from sightline.judges.stream import Arrival, Streamed
from sightline.judges.wire import CHAT_LOGLIK, CHOOSE, EMBED, GENERATE, Wire


@dataclass(frozen=True)
class RemoteJudge(Streamed):
    """A model behind an OpenAI-compatible HTTP server: OpenAI, vLLM, SGLang, llama.cpp and others.

    generate  the text of a chat completion
    choose    shares of the options in the likeliest 20 first tokens, summed over case and leading blanks
    loglik    `prompt_logprobs` of a chat whose last message is the continuation (vLLM), or `echo` (see `loglik_wire`)
    embed     the embeddings endpoint

    Status 408, 425, 429 and 5xx, time-outs, broken connections and broken JSON are tried again after
    backoff * 2^tries seconds (jittered down to half of it) or as long as `Retry-After` says. Other statuses (400, 401,
    ...) and a server that cannot be reached at all are not. Options are numbers of this object only: it holds no
    connection, can be pickled, and may be asked from threads and from inside a running event loop.

    Args:
        base_url: the URL that ends in /v1.
        model: the model's name there.
        api_key_env: name of the environment variable with the key; empty: no key is sent.
        concurrency: requests under way at once, over all threads of this process.
        timeout_seconds: for one request, from connecting to the last byte.
        connect_seconds: for connecting alone.
        retries: tries after the first.
        backoff_seconds: the first wait.
        longest_wait_seconds: the longest one; a server that asks for more is given up.
        system: a system message, or empty.
        extra: more keys of the request body, as a JSON object; a null takes a key out.
        encoding: how pictures are sent: `PNG` keeps every pixel, `JPEG` is much smaller (frames of a video).
        loglik_wire: `CHAT_LOGLIK` (with chat template and pictures) or `ECHO_LOGLIK` (bare text, completions endpoint).
        name: replaces "model@base_url" in `id`, for a model that moves between addresses.

    Raises:
        ConfigError: a bad URL, number or `extra`; on use, if the key's variable is not set.

    Example:
        >>> RemoteJudge("http://localhost:8000/v1", "judge-7b").id
        'remote:judge-7b@http://localhost:8000/v1'
    """

    base_url: str
    model: str
    api_key_env: str = ""
    concurrency: int = 32
    timeout_seconds: float = 60.0
    connect_seconds: float = 5.0
    retries: int = 3
    backoff_seconds: float = 0.5
    longest_wait_seconds: float = 60.0
    system: str = ""
    extra: str = "{}"
    encoding: Literal["PNG", "JPEG"] = "PNG"
    loglik_wire: Wire = CHAT_LOGLIK
    name: str = ""

    def __post_init__(self) -> None:
        try:
            url = urlsplit(self.base_url)
            valid = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        except ValueError:  # a port that is none
            valid = False
        if not valid:
            raise ConfigError(f"RemoteJudge: base_url needs http:// or https:// and a host, got {self.base_url!r}")
        if self.concurrency < 1 or self.retries < 0 or self.timeout_seconds <= 0 or self.connect_seconds <= 0:
            raise ConfigError("RemoteJudge: concurrency and time-outs must be positive, retries not negative")
        self.constant()

    @property
    def id(self) -> str:
        """Model, address and a hash of the settings that change answers, if there are any."""
        where = self.name or f"{self.model}@{self.base_url.rstrip('/')}"
        settings = [self.system, self.constant(), self.encoding, self.loglik_wire.path]
        if settings == ["", {"model": self.model}, "PNG", CHAT_LOGLIK.path]:
            return f"remote:{where}"
        return f"remote:{where}#{hashlib.blake2b(json.dumps(settings).encode(), digest_size=4).hexdigest()}"

    def stream(self, ability: Ability, questions: Sequence[Question]) -> Iterator[Arrival]:
        """Verdicts as they arrive. Leaving the loop early cancels the calls that are still open."""
        if not questions:
            return
        from sightline.judges import calls, lanes

        arrived: SimpleQueue[Arrival | None] = SimpleQueue()
        wires = {"generate": GENERATE, "choose": CHOOSE, "loglik": self.loglik_wire, "embed": EMBED}
        round_ = calls.Round(self, wires[ability], questions, arrived.put, self.headers())
        future = lanes.submit(round_.run())
        future.add_done_callback(lambda _: arrived.put(None))
        try:
            while (arrival := arrived.get()) is not None:
                yield arrival
            future.result()
        finally:
            future.cancel()

    def constant(self) -> dict[str, Any]:
        """The part of every request body that is the same: the model's name and `extra`."""
        try:
            extra = json.loads(self.extra)
        except ValueError as error:
            raise ConfigError(f"RemoteJudge: extra is not JSON: {error}") from error
        if not isinstance(extra, dict):
            raise ConfigError(f"RemoteJudge: extra needs a JSON object, got {self.extra!r:.60}")
        return {"model": self.model, **extra}

    def headers(self) -> dict[str, str]:
        """The headers of a request, with the key."""
        headers = {"Content-Type": "application/json"}
        if self.api_key_env:
            key = os.environ.get(self.api_key_env, "").strip()
            if not key:
                raise ConfigError(f"RemoteJudge: the environment variable {self.api_key_env} with the key is not set")
            headers["Authorization"] = f"Bearer {key}"
        return headers
