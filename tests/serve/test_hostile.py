"""Bodies that nobody should send: each gets its status and a message that names the place, and the server goes on."""

import base64
import io
import pickle
import struct
import zlib

import msgpack
import orjson
import pytest
from PIL import Image

from sightline.serve import RemoteReward
from tests.serve.served import serving

JSON, MSGPACK = "application/json", "application/msgpack"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "root" / "in").mkdir(parents=True)
    Image.new("RGB", (3, 2)).save(folder / "root" / "in" / "a.png")
    Image.new("RGB", (5, 2)).save(folder / "secret.png")
    (folder / "root" / "link.png").symlink_to(folder / "secret.png")
    (folder / "root" / "note.txt").write_text("no picture")
    limits = ["body_bytes=300000", "rows=50", "images=4", "pixels=10000", "values=50000"]
    words = [word for limit in limits for word in ("--limit", limit)]
    with serving(folder, *words, "--media-root", str(folder / "root"), reward="opens") as served:
        served.folder = folder
        yield served
        said = served.end()
        assert "Traceback" not in said.replace("a fault of ours", "")


def png(width=2, height=2):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def bomb(width, height):
    """A PNG whose head promises more pixels than it has."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def row(**columns):
    return msgpack.packb({"rows": [{"completion": "a", "images": [png()]}, {"completion": "a", **columns}]})


def with_text(size):
    """A PNG with a comment that is large once it is unpacked."""
    picture = png()
    text = b"zTXt" + b"k\0\0" + zlib.compress(bytes(size))
    at = picture.index(b"IDAT") - 4
    return picture[:at] + struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text)) + picture[at:]


def url(data):
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(/etc/passwd) (r) file\n"
BODIES = {
    "empty": (b"", JSON, 400, "whole JSON"),
    "cut off": (b'{"rows": [{"completion": "a"', JSON, 400, "whole JSON"),
    "cut off msgpack": (row(images=[png()])[:-20], MSGPACK, 400, "whole MessagePack"),
    "not utf-8": (b'{"rows": "\xff\xfe"}', JSON, 400, "whole JSON"),
    "nan": (b'{"rows": [NaN]}', JSON, 400, "whole JSON"),
    "more after the end": (b'{"rows": []} {}', JSON, 400, "whole JSON"),
    "deep json": (b"[" * 100_000, JSON, 413, "values"),
    "deep json within the limit": (b"[" * 40_000, JSON, 400, "depth"),
    "deep msgpack": (b"\x91" * 40_000 + b"\xc0", MSGPACK, 400, "MessagePack"),
    "many empty lists": (b'{"rows": [' + b"[]," * 90_000 + b"[]]}", JSON, 413, "values"),
    "many empty lists in msgpack": (msgpack.packb({"rows": [[]] * 90_000}), MSGPACK, 413, "values"),
    "a list that lies about its length": (b"\xdd\xff\xff\xff\xff", MSGPACK, 400, "MessagePack"),
    "an extension": (msgpack.packb(msgpack.ExtType(5, b"x")), MSGPACK, 400, "extension type 5"),
    "a time": (msgpack.packb({"rows": [{"completion": "a", "t": msgpack.Timestamp(1)}]}), MSGPACK, 422, "column `t`"),
    "a pickle": (pickle.dumps({"rows": []}), "application/octet-stream", 415, "needs application/json"),
    "a pickle as msgpack": (pickle.dumps({"rows": []}), MSGPACK, 400, "MessagePack"),
    "a text": (b'"rows"', JSON, 422, "a request is an object"),
    "no shape": (b"{}", JSON, 422, "exactly one of"),
    "two shapes": (b'{"rows": [], "groups": []}', JSON, 422, "exactly one of"),
    "a typing error": (b'{"row": []}', JSON, 422, "Did you mean `rows`?"),
    "no rows": (b'{"rows": []}', JSON, 422, "is empty"),
    "rows of numbers": (b'{"rows": [1]}', JSON, 422, "row 0: a row is an object"),
    "groups of objects": (b'{"groups": [{}]}', JSON, 422, "group 0 is a list"),
    "columns of two lengths": (b'{"columns": {"completion": ["a"], "answer": []}}', JSON, 422, "different lengths"),
    "a column that is no list": (b'{"columns": {"completion": "a"}}', JSON, 422, "column `completion`: needs a list"),
    "no completion": (b'{"rows": [{"completions": "a"}]}', JSON, 422, "Did you mean `completions`?"),
    "completion is a number": (row(completion=5), MSGPACK, 422, "row 1, column `completion`: needs a text"),
    "messages without order": (
        row(completion=[{"role": 3, "content": "a"}]),
        MSGPACK,
        422,
        "row 1, column `completion`",
    ),
    "group is a list": (row(group=[1]), MSGPACK, 422, "row 1, column `group`: needs a number or a text, got a list"),
    "more columns than rows can have": (
        orjson.dumps({"rows": [{"completion": "a", **{f"c{i}-{j}": 1 for j in range(20)}} for i in range(40)]}),
        JSON,
        413,
        "row 12: more than 256 names of columns",
    ),
    "a name as long as the body": (b'{"' + b"r" * 200_000 + b'": 1}', JSON, 422, "unknown field `rrr"),
    "a column as long as the body": (
        row(**{"c" * 200_000: "x", "images": [b""]}),
        MSGPACK,
        422,
        "",
    ),
    "a list longer than the limit": (
        b"\xdd\x00\x00\xea\x60" + b"\xc0" * 60_000,
        MSGPACK,
        413,
        "more than 50,000 values",
    ),
    "a step before the first": (b'{"rows": [{"completion": "a"}], "step": -1}', JSON, 422, "`step` is a whole number"),
    "a number beyond all": (b'{"rows": [{"completion": "a", "answer": 1e999}]}', JSON, 400, "whole JSON"),
    "half a surrogate pair": (b'{"rows": [{"completion": "\\ud800"}]}', JSON, 400, "whole JSON"),
    "a vector graphic": (
        row(images=[b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>"]),
        MSGPACK,
        422,
        "no picture",
    ),
    "a playlist": (row(video=b"#EXTM3U\nhttp://127.0.0.1/a.ts\n"), MSGPACK, 422, "no picture"),
    "a picture of many texts": (row(images=[with_text(2_000_000)]), MSGPACK, 422, "column `images`: a broken picture"),
    "postscript as an address in another column": (row(hint=url(EPS)), MSGPACK, 422, "no picture"),
    "a playlist as an address": (row(hint=url(b"#EXTM3U\n")), MSGPACK, 422, "no picture"),
    "a bomb as an address in another column": (
        row(hint=url(bomb(30_000, 30_000))),
        MSGPACK,
        413,
        "row 1, column `hint`",
    ),
    "a bomb as an address in a message": (
        row(prompt=[{"role": "user", "content": [{"image_url": {"url": url(bomb(30_000, 30_000))}}]}]),
        MSGPACK,
        413,
        "row 1, column `prompt`",
    ),
    "step is a text": (b'{"rows": [{"completion": "a"}], "step": "9"}', JSON, 422, "`step` is a whole number"),
    "names that are bytes": (row(extra={b"a": 1}), MSGPACK, 422, "row 1, column `extra`: names in objects"),
    "too many rows": (b'{"rows": [' + b'{"completion": "a"},' * 50 + b"{}]}", JSON, 413, "51 rows, more than 50"),
    "deep row": (row(extra=nested(20)), MSGPACK, 413, "row 1, column `extra`: lists and objects are nested deeper"),
    "an address": (
        row(images=["http://127.0.0.1/a.png"]),
        MSGPACK,
        422,
        "row 1, column `images`: `http://127.0.0.1/a.png` is an",
    ),
    "a file address": (row(images="file:///etc/passwd"), MSGPACK, 422, "is an address"),
    "an absolute path": (row(images=["/etc/passwd"]), MSGPACK, 422, "row 1, column `images`: the path leads out"),
    "a way out": (row(images=["in/../../secret.png"]), MSGPACK, 422, "the path leads out"),
    "a link that leads out": (row(images=["link.png"]), MSGPACK, 422, "the path leads out"),
    "a way out in an object": (row(images=[{"path": "../secret.png"}]), MSGPACK, 422, "the path leads out"),
    "a way out in another column": (row(hint="../secret.png"), MSGPACK, 422, "the path leads out"),
    "an absolute path in another column": (row(hint={"path": "/etc/hostname"}), MSGPACK, 422, "the path leads out"),
    "a null byte": (row(images=["a\0.png"]), MSGPACK, 422, "not a path"),
    "no such file": (row(images=["in/b.png"]), MSGPACK, 422, "no such file"),
    "a folder": (row(images=["in"]), MSGPACK, 422, "no such file"),
    "a path to no picture": (row(images=["note.txt"]), MSGPACK, 422, "no picture"),
    "not a picture": (
        row(images=[b"GIF8 nothing"]),
        MSGPACK,
        422,
        "row 1, column `images`: 12 bytes that are no picture",
    ),
    "postscript": (row(images=[EPS]), MSGPACK, 422, "no picture"),
    "half a picture": (row(images=[png(90, 90)[:60]]), MSGPACK, 422, ""),
    "a broken clip": (
        row(video=b"\0\0\0\x18ftypmp42" + bytes(80)),
        MSGPACK,
        422,
        "row 1, column `video`: a broken clip",
    ),
    "not base64": (b'{"rows": [{"completion": "a", "images": [{"bytes": "%%"}]}]}', JSON, 422, "not base64"),
    "a decompression bomb": (row(images=[bomb(100_000, 100_000)]), MSGPACK, 413, "row 1, column `images`"),
    "too many pixels": (row(images=[bomb(101, 100)]), MSGPACK, 413, "101 x 100 is more than 10,000 pixels"),
    "a bomb in another column": (row(hint=bomb(30_000, 30_000)), MSGPACK, 413, "row 1, column `hint`"),
    "too many pictures": (row(images=[png()] * 4), MSGPACK, 413, "more than 4 pictures"),
    "an unknown medium": (row(images=[{"media": "b"}]), MSGPACK, 422, "no medium is called 'b'"),
}


@pytest.mark.parametrize("what", BODIES)
def test_hostile_body(server, what):
    body, kind, status, said = BODIES[what]
    got, answer, _ = server.ask(body=body, kind=kind)
    assert got == status, answer
    assert said in answer["error"]["message"]
    assert len(answer["error"]["message"]) < 700
    if "row 1, column" in said:
        assert answer["error"]["row"] == 1
        assert answer["error"]["column"] in said
    assert "secret" not in answer["error"]["message"].replace("../secret", "")


def test_paths_below_the_root_and_shared_media_are_read(server):
    rows = [{"completion": "", "images": images} for images in (["in/a.png"], [{"media": "x"}], [{"media": "x"}])]
    body = msgpack.packb({"rows": rows, "media": {"x": png(7, 7)}})
    assert msgpack.unpackb(server.ask(body=body, kind=MSGPACK)[1])["scores"] == [3.0, 7.0, 7.0]


def test_the_client_sends_pictures_in_all_their_forms(server):
    data = png(7, 7)
    forms = (data, {"bytes": data, "path": None}, {"bytes": base64.b64encode(data).decode()}, url(data))
    rows = [{"completion": "", "images": [form]} for form in forms]
    assert RemoteReward(server.url).score(rows)["scores"] == [7.0] * 4


def test_pictures_of_many_frames_and_texts_that_look_like_addresses(server):
    frames = [Image.new("RGB", (3, 2), (2 * number, 0, 9)) for number in range(100)]
    for form in ("GIF", "WEBP", "TIFF", "PNG"):
        buffer = io.BytesIO()
        frames[0].save(buffer, form, save_all=True, append_images=frames[1:])
        rows = [
            {"completion": "data: none", "images": [buffer.getvalue()], "note": "data:,x", "more": "data:a;base64,%"}
        ]
        assert msgpack.unpackb(server.ask(body=msgpack.packb({"rows": rows}), kind=MSGPACK)[1])["scores"] == [3.0]


def test_too_large_said_and_unsaid(server):
    head = "POST /score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    said = server.raw(f"{head}Content-Length: 99999999999\r\n\r\n".encode())
    assert said.startswith(b"HTTP/1.1 413")
    piece = b"%x\r\n%s\r\n" % (200_000, b"a" * 200_000)
    assert server.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + piece * 2).startswith(b"HTTP/1.1 413")


def test_a_compressed_body_is_refused(server):
    status, answer, _ = server.ask(body=zlib.compress(bytes(10_000_000)), headers={"content-encoding": "deflate"})
    assert (status, answer["error"]["code"]) == (415, "encoded_body")


def test_no_route_and_no_http(server):
    assert server.ask("/../../etc/passwd", method="GET")[0] == 404
    status, answer, headers = server.ask("/score", method="GET")
    assert (status, answer["error"]["code"], headers["allow"]) == (405, "no_route", "POST")
    assert server.ask("/score/", b"{}")[0] == 404  # no redirect to wherever the Host header says
    assert server.ask("/health", method="HEAD")[0] == 200
    assert server.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9).startswith(b"HTTP/1.1 400")
