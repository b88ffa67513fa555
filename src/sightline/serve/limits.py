"""What a server takes on, in numbers; everything beyond is refused with a message, not tried."""

from __future__ import annotations

from dataclasses import dataclass, fields

from sightline.core.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """Limits of one request and of the whole server.

    Args:
        body_bytes: of one request.
        rows: rollouts of one request.
        columns: names of columns in one request, over all rows.
        images: pictures, frames and clips of one request, equal ones counted once where they are sent once.
        pixels: of one picture or frame.
        all_pixels: of all pictures of one request together.
        depth: lists and objects within each other in one row.
        values: lists, objects and items in a body; keeps a small body from becoming many objects in memory.
        head_bytes: of a request's line and headers.
        waiting: requests taken on at once, whether scored or waiting; one more gets 429.
        waiting_bytes: of their bodies together.
        read_seconds: until the headers, and then the body, have arrived; and for an answer to be read.
        seconds: until a request is answered; what takes longer gets 504 and is scored to its end, for a retry.
        hung_seconds: after which a request that is being scored is beyond hope: a process that scores it is ended,
            threads cannot be, and make `/health` fail where all of them are.
        kept: answers kept for retries of the same request.
        kept_bytes: of kept answers together.
        kept_seconds: how long an answer is kept.

    Raises:
        ConfigError: a limit is not positive.
    """

    body_bytes: int = 32 << 20
    rows: int = 4096
    columns: int = 256
    images: int = 512
    pixels: int = 40_000_000
    all_pixels: int = 2_000_000_000
    depth: int = 16
    values: int = 4_000_000
    head_bytes: int = 64 << 10
    waiting: int = 128
    waiting_bytes: int = 256 << 20
    read_seconds: float = 30.0
    seconds: float = 120.0
    hung_seconds: float = 1800.0
    kept: int = 10_000
    kept_bytes: int = 64 << 20
    kept_seconds: float = 600.0

    def __post_init__(self) -> None:
        for one in fields(self):
            if not getattr(self, one.name) > 0:
                raise ConfigError(f"limit `{one.name}` must be positive, got {getattr(self, one.name)}")
