"""A server process: a socket, uvicorn, and an orderly end.

On SIGTERM or SIGINT no connection is taken on any more, requests that were taken on are scored and answered, and the
process ends with code 0. A second SIGINT ends it at once, with code 1 if something was left.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sightline.core.errors import ConfigError, MissingExtra
from sightline.serve.engines import Engine, Threads
from sightline.serve.service import Service

log = logging.getLogger("sightline.serve")
OTHER_FILES = 1024  # open files beside connections: pipes, caches, pictures, calls of judges


@dataclass(frozen=True)
class Address:
    """Where a server listens, and who may call.

    Args:
        host: an address of this machine.
        port: 0 takes a free one.
        token: what callers must send; empty: anybody who reaches the port may call.
        open: allow an address that other machines reach without a token.
        connections: at once; more get 503.

    Raises:
        ConfigError: other machines reach it and there is no token.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str = field(default="", repr=False)
    open: bool = False
    connections: int = 1024

    def __post_init__(self) -> None:
        if not (self.token or self.open or _loopback(self.host)):
            raise ConfigError(f"other machines reach {self.host}: set a token, or say that the server is open to all")


def serve(service: Service, address: Address, engine: Engine | None = None, drain_seconds: float = 120.0) -> None:
    """Serve until a signal comes; returns when all that was taken on has been answered.

    Args:
        service: what is served.
        address: where.
        engine: who scores, closed at the end; None: threads of this process, 8 if a judge is asked, else 1.
        drain_seconds: how long answers may take after the signal; scoring that nobody waits for has as long again.

    Raises:
        MissingExtra: FastAPI or uvicorn is not installed.
    """
    try:
        import uvicorn

        from sightline.serve.app import Door, app
        from sightline.serve.wire import guarded
    except ImportError as error:
        raise MissingExtra.of("the reward server", "serve") from error
    engine = engine or Threads(service, 8 if service.judged else 1)
    _open_files(address.connections)
    door = Door(service, engine, address.token, drain_seconds)
    config: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "access_log": False,
        "http": guarded(service.limits),
        "ws": "none",
        "limit_concurrency": address.connections,
        "timeout_graceful_shutdown": max(1, round(drain_seconds)),
        "timeout_keep_alive": 30,
        "server_header": False,
        "proxy_headers": False,
    }
    server = uvicorn.Server(uvicorn.Config(app(door), **config))
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):  # also before uvicorn listens
            signal.signal(number, server.handle_exit)
    try:
        server.run()
    finally:
        left = max(door.left, engine.busy)
        engine.close()
    if left:
        log.error("%d requests are still being scored; they are given up", left)
        os._exit(1)  # threads cannot be stopped


def _open_files(connections: int) -> None:
    """Allow this process a file for each connection and some more, as far as the system lets it."""
    with suppress(ImportError, OSError, ValueError):  # not every system has this limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = connections + OTHER_FILES if hard == resource.RLIM_INFINITY else min(connections + OTHER_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
