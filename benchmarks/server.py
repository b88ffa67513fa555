"""A reward server on loopback under 10,000 requests, 64 at once, of mixed sizes, with hostile bodies among them.

    python benchmarks/server.py [--requests 10000] [--at-once 64] [--system visual-rft] [--hostile 0.05]
                                [--serve "--workers 2"]

Three figures: rollouts per second of the reward in one process without a server, on the same batches; those of the
server, by the wall clock (the load generator takes its share of the cores) and by the CPU seconds of the server with
its workers; and their memory before and after, in two halves, so that growth over time shows. Every status is checked
against what the body deserves, and every score against the one computed here. Stops with an error where one differs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import aiohttp
import msgpack
import orjson
from million import rows as made

import sightline

SIZES = (1, 1, 1, 4, 8, 8, 16, 64, 256)  # rollouts of a request
JSON, MSGPACK = "application/json", "application/msgpack"
Request = tuple[bytes, str, int, list[float] | None]  # body, content type, status it deserves, scores


def hostile() -> list[Request]:
    """Bodies that deserve no scores, with the status that each deserves."""
    head = bytes.fromhex("0000000d49484452 000186a0 000186a0 0802000000".replace(" ", ""))
    bomb = b"\x89PNG\r\n\x1a\n" + head + b"\0\0\0\0"
    row: dict[str, Any] = {"completion": "a", "solution": "[]"}
    nested: Any = 1
    for _ in range(100):
        nested = [nested]
    values = {"path": ["../../etc/passwd"], "address": ["http://127.0.0.1:1/a.png"], "text": [b"not a picture"]}
    wrong = [{"rows": [{**row, "images": value}]} for value in values.values()]
    found: list[Request] = [(msgpack.packb(one), MSGPACK, 422, None) for one in wrong]
    found += [
        (b" " * (40 << 20), JSON, 413, None),
        (b'{"rows": [{"completion": "a"', JSON, 400, None),
        (b"[" * 200_000, JSON, 400, None),
        (b"\x91" * 200_000, MSGPACK, 400, None),
        (b"\x80\x04\x95", "application/octet-stream", 415, None),
        (b'{"rows": [{"completion": 5, "solution": "[]"}]}', JSON, 422, None),
        (b'{"rows": {"completion": "a"}}', JSON, 422, None),
        (msgpack.packb({"rows": [{**row, "extra": nested}]}), MSGPACK, 413, None),
        (msgpack.packb({"rows": [{**row, "images": [bomb]}]}), MSGPACK, 422, None),
    ]
    return found


def friendly(count: int, system: str, rng: random.Random) -> tuple[list[Request], list[list[dict[str, Any]]]]:
    """Requests with the scores that they deserve, and their rows."""
    reward, stream = sightline.load(system).reward, made(10**9, system)
    requests, batches = [], []
    for _ in range(count):
        batch = [{**next(stream), "task": "detection"} for _ in range(rng.choice(SIZES))]
        kind = rng.choice((JSON, MSGPACK))
        body = orjson.dumps({"rows": batch}) if kind == JSON else msgpack.packb({"rows": batch})
        requests.append((body, kind, 200, reward(sightline.Batch.from_rows(batch)).values.tolist()))
        batches.append(batch)
    return requests, batches


def in_process(batches: list[list[dict[str, Any]]], system: str) -> float:
    """CPU seconds of the reward alone."""
    reward = sightline.load(system).reward
    begun = time.process_time()
    for batch in batches:
        reward(sightline.Batch.from_rows(batch))
    return time.process_time() - begun


async def load(url: str, requests: list[Request], at_once: int) -> tuple[Counter[int], list[float]]:
    """Statuses, and seconds until each answer."""
    statuses: Counter[int] = Counter()
    seconds: list[float] = []
    waiting = iter(requests)

    async def worker(session: aiohttp.ClientSession) -> None:
        for body, kind, status, scores in waiting:
            begun = time.perf_counter()
            try:
                async with session.post(f"{url}/score", data=body, headers={"content-type": kind}) as reply:
                    answer = await reply.read()
            except (aiohttp.ClientConnectionError, ConnectionError):
                if len(body) < 32 << 20:  # a server may hang up on a body that it has refused
                    raise
                statuses[413] += 1
                continue
            seconds.append(time.perf_counter() - begun)
            statuses[reply.status] += 1
            if reply.status != status:
                raise SystemExit(f"{reply.status} where {status} was due: {answer[:300]!r} for {body[:80]!r}")
            found = orjson.loads(answer)["scores"] if kind == JSON and scores else None
            found = msgpack.unpackb(answer)["scores"] if kind == MSGPACK and scores else found
            if found != scores:
                raise SystemExit(f"scores differ: {found} for {scores}")

    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(120)) as session:
        await asyncio.gather(*(worker(session) for _ in range(at_once)))
    return statuses, seconds


def usage(pid: int) -> tuple[float, float]:
    """(CPU seconds, resident MB) of a process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    below = [usage(int(child)) for child in children]
    cpu, memory = _usage(pid)
    return cpu + sum(one[0] for one in below), memory + sum(one[1] for one in below)


def _usage(pid: int) -> tuple[float, float]:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), resident


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--system", default="visual-rft")
    parser.add_argument("--hostile", type=float, default=0.05, help="share of hostile bodies")
    parser.add_argument("--port", type=int, default=8911)
    parser.add_argument("--serve", default="", help="more options of `sightline serve`")
    options = parser.parse_args()
    rng, bad = random.Random(0), hostile()
    good, batches = friendly(round(options.requests * (1 - options.hostile)), options.system, rng)
    plain = in_process(batches, options.system)
    rollouts = sum(map(len, batches))
    mixed = good + [bad[i % len(bad)] for i in range(options.requests - len(good))]
    rng.shuffle(mixed)
    print(f"{options.requests:,} requests, {rollouts:,} rollouts, {options.requests - len(good):,} hostile bodies")
    print(f"in process   {rollouts / plain:9,.0f} rollouts/s   {plain:.1f} CPU s")
    with tempfile.TemporaryFile("w+") as log:
        command = [sys.executable, "-m", "sightline.cli.main", "serve", "--system", options.system]
        command += ["--set", "task=detection", "--port", str(options.port), *options.serve.split()]
        server = subprocess.Popen(command, stderr=log, stdout=log)
        try:
            _served(server, f"http://127.0.0.1:{options.port}", good, mixed, plain, rollouts, options.at_once)
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(120)
        log.seek(0)
        print(next(line.strip() for line in log if line.startswith("drained")), f"  exit code {code}")


def _served(
    server: subprocess.Popen[bytes],
    url: str,
    good: list[Request],
    mixed: list[Request],
    plain: float,
    rollouts: int,
    at_once: int,
) -> None:
    _wait_for(url, good[0])
    asyncio.run(load(url, good[:200], at_once))
    (cpu, memory), own = usage(server.pid), time.process_time()
    begun, middle = time.perf_counter(), len(mixed) // 2
    statuses, seconds = asyncio.run(load(url, mixed[:middle], at_once))
    half = usage(server.pid)[1]
    again, more = asyncio.run(load(url, mixed[middle:], at_once))
    wall, (after, end) = time.perf_counter() - begun, usage(server.pid)
    spent, own, times = after - cpu, time.process_time() - own, sorted(seconds + more)
    print(
        f"server       {rollouts / wall:9,.0f} rollouts/s by the clock, {100 * plain / wall:.0f} % of in process",
        end="",
    )
    print(f"   {len(mixed) / wall:,.0f} requests/s   {wall:.1f} s")
    print(
        f"             {rollouts / spent:9,.0f} rollouts a CPU second, {100 * plain / spent:.0f} %   {spent:.1f} CPU s"
    )
    print(f"load         {own:.1f} CPU s of the generator")
    print(
        f"latency      median {1e3 * times[len(times) // 2]:.0f} ms   99 % {1e3 * times[len(times) * 99 // 100]:.0f} ms"
    )
    print(f"memory       {memory:.0f} MB before, {half:.0f} MB halfway, {end:.0f} MB after")
    print(f"statuses     {dict(sorted((statuses + again).items()))}")


def _wait_for(url: str, request: Request) -> None:
    for _ in range(600):
        try:
            asyncio.run(load(url, [request], 1))
            return
        except (aiohttp.ClientError, OSError):
            time.sleep(0.1)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    main()
