"""What the judge on loopback says: a number that follows from the question."""

from __future__ import annotations

import zlib

from loopback_server import asked, said


def answer(path, body, nth):
    return said(str(zlib.crc32(asked(body).encode()) % 1000 / 1000))
