"""Judge calls per second over HTTP, beside the openai client, on the same loopback server. The client has one core.

    python benchmarks/judge_client.py

The server answers every chat completion after 50 ms and does nothing else, so 256 calls in flight can end at most
256 / 0.05 s = 5,120 times a second: the latency limit. `share` is the part of it that a client reaches; `CPU` is what
it costs the client's process, so that a busy machine can be told from a slow client.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable
from typing import Any

IN_FLIGHT, DELAY, CALLS = 256, 0.05, 8192
REPLY = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":'
    b'"assistant","content":"1"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}'
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(REPLY)
EVIDENCE = ["a red ball enters the basket", "the man in blue jumps", "the score changes to 21"] * 3


class Delayed(asyncio.Protocol):
    """The least server there can be: finds the end of a request by its length, answers later."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head = self.waiting[:end].lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(self.waiting) < end + 4 + length:
                return
            self.waiting = self.waiting[end + 4 + length :]
            asyncio.get_running_loop().call_later(DELAY, self.answer)

    def answer(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(HEAD + REPLY)


def serve(port: Any) -> None:
    """Runs the server until it is killed."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Delayed, "127.0.0.1", 0, backlog=1024)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def prompts(size: int) -> list[str]:
    """Judge prompts of the usual length, about 1,000 characters, all different."""
    return [
        f"Call {number}. Does the reasoning rest on the evidence?\n{' '.join(EVIDENCE)} " * 3 for number in range(size)
    ]


def ours(url: str, texts: list[str]) -> int:
    """`RemoteJudge`, as rewards use it."""
    from sightline.judges import Question, RemoteJudge

    judge = RemoteJudge(url, "m", concurrency=IN_FLIGHT)
    verdicts = judge.generate([Question(text) for text in texts])
    return sum(verdict.value == "1" for verdict in verdicts)


def openai_client(url: str, texts: list[str]) -> int:
    """`openai.AsyncOpenAI` with a semaphore, as judge scripts use it."""
    from openai import AsyncOpenAI

    async def run() -> int:
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def call(client: AsyncOpenAI, text: str) -> bool:
            async with slots:
                reply = await client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": text}], max_tokens=256, temperature=0.0
                )
                return reply.choices[0].message.content == "1"

        async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
            return sum(await asyncio.gather(*(call(client, text) for text in texts)))

    return asyncio.run(run())


def measured(what: str, client: Callable[[str, list[str]], int], url: str, calls: int) -> float:
    """Prints and returns calls per second; a first round opens the connections."""
    client(url, prompts(2 * IN_FLIGHT))
    texts = prompts(calls)
    wall, cpu = time.perf_counter(), time.process_time()
    right = client(url, texts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert right == calls, f"{what}: {right} of {calls} answered"
    rate, limit = calls / wall, IN_FLIGHT / DELAY
    print(f"{what:22} {rate:8.0f} calls/s  share {rate / limit:5.2f}  CPU {cpu / calls * 1e6:6.0f} us a call "
          f"({calls / cpu:6.0f}/s a core)", flush=True)  # fmt: skip
    return rate


def main() -> None:
    ear, mouth = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(mouth,), daemon=True)
    server.start()
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        first, *others = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(server.pid or 0, others)
        os.sched_setaffinity(0, {first})
    url = f"http://127.0.0.1:{ear.recv()}/v1"
    print(f"{IN_FLIGHT} in flight, answers after {DELAY * 1000:.0f} ms: at most {IN_FLIGHT / DELAY:.0f} calls/s")
    rates = [
        measured("sightline RemoteJudge", ours, url, CALLS),
        measured("openai client", openai_client, url, CALLS // 8),
    ]
    print(f"ratio {rates[0] / rates[1]:.1f}")
    server.terminate()


if __name__ == "__main__":
    main()
