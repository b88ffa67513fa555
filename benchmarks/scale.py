"""The same rollouts through one process, a pool, Ray and a server, side by side: rollouts per second and CPU seconds.

    python benchmarks/scale.py [--rows 1000000] [--system visual-rft] [--workers 2] [--only pool,ray] [--keep FOLDER]

`score` reads JSON lines and writes Parquet with parts, reasons and marks. The server is `sightline serve --workers N`
on loopback, asked in two ways: bodies of JSON made of the file's own lines, 16 at once, and `RemoteReward.score` from
4 threads, as a trainer would. It gives scores and reasons back, and nothing is written; its CPU seconds are without
those of the client, which stand beside them. Every way has to give the rewards of the first, or this stops.

`start` is the same command on eight rollouts (of a server, until it answers). CPU seconds are sampled ten times a
second from all processes that were begun: where others use the machine too, they say more than the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import aiohttp
import numpy as np
import orjson
import pyarrow.parquet as pq
from million import GROUP, SYSTEMS, descendants, write
from numpy.typing import NDArray

AT_ONCE, THREADS, ROWS = 16, 4, 512
TICK = os.sysconf("SC_CLK_TCK")
Rewards = NDArray[np.float64]


class Way(NamedTuple):
    """One way of scoring the file: what it took, and what it gave."""

    name: str
    start: float
    wall: float
    cpu: float
    client: float
    rewards: Rewards


def cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


@contextmanager
def watched(pid: int) -> Iterator[Callable[[], float]]:
    """CPU seconds so far of a process and all below it, also of those that have ended."""
    seen: dict[int, float] = {}
    done = threading.Event()

    def look() -> float:
        for one in [pid, *descendants(pid)]:
            seen[one] = max(seen.get(one, 0.0), cpu_of(one))
        return sum(seen.values())

    def watch() -> None:
        while not done.wait(0.1):
            look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield look
    finally:
        done.set()
        watcher.join()


def command(file: Path, out: Path, system: str, words: list[str]) -> list[str]:
    found = [sys.executable, "-m", "sightline.cli.main", "score", str(file), "-o", str(out), "--system", system]
    return [*found, "--fresh", *constants(system), *words]


def constants(system: str) -> list[str]:
    return ["--set", "task=detection"] if system == "visual-rft" else []


def timed(words: list[str]) -> tuple[float, float]:
    """(wall, CPU) seconds of a command."""
    begun = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with watched(process.pid) as spent:
        said = process.communicate()[1]
        wall = time.perf_counter() - begun
        cpu = spent()
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} failed: {said}")
    return wall, cpu


def by_command(name: str, file: Path, few: Path, system: str, words: list[str]) -> Way:
    out = file.with_suffix(".scored.parquet")
    start, _ = timed(command(few, out, system, words))
    wall, cpu = timed(command(file, out, system, words))
    rewards = pq.read_table(out, columns=["reward"])["reward"].to_numpy()
    out.unlink()
    return Way(name, start, wall, cpu, 0.0, rewards)


def by_server(name: str, file: Path, system: str, workers: int, ask: Callable[[str, Path], Rewards]) -> Way:
    begun = time.perf_counter()
    words = [sys.executable, "-m", "sightline.cli.main", "serve", "--system", system, "--port", "0"]
    words += ["--workers", str(workers), "--limit", "waiting=1024", *constants(system)]
    with tempfile.NamedTemporaryFile("w+") as log:
        server = subprocess.Popen(words, stdout=log, stderr=log)
        try:
            url = _address(server, Path(log.name))
            start = time.perf_counter() - begun
            with watched(server.pid) as spent:
                before, own, begun = spent(), time.process_time(), time.perf_counter()
                rewards = ask(url, file)
                wall, client = time.perf_counter() - begun, time.process_time() - own
                cpu = spent() - before
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
    return Way(name, start, wall, cpu, client, rewards)


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    while server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            with contextlib.suppress(OSError):
                import urllib.request

                urllib.request.urlopen(f"{found[0]}/health", timeout=5).close()
                return found[0]
        time.sleep(0.05)
    raise SystemExit(f"the server did not start: {log.read_text()}")


def batches(file: Path) -> Iterator[list[bytes]]:
    """Lines of whole groups."""
    with file.open("rb") as lines:
        while batch := list(islice(lines, ROWS // GROUP * GROUP)):
            yield batch


def over_http(url: str, file: Path) -> Rewards:
    """Bodies of JSON made of the file's own lines."""
    found: dict[int, list[Any]] = {}
    waiting = enumerate(batches(file))

    async def worker(session: aiohttp.ClientSession) -> None:
        for number, lines in waiting:
            body = b'{"rows": [' + b",".join(line.rstrip() for line in lines) + b"]}"
            while number not in found:
                async with session.post(
                    f"{url}/score", data=body, headers={"content-type": "application/json"}
                ) as reply:
                    answer = await reply.read()
                if reply.status == 200:
                    found[number] = orjson.loads(answer)["scores"]
                elif reply.status == 429:
                    await asyncio.sleep(0.05)
                else:
                    raise SystemExit(f"{reply.status}: {answer[:300]!r}")

    async def all_of_them() -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(600)) as session:
            await asyncio.gather(*(worker(session) for _ in range(AT_ONCE)))

    asyncio.run(all_of_them())
    return np.array([score for number in sorted(found) for score in found[number]], np.float64)


def over_client(url: str, file: Path) -> Rewards:
    """`RemoteReward`, as a trainer calls it: rows are parsed and packed here."""
    from sightline.serve import RemoteReward

    reward = RemoteReward(url, rows=ROWS)

    def ask(lines: list[bytes]) -> list[Any]:
        scores: list[Any] = reward.score([orjson.loads(line) for line in lines])["scores"]
        return scores

    with ThreadPoolExecutor(THREADS) as pool:
        return np.array([score for scores in pool.map(ask, batches(file)) for score in scores], np.float64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--system", choices=list(SYSTEMS), default="visual-rft")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="one, auto, pool, ray, http, client; separated by commas")
    parser.add_argument("--keep", type=Path, help="folder in which the file is kept for the next run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        file, few = folder / f"{options.system}-{options.rows}.jsonl", Path(temporary) / "few.jsonl"
        if not file.exists():
            write(file, options.rows, options.system)
        write(few, GROUP, options.system)
        print(f"{options.rows:,} rollouts, {options.system} ({SYSTEMS[options.system]}), {options.workers} workers")
        print("way                     rollouts/s  of pool   start s   wall s    CPU s  of client  us CPU a rollout")
        _side_by_side(file, few, options)


def _side_by_side(file: Path, few: Path, options: argparse.Namespace) -> None:
    count, system = str(options.workers), options.system
    ways: dict[str, Callable[[], Way]] = {
        "pool": lambda: by_command("pool", file, few, system, ["--workers", count]),
        "auto": lambda: by_command("by size (default)", file, few, system, []),
        "one": lambda: by_command("one process", file, few, system, ["--workers", "1"]),
        "ray": lambda: by_command("Ray", file, few, system, ["--engine", "ray", "--workers", count]),
        "http": lambda: by_server("server, raw HTTP", file, system, options.workers, over_http),
        "client": lambda: by_server("server, RemoteReward", file, system, options.workers, over_client),
    }
    chosen = [name for name in ways if not options.only or name in options.only.split(",")]
    first: Way | None = None
    for name in chosen:
        way = ways[name]()
        first = first or way
        if not np.array_equal(way.rewards, first.rewards, equal_nan=True):
            raise SystemExit(f"{way.name} gives other rewards than {first.name}")
        rate = options.rows / way.wall
        print(
            f"{way.name:<22} {rate:>11,.0f} {first.wall / way.wall:>8.2f} {way.start:>9.1f} {way.wall:>8.1f} "
            f"{way.cpu:>8.1f} {way.client:>10.1f} {1e6 * (way.cpu + way.client) / options.rows:>17.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
