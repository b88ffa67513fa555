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
        images: pictures, frames and clips of one request, equal ones counted once where they are sent once.
        pixels: of one picture or frame.
        all_pixels: of all pictures of one request together.
        depth: lists and objects within each other in one row.
        values: lists, objects and items in a body; keeps a small body from becoming many objects in memory.
        waiting: requests taken on at once, whether scored or waiting; one more gets 429.
        waiting_bytes: of their bodies together.
        read_seconds: until a body has arrived.
        seconds: until a request is answered; what takes longer gets 504 and is scored to its end, for a retry.
        kept: answers kept for retries of the same request.
        kept_bytes: of kept answers together.
        kept_seconds: how long an answer is kept.

    Raises:
        ConfigError: a limit is not positive.
    """

    body_bytes: int = 32 << 20
    rows: int = 4096
    images: int = 512
    pixels: int = 40_000_000
    all_pixels: int = 2_000_000_000
    depth: int = 16
    values: int = 4_000_000
    waiting: int = 128
    waiting_bytes: int = 256 << 20
    read_seconds: float = 30.0
    seconds: float = 120.0
    kept: int = 10_000
    kept_bytes: int = 64 << 20
    kept_seconds: float = 600.0

    def __post_init__(self) -> None:
        for one in fields(self):
            if not getattr(self, one.name) > 0:
                raise ConfigError(f"limit `{one.name}` must be positive, got {getattr(self, one.name)}")
