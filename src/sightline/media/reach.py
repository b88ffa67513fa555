"""Which files of this machine media may be read from: all of them, unless a server confines itself.

Rewards find paths in many columns; whoever scores rows of strangers narrows what a path can reach in one place.
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


_confined: list[Reach] = []


def check(path: Path) -> None:
    """Raise a `MediaError` if this process may not read `path`."""
    for reach in _confined:
        reach.check(path)


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
