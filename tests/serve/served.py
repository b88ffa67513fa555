"""A real server process on loopback, and raw ways to talk to it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Served:
    def __init__(self, process: subprocess.Popen, log: Path, counted: Path):
        self.process, self.log, self.counted_file = process, log, counted
        deadline = time.monotonic() + 480
        while not (found := re.search(r"http://127.0.0.1:(\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        self.port = int(found[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, path="/score", body=None, headers=None, kind="application/json", method=None):
        """(status, answer, headers)"""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"content-type": kind, **(headers or {})}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, reply.read(), reply.headers
        except urllib.error.HTTPError as error:
            with error:
                said = error.read()
                return error.code, json.loads(said) if said else None, error.headers

    def scores(self, body, **more):
        status, answer, _ = self.ask(body=body, **more)
        assert status == 200, answer
        return json.loads(answer)

    def raw(self, data: bytes, then_close=False) -> bytes:
        """Bytes as they are; the beginning of what comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            if then_close:
                connection.shutdown(socket.SHUT_WR)
            return connection.recv(65536)

    def counted(self) -> list[str]:
        return self.counted_file.read_text().split()

    def metric(self, name: str) -> float:
        text = self.ask("/metrics")[1].decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def wait_for(self, metric: str, value: float) -> None:
        while self.metric(metric) != value:
            time.sleep(0.02)

    def begin_to_end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal; returns when no connection is taken on any more."""
        self.process.send_signal(number)
        while "Shutting down" not in self.log.read_text():
            time.sleep(0.02)

    def end(self) -> str:
        """SIGTERM, and what the server logged; its exit code must be 0."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(180) == 0, self.log.read_text()
        return self.log.read_text()


@contextmanager
def serving(folder: Path, *options: str, reward: str = "says", **environment: str) -> Iterator[Served]:
    with _serving(folder, ["--reward", f"tests.serve.rewards:{reward}", *options], environment) as served:
        yield served


@contextmanager
def serving_system(folder: Path, slug: str, *options: str) -> Iterator[Served]:
    with _serving(folder, ["--system", slug, *options], {}) as served:
        yield served


@contextmanager
def _serving(folder: Path, options: list[str], environment: dict[str, str]) -> Iterator[Served]:
    log, counted = folder / "server.log", folder / "counted.txt"
    counted.touch()
    command = [sys.executable, "-m", "sightline.cli.main", "serve", "--port", "0", *options]
    variables = {**os.environ, "COUNTED": str(counted), **environment}
    with log.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, env=variables)
    try:
        yield Served(process, log, counted)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
