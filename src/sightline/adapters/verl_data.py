"""Rows as the Parquet files that verl reads: prompts with places for their pictures, and every column for the reward.

The columns stand in one text in `extra_info`: Arrow would give all rows the same keys and one type per column, and a
reward has to find what was written. Pictures are kept as the bytes they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from sightline.adapters.packed import MARK, pack
from sightline.adapters.rows import row_for
from sightline.core.errors import ColumnError
from sightline.media import images
from sightline.media.messages import message_images

AT_ONCE = 256  # rows of a row group: pictures of so many rows are held
NOT_COLUMNS = ("prompt", "images", "image", "completion")
FOREIGN = ("<video>", "<audio>")
UNSEEN = ("video", "video_url", "audio", "audio_url", "input_audio")
DOT = (  # a picture of one pixel
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PIXELS = ("max_pixels", "min_pixels")


def write(
    rows: Iterable[Mapping[str, Any]], path: Path, split: str = "train", pixels: Mapping[str, int] | None = None
) -> int:
    """Write rows as verl's data.

    Args:
        rows: each with `prompt` (text or messages), `images` or `image` where there are any, and the reward's columns.
        split: `train` or `val`; it is in `extra_info`.
        pixels: `max_pixels` and `min_pixels` for every picture, which verl's picture reader obeys.

    Returns: how many.

    Raises:
        ColumnError: a row has no prompt, more places than pictures, or a value that JSON cannot hold.
        MediaError: a picture cannot be read.
    """
    return store((row_of(row, number, split, pixels or {}) for number, row in enumerate(rows)), path, pixels)


def store(made: Iterable[Mapping[str, Any]], path: Path, pixels: Mapping[str, int] | None = None) -> int:
    """Rows that are as verl wants them, in a Parquet file; a row that fails leaves no half of a file.

    Returns: how many.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    schema, left, count = _schema(pixels or {}), iter(made), 0
    try:
        with pq.ParquetWriter(draft, schema) as file:
            while block := list(islice(left, AT_ONCE)):
                file.write_table(pa.Table.from_pylist(block, schema=schema))
                count += len(block)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def row_of(row: Mapping[str, Any], number: int, split: str, pixels: Mapping[str, int]) -> dict[str, Any]:
    """One row as verl wants it."""
    given: Any = row.get("images") if row.get("images") is not None else row.get("image")
    given = given if isinstance(given, list | tuple) else [] if given is None else [given]
    shown: list[Any] = list(given) or message_images(row.get("prompt"))
    free = {name: _plain(value) for name, value in row.items() if name not in NOT_COLUMNS}
    # only places are made here: `row_for` would encode every picture anew
    made = row_for("verl", {**free, "prompt": row.get("prompt"), "images": [DOT] * len(shown)}, number)
    _check_places(row["prompt"], made["prompt"], len(shown), number)
    return {
        **{name: made[name] for name in ("data_source", "reward_model")},
        "prompt": [{"role": turn["role"], "content": turn["content"]} for turn in made["prompt"]],
        "images": [{"bytes": images.read_bytes(one), "path": None, **pixels} for one in shown],
        "extra_info": {"index": number, "split": split, MARK: pack(free if shown else {**free, "images": []})},
    }


def _schema(pixels: Mapping[str, int]) -> Any:
    import pyarrow as pa

    text = pa.string()
    picture = [("bytes", pa.binary()), ("path", text), *((name, pa.int64()) for name in PIXELS if name in pixels)]
    return pa.schema(
        [
            ("data_source", text),
            ("prompt", pa.list_(pa.struct([("role", text), ("content", text)]))),
            ("images", pa.list_(pa.struct(picture))),
            ("reward_model", pa.struct([("style", text), ("ground_truth", text)])),
            ("extra_info", pa.struct([("index", pa.int64()), ("split", text), (MARK, text)])),
        ]
    )


def _check_places(prompt: Any, asked: list[dict[str, Any]], shown: int, number: int) -> None:
    """verl takes these marks for places wherever they stand, once a row has a picture; videos are not in these data."""
    parts = [part for turn in prompt for part in turn.get("content") or ()] if not isinstance(prompt, str) else []
    if any(isinstance(part, Mapping) and part.get("type") in UNSEEN for part in parts):
        raise ColumnError(f"row {number}: the prompt shows a video or a sound; put the frames into `images`")
    found = [mark for mark in FOREIGN for turn in asked if mark in turn["content"]]
    if shown and found:
        raise ColumnError(f"row {number}: the prompt says {found[0]}, which verl takes for a place; write it otherwise")


def _plain(value: Any) -> Any:
    """A value with its bytes and pictures as data URLs, which rewards open like any picture."""
    if isinstance(value, bytes) or (hasattr(value, "tobytes") and hasattr(value, "mode")):
        return images.data_url(value)
    if isinstance(value, Mapping):
        if value.keys() == {"bytes", "path"}:  # a picture as `datasets` stores it
            return images.data_url(value)
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
