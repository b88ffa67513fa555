"""Verdicts on disk: a sqlite file that several processes may read and write at once.

A verdict is kept under (judge id, ability, key). Errors have no place here. The store knows nothing of questions: keys
come from whoever asks.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sightline.core.errors import ConfigError

_TABLE = """
CREATE TABLE IF NOT EXISTS verdicts (
    judge TEXT NOT NULL, ability TEXT NOT NULL, key TEXT NOT NULL, prompt TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (judge, ability, key)
) WITHOUT ROWID
"""
_AT_ONCE = 500  # sqlite limits the number of `?` in a statement


class Stored(NamedTuple):
    """One kept verdict."""

    judge: str
    ability: str
    key: str
    prompt: str
    value: Any


@dataclass(frozen=True)
class VerdictStore:
    """Verdicts in the sqlite file `path`, which is made with its folder when it is first needed.

    Safe to pickle and to share between processes: the file is the only state, every verdict is a transaction of its
    own (write-ahead log), so a killed process loses none that it had put.

    Args:
        path: the file.
        wait_seconds: how long to wait for another process that is writing.

    Raises:
        ConfigError: on use, if the file cannot be opened or is something else.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = VerdictStore(f"{folder}/verdicts.sqlite")
        ...     store.put("judge", "generate", "k1", "Is it red?", "yes")
        ...     store.get("judge", "generate", ["k1", "k2"])
        {'k1': 'yes'}
    """

    path: str
    wait_seconds: float = 30.0

    def get(self, judge: str, ability: str, keys: Sequence[str]) -> dict[str, Any]:
        """The values that are there, by key."""
        found: dict[str, Any] = {}
        with self._open() as connection:
            for start in range(0, len(keys), _AT_ONCE):
                part = keys[start : start + _AT_ONCE]
                places = ",".join("?" * len(part))
                query = f"SELECT key, value FROM verdicts WHERE judge = ? AND ability = ? AND key IN ({places})"
                found.update((key, _read(value)) for key, value in connection.execute(query, (judge, ability, *part)))
        return found

    def put(self, judge: str, ability: str, key: str, prompt: str, value: Any) -> None:
        """Keep one verdict; an equal key is overwritten."""
        with self.writer() as write:
            write(judge, ability, key, prompt, value)

    @contextmanager
    def writer(self) -> Iterator[Any]:
        """A function like `put` that holds the file open; each call is on disk when it returns."""
        with self._open() as connection:

            def write(judge: str, ability: str, key: str, prompt: str, value: Any) -> None:
                row = (judge, ability, key, prompt, json.dumps(value))
                with _explained(self.path), connection:
                    connection.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?)", row)

            yield write

    def __iter__(self) -> Iterator[Stored]:
        """Everything that is kept, sorted by judge, ability and key."""
        with self._open() as connection:
            for row in connection.execute("SELECT * FROM verdicts ORDER BY judge, ability, key"):
                judge, ability, key, prompt, value = row
                yield Stored(judge, ability, key, prompt, _read(value))

    def __len__(self) -> int:
        with self._open() as connection:
            return int(connection.execute("SELECT count(*) FROM verdicts").fetchone()[0])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with _explained(self.path):
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=self.wait_seconds)
        with closing(connection):
            with _explained(self.path), connection:
                self._write_ahead(connection)
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.execute(_TABLE)
            yield connection

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        """Readers beside a writer. Where several processes make the file at once, sqlite refuses without waiting."""
        end = time.monotonic() + self.wait_seconds
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.01)


@contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise ConfigError(f"the verdict store {path} cannot be used: {error}") from error


def _read(text: str) -> Any:
    value = json.loads(text)
    return tuple(value) if isinstance(value, list) else value
