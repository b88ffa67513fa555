"""Where a result may be written: never over what is read, and never over a file that is no result."""

from __future__ import annotations

from pathlib import Path

from sightline.core.errors import ConfigError, RolloutFileError
from sightline.scoring.dialects import Source
from sightline.scoring.readers import SUFFIXES
from sightline.scoring.shards import read_facts


def check_place(out: Path, source: Source) -> None:
    """Raise unless `out` can be written, replaced or, with `fresh`, deleted without loss.

    Raises:
        ConfigError: it is a folder, or it is or lies in what is read.
        RolloutFileError: it exists and is no result of sightline.
    """
    if out.is_dir():
        raise ConfigError(f"{out} is a folder; results need the name of a file, for example {out / 'scored.parquet'}")
    read = [source.path] if source.join is None else [source.path, source.join.path]
    if any(path.resolve() == out.resolve() for path in read):
        raise ConfigError(f"{out} is the file that is read; give the results another name")
    if out.suffix in SUFFIXES and source.path.is_dir() and source.path.resolve() == out.resolve().parent:
        raise ConfigError(
            f"{out} lies in the folder that is scored and would be read as rollouts the next time; "
            "write the results elsewhere"
        )
    if out.exists():
        _check_result(out)


def _check_result(out: Path) -> None:
    try:
        read_facts(out)
    except RolloutFileError as error:
        raise RolloutFileError(
            f"{error}; it is left as it is: give the results another name, or delete it yourself"
        ) from error
