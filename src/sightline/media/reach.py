"""Which files of this machine media may be read from: all of them, unless a server confines itself.

Rewards find paths and bytes in many columns; whoever scores rows of strangers narrows in one place what a path can
reach, and to what decoders bytes can get: those of pictures and clips, none that runs a program or follows addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sightline.core.errors import MediaError


@dataclass(frozen=True)
class Reach:
    """Files that may be read: those below `root`; none if it is None."""

    root: Path | None = None

    def check(self, path: Path) -> None:
        """Raise if `path`, links followed, is not below the root.

        Raises:
            MediaError: it is not; the message does not say whether there is such a file.
        """
        if self.root is None:
            raise MediaError("paths of files are not accepted here; send the bytes")
        try:
            inside = path.resolve().is_relative_to(self.root.resolve())
        except (OSError, ValueError, RuntimeError) as error:  # a null byte, a loop of links, a name too long
            raise MediaError(f"not a path: {type(error).__name__}") from error
        if not inside:
            raise MediaError("the path leads out of the folder that may be read")


PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*")  # besides WebP
CLIPS = ((4, b"ftyp"), (0, b"\x1a\x45\xdf\xa3"), (0, b"RIFF"))  # MP4 and MOV, Matroska and WebM, AVI


def is_clip(data: bytes) -> bool:
    """Whether bytes begin as a clip does.

    Example:
        >>> is_clip(b"\\0\\0\\0\\x18ftypmp42"), is_clip(b"RIFF\\0\\0\\0\\0WEBPVP8 "), is_clip(b"#EXTM3U")
        (True, False, False)
    """
    return any(data[at : at + len(mark)] == mark for at, mark in CLIPS) and data[8:12] != b"WEBP"


_confined: list[Reach] = []


def check(path: Path) -> None:
    """Raise a `MediaError` if this process may not read `path`."""
    for reach in _confined:
        reach.check(path)


def check_bytes(data: bytes) -> None:
    """Raise a `MediaError` if this process is confined and `data` is no picture or clip by its first bytes."""
    if _confined and not (data.startswith((*PICTURES, b"RIFF")) or is_clip(data)):
        raise MediaError(f"{len(data)} bytes that are no picture (PNG, JPEG, WEBP, GIF, BMP, TIFF) or clip")


@contextmanager
def confined(reach: Reach) -> Iterator[None]:
    """Within this block, all threads of this process read media only within `reach`.

    Example:
        >>> with confined(Reach()):
        ...     check(Path("/etc/hostname"))
        Traceback (most recent call last):
        sightline.core.errors.MediaError: paths of files are not accepted here; send the bytes
    """
    _confined.append(reach)
    try:
        yield
    finally:
        _confined.remove(reach)
