"""Folders of pictures that a generator made for captions: read, and two of them paired caption by caption.

A folder holds pictures and `metadata.jsonl`, one object a line with `caption`, `filename` and `data_id` (or `index`).
Pictures are not opened.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from sightline.core.errors import RolloutFileError

METADATA = "metadata.jsonl"
Key = int | str


class Picture(NamedTuple):
    """A picture's file and the caption it was made for."""

    caption: str
    file: Path


def rendered(folder: str | Path) -> dict[Key, Picture]:
    """The pictures of a folder by their number in the benchmark, `data_id`, or where there is none `index`.

    Raises:
        RolloutFileError: the folder has no `metadata.jsonl`, a line is no such object, a number occurs twice, or a
            file is not there; the message names the line.
    """
    path = Path(folder) / METADATA
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RolloutFileError(f"{path} cannot be read: {error}") from error
    found: dict[Key, Picture] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            key, picture = _read(line, path, number)
            if key in found:
                raise RolloutFileError(f"{path}, line {number}: {key!r} occurs a second time")
            found[key] = picture
    return found


def paired(folder_a: str | Path, folder_b: str | Path) -> list[dict[str, Any]]:
    """Rows for `caption_duels`: `caption`, `image_a`, `image_b`, in the order of the first folder.

    A caption for which only one of the two has a picture is left out.

    Raises:
        RolloutFileError: a folder cannot be read, or a number stands for different captions.
    """
    first, second = rendered(folder_a), rendered(folder_b)
    rows = []
    for key, one in first.items():
        other = second.get(key)
        if other is not None and other.caption != one.caption:
            raise RolloutFileError(f"{key!r} is {one.caption!r:.60} in {folder_a}, {other.caption!r:.60} in {folder_b}")
        if other is not None:
            rows.append({"caption": one.caption, "image_a": str(one.file), "image_b": str(other.file)})
    return rows


def _read(line: str, path: Path, number: int) -> tuple[Key, Picture]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise RolloutFileError(f"{path}, line {number} is not JSON: {error}") from error
    row = row if isinstance(row, dict) else {}
    key = row.get("data_id") if row.get("data_id") is not None else row.get("index")
    caption, name = row.get("caption"), row.get("filename")
    if not isinstance(caption, str) or not isinstance(name, str) or not isinstance(key, int | str):
        raise RolloutFileError(
            f"{path}, line {number} is {line!r:.80}; it needs `caption`, `filename`, and `data_id` or `index`"
        )
    file = path.parent / name
    if not file.is_file():
        raise RolloutFileError(f"{path}, line {number}: there is no file {name!r}")
    return key, Picture(caption, file)
