"""What comes before and around a body: floods of headers, slow heads, answers that nobody reads."""

import asyncio
import json
import socket
import threading
from contextlib import suppress

import pytest
import uvicorn
from uvicorn.server import ServerState

from sightline.serve import Limits
from sightline.serve.wire import guarded
from tests.serve.served import serving

HEAD = b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LINES = b"".join(b"X-%d: %s\r\n" % (number, b"a" * 100) for number in range(500))
PIECE = b"a" * 65536


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served"), "--limit", "read_seconds=1", reward="total") as served:
        yield served
        assert served.ask("/health")[0] == 200
        said = served.end()
        assert "left 0" in said
        assert "Traceback" not in said


def connected(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def send_all(connection, pieces):
    for piece in pieces:
        connection.sendall(piece)


FLOODS = {
    "headers": (HEAD, LINES),
    "one header": (HEAD + b"X: ", PIECE),
    "one line": (b"POST /", PIECE),
    "trailers": (CHUNKED + b"0\r\n", LINES),
    "trailers behind a large body": (CHUNKED + b"%x\r\n%s\r\n0\r\n" % (20 << 20, b" " * (20 << 20)), LINES),
    "an extension of a chunk": (CHUNKED + b"1;", PIECE),
}


@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_is_cut_off(server, what):
    first, piece = FLOODS[what]
    with connected(server) as connection, pytest.raises(ConnectionError):
        send_all(connection, [first, *[piece] * 1000])  # 64 MB
    assert server.metric("process_resident_memory_bytes") < 400e6


GET = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
WAITS = {
    "nothing": (b"", b""),
    "half a line": (b"", b"POST /sc"),
    "half a head": (b"", HEAD),
    "empty lines": (b"", b"\r\n\r\n"),
    "empty lines after an answer": (GET, b"\r\n"),
    "half a head after an answer": (GET, HEAD),
    "the rest of a body that was refused": (HEAD + b"Content-Length: 9999999999\r\n\r\n{", b"a"),
}


def test_a_body_that_never_comes_and_a_caller_that_goes(server):
    head = HEAD + b"Content-Length: 50\r\n\r\n{"
    assert server.raw(head).startswith(b"HTTP/1.1 408")
    server.raw(head, then_close=True)
    server.wait_for("sightline_requests_inside", 0)  # it sees the end of a connection when its turn comes
    assert server.metric("sightline_body_bytes_inside") == 0


@pytest.mark.parametrize("what", WAITS)
def test_a_connection_that_says_no_more_is_closed(server, what):
    first, then = WAITS[what]
    with connected(server) as connection:
        if first:
            connection.sendall(first)
            assert connection.recv(65536).startswith(b"HTTP/1.1 ")
        connection.sendall(then)
        with suppress(ConnectionResetError):
            while connection.recv(65536):  # until it is closed; a time-out here is a failure
                pass


def test_an_answer_that_nobody_reads(server):
    body = json.dumps({"rows": [{"completion": "4", "answer": 4}] * 4000}).encode()
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", server.port))
        with pytest.raises(ConnectionError):
            send_all(connection, [request] * 1000)
    server.wait_for("sightline_requests_inside", 0)  # what was begun is scored to its end


async def plain(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"30000")]})
    await send({"type": "http.response.body", "body": b"a" * 30000})


@pytest.mark.parametrize(
    "head", [GET, GET.replace(b"Host: a", b"Host: a\r\nConnection: close")], ids=["kept", "closed"]
)
def test_the_end_of_an_answer_that_nobody_reads(head):
    """What fits into the server's own buffer must not hold a connection either, nor the end of the server."""
    near, far = socket.socketpair()
    for one, size in ((near, socket.SO_SNDBUF), (far, socket.SO_RCVBUF)):
        one.setsockopt(socket.SOL_SOCKET, size, 2048)
    lost = threading.Event()

    class Watched(guarded(Limits(read_seconds=0.2))):
        def connection_lost(self, exc):
            super().connection_lost(exc)
            lost.set()

    async def run():
        config = uvicorn.Config(plain, log_config=None)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: Watched(config, ServerState(), {}), sock=near)
        far.sendall(head)
        while not lost.is_set():
            await asyncio.sleep(0.02)

    with near, far:
        asyncio.run(run())


def test_several_requests_in_one_packet(server):
    with connected(server) as connection:
        connection.sendall(GET * 2 + GET.replace(b"Host: a", b"Host: a\r\nConnection: close"))
        said = b""
        while piece := connection.recv(65536):
            said += piece
    assert said.count(b"HTTP/1.1 200 OK") == 3


def test_no_other_protocol(server):
    head = b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n"
    assert server.raw(GET[:-2] + head + b"\r\n").startswith(b"HTTP/1.1 200 OK")  # an ordinary request
