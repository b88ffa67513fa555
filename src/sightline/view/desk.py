"""What pages in a browser ask, answered from files that may still grow. Knows no web framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa

from sightline.core.errors import SightlineError
from sightline.view import pages
from sightline.view.inspector import Inspector

READINGS = 2  # of growing files that are kept: that of the latest page, and that of one which is still open
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(eq=False)
class Desk:
    """Answers the pages of one inspector. A page that is opened or loaded again shows what the files hold by then.

    Args:
        read: makes the inspector.
        paths: what it reads.

    Raises:
        SightlineError: as `read` does, at once.
    """

    read: Callable[[], Inspector]
    paths: Sequence[Path]
    _readings: dict[int, Inspector] = field(default_factory=dict, init=False, repr=False)
    _stamp: Stamp = field(default=(), init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self._stamp, self._readings[0] = stamp(self.paths), self.read()

    @property
    def latest(self) -> Inspector:
        return self._readings[max(self._readings)]

    def page(self) -> str:
        """A new page; the files are read again if they have changed."""
        with self._lock:
            now, problem = stamp(self.paths), ""
            if now != self._stamp:
                try:
                    self._readings[max(self._readings) + 1] = self.read()
                    self._stamp = now
                except SightlineError as error:  # half written, or gone: what was read before is still there to see
                    problem = pages.piece("trouble", f"{error}. This is what was read before.")
            while len(self._readings) > READINGS:
                del self._readings[min(self._readings)]
            number = max(self._readings)
        return _plain(problem + self._readings[number].page(number))

    def find(self, form: Mapping[str, Any]) -> dict[str, str]:
        """Panes of a page, see `Inspector.find`; `read` of the form says which reading the page is of."""
        number = str(form.get("read", ""))
        inspector = self._readings.get(int(number)) if number.isdecimal() else self.latest
        if inspector is None or inspector.source.results is None:
            return {"rollout": pages.piece("trouble", "The files were read again since; load the page again.")}
        try:
            return {name: _plain(html) for name, html in inspector.find(form).items()}
        except (SightlineError, OSError, pa.ArrowException) as error:
            told = f"The files cannot be read any more; load the page again. ({type(error).__name__}: {error})"
            return {"rollout": pages.piece("trouble", _plain(told))}


def stamp(paths: Sequence[Path]) -> Stamp:
    """(path, time of change, size) of every file below some paths, by which a change is noticed."""
    return tuple(one for path in paths for one in _stamps(path))


def _stamps(path: Path) -> Iterator[tuple[str, int, int]]:
    unfinished = path.with_name(f"{path.name}.parts")
    files = sorted(path.rglob("*")) if path.is_dir() else [path, *sorted(unfinished.glob("*"))]
    for file in files:
        if file.suffix in (".parquet", ".jsonl"):
            try:
                found = file.stat()
            except OSError:
                continue
            yield str(file), found.st_mtime_ns, found.st_size


def _plain(text: str) -> str:
    """Text that can be sent: half a character, which JSON may hold, cannot."""
    return text.encode("utf-8", "replace").decode()
