"""A real OpenAI-like server on loopback, whose faults a test chooses per request."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

Answer = Callable[[str, dict[str, Any], int], "web.StreamResponse | dict[str, Any]"]
SLEEP = 60.0  # longer than any client waits; ended when the server stops


class Server:
    """Counts what it was asked; `answer(path, body, nth time)` says what it replies."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.calls: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.at_once = self.most_at_once = 0
        self.url = ""
        self.pause = 0.0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        prompt = asked(body)
        self.calls[prompt] += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.pause)
            answer = self.answer(request.path, body, self.calls[prompt])
            if answer == "sleep":
                await asyncio.sleep(SLEEP)
            return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)
        finally:
            self.at_once -= 1


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    server = Server(answer)
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def run() -> None:
        app = web.Application(client_max_size=1 << 28)
        app.router.add_post("/{path:.*}", server.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        server.url = f"http://127.0.0.1:{port}/v1"
        ready.set()
        await stop.wait()
        await runner.cleanup()
        sleeping = asyncio.all_tasks() - {asyncio.current_task()}
        for task in sleeping:
            task.cancel()
        await asyncio.gather(*sleeping, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(5)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def asked(body: dict[str, Any]) -> str:
    """The prompt of a request."""
    if "messages" not in body:
        return str(body.get("prompt", body.get("input")))
    content = next(message for message in body["messages"] if message["role"] == "user")["content"]
    return content if isinstance(content, str) else next(part["text"] for part in content if part["type"] == "text")


def said(text: str | None, **more: Any) -> dict[str, Any]:
    """A chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop", **more}
    return {"id": "x", "object": "chat.completion", "choices": [choice]}


def error(status: int, words: str, **headers: str) -> web.Response:
    body = json.dumps({"error": {"message": words, "type": "test"}})
    return web.Response(status=status, text=body, content_type="application/json", headers=headers)
