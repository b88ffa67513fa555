"""Rows of data as each trainer wants them, with everything in them that the reward will read, pictures included."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sightline.adapters.outcomes import GOLD
from sightline.adapters.packed import MARK, pack, plain, wrap
from sightline.core.errors import ColumnError
from sightline.media import images
from sightline.media.messages import message_images

Row = dict[str, Any]
SHOWN = "<image>"
PICTURES = ("image", "image_url", "input_image")


class Turn(NamedTuple):
    """A message: its role, its texts with None where a picture stands, and whatever else it holds."""

    role: str
    parts: list[str | None]
    rest: Row


def row_for(target: str, row: Mapping[str, Any], number: int, folder: Path | str = ".") -> Row:
    """One row of a trainer's data file.

    Args:
        target: a key of `WAYS`.
        row: `prompt` (text or messages), `images` where there are any (else those in the messages), and the columns
            that the reward reads. `<image>` in a text, or a part of a message, says where a picture goes; pictures
            without a place go before the last words of the user.
        number: of the row; it becomes the id of the group where the row has none.
        folder: what relative paths are relative to.

    Raises:
        ColumnError: the row has no prompt, or more places for pictures than pictures.
        MediaError: a picture cannot be read.
    """
    prompt = row.get("prompt")
    if prompt is None:
        raise ColumnError(f"row {number} has no column `prompt`; there are {sorted(row)}")
    given = row.get("images") if row.get("images") is not None else row.get("image")
    shown = _listed(given) or message_images(prompt)
    free = {name: value for name, value in row.items() if name not in ("prompt", "images", "image", "completion")}
    free.update({name: _located(free[name], folder) for name in ("video", "videos") if name in free})
    held = [images.data_url(one, folder=folder) for one in shown]
    asked = _turns(prompt, len(held))
    if (places := sum(part is None for turn in asked for part in turn.parts)) != len(held):
        raise ColumnError(f"row {number}: its prompt has places for {places} pictures, and it has {len(held)} `images`")
    known = free.pop("group", None)
    made = WAYS[target](asked, held, {"group": number if known is None else known, **free})
    if target == "verl":
        made["extra_info"]["index"] = number
    return made


def with_places(prompt: Any, count: int) -> list[Row]:
    """Messages whose content is a text with `<image>` for each of `count` pictures.

    Example:
        >>> with_places("Where?", 1)
        [{'role': 'user', 'content': '<image>Where?'}]
    """
    return _texts(_turns(prompt, count))


def gold_text(free: Mapping[str, Any]) -> str:
    """The gold answer of a row as one text; what is no text comes back as it was in the adapters."""
    found = next((free[name] for name in GOLD if free.get(name) is not None), "")
    return found if isinstance(found, str) else wrap(plain(found))


def storable(target: str, rows: Iterable[Row]) -> Iterable[Row]:
    """Rows for a trainer that reads its data with `datasets`: columns that would come out other than they went in are
    wrapped, value by value, and messages are of one shape.

    Arrow has one type for a column: mixed types are refused, keys that only some rows have appear in all of them, and
    structures without keys cannot be written. `outcomes` takes the values out again.
    """
    if target == "trl":
        found = list(rows)
        if any(not isinstance(turn["content"], str) for row in found for turn in row["prompt"]):
            found = [
                {**row, "prompt": [{**turn, "content": _as_parts(turn["content"])} for turn in row["prompt"]]}
                for row in found
            ]
        return _uniform(found, ("prompt", "images"))
    if target == "swift":
        return _uniform(list(rows), ("messages", "images"))
    if target == "nemo-rl":
        found = list(rows)
        held = _uniform([row["extra_env_info"] for row in found], ("images",))
        return [{**row, "extra_env_info": one} for row, one in zip(found, held, strict=True)]
    return rows  # the columns stand in one text, or nothing but the trainer reads the file


def _trl(asked: list[Turn], shown: list[str], free: Row) -> Row:
    turns = [{**turn.rest, "role": turn.role, "content": _placed(turn.parts)} for turn in asked]
    return {"prompt": turns, "images": [_bytes(one) for one in shown], **free}


def _verl(asked: list[Turn], shown: list[str], free: Row) -> Row:
    return {
        "data_source": str(free.get("data_source", "sightline")),
        "prompt": _texts(asked),
        "images": [_bytes(one) for one in shown],
        "reward_model": {"style": "rule", "ground_truth": gold_text(free)},
        "extra_info": {MARK: pack({**free, "images": shown})},
    }


def _easyr1(asked: list[Turn], shown: list[str], free: Row) -> Row:
    bare = [{**turn, "content": turn["content"].replace(SHOWN, "")} for turn in _texts(asked)]
    packed = pack({**free, "prompt": bare, "images": shown})
    said = "\n".join(turn["content"] for turn in _texts(asked))
    return {"problem": said, "images": [_bytes(one) for one in shown], "answer": packed}


def _swift(asked: list[Turn], shown: list[str], free: Row) -> Row:
    return {**free, "messages": _texts(asked), "images": shown}


def _openrlhf(asked: list[Turn], shown: list[str], free: Row) -> Row:
    return {"input": _texts(asked), "images": shown, "label": pack({**free, "images": shown})}


def _nemo_rl(asked: list[Turn], shown: list[str], free: Row) -> Row:
    return {"messages": _chat(asked, shown), "extra_env_info": {**free, "images": shown}}


def _verifiers(asked: list[Turn], shown: list[str], free: Row) -> Row:
    return {**free, "prompt": _chat(asked, shown), **({} if shown else {"images": []})}


WAYS: Mapping[str, Callable[[list[Turn], list[str], Row], Row]] = {
    "trl": _trl,
    "verl": _verl,
    "easyr1": _easyr1,
    "swift": _swift,
    "openrlhf": _openrlhf,
    "nemo-rl": _nemo_rl,
    "verifiers": _verifiers,
}


def _turns(prompt: Any, count: int) -> list[Turn]:
    """The messages of a prompt, with a place for each of `count` pictures if the user says anything."""
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt)
    found = [
        Turn(
            str(turn.get("role", "user")),
            _parts(turn.get("content")),
            {name: value for name, value in turn.items() if name not in ("role", "content")},
        )
        for turn in messages
    ]
    missing = count - sum(part is None for turn in found for part in turn.parts)
    last = next((turn for turn in reversed(found) if turn.role == "user"), None)
    if last is not None and missing > 0:
        last.parts[:0] = [None] * missing
    return found


def _parts(content: Any) -> list[str | None]:
    """The texts of a message, with None where a picture stands."""
    found: list[str | None] = []
    for part in [content] if isinstance(content, str) else content or []:
        kind = "text" if isinstance(part, str) else part.get("type", "text")
        if kind in PICTURES:
            found.append(None)
        elif kind == "video":
            found.append("<video>")
        else:
            text = part if isinstance(part, str) else str(part.get("text") or "")
            for at, piece in enumerate(text.split(SHOWN)):
                found += [None] * (at > 0) + [piece] * bool(piece)
    return found


def _texts(asked: list[Turn]) -> list[Row]:
    """Messages whose content is a text, with `<image>` for each picture."""
    return [
        {**turn.rest, "role": turn.role, "content": "".join(SHOWN if one is None else one for one in turn.parts)}
        for turn in asked
    ]


def _placed(parts: Sequence[str | None]) -> Any:
    """Content for TRL: parts that say where pictures go, or a text if none does."""
    if None not in parts:
        return "".join(one or "" for one in parts)
    return [{"type": "image", "text": None} if one is None else {"type": "text", "text": one} for one in parts]


def _as_parts(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _chat(asked: list[Turn], shown: list[str]) -> list[Row]:
    """Messages with the pictures as `image_url` parts in their places."""
    left = iter(shown)
    found = []
    for turn in asked:
        content: Any = "".join(one or "" for one in turn.parts)
        if None in turn.parts:
            content = [
                {"type": "text", "text": one} if one is not None else {"type": "image_url", "image_url": {"url": url}}
                for one, url in ((one, next(left) if one is None else "") for one in turn.parts)
            ]
        found.append({**turn.rest, "role": turn.role, "content": content})
    return found


def _uniform(rows: list[Row], without: Sequence[str]) -> list[Row]:
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in without]
    odd = [name for name in names if not _survives([row.get(name) for row in rows])]
    return [{**row, **{name: wrap(row[name]) for name in odd if row.get(name) is not None}} for row in rows]


def _survives(values: list[Any]) -> bool:
    """Whether a column of these values comes out of a Parquet file as it went in."""
    import pyarrow as pa

    try:
        text = json.dumps(values, sort_keys=True)
    except (TypeError, ValueError):
        return True  # nothing that could be wrapped
    try:
        return "{}" not in text and json.dumps(pa.array(values).to_pylist(), sort_keys=True) == text
    except (pa.ArrowException, OverflowError, TypeError):
        return False


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _located(value: Any, folder: Path | str) -> Any:
    """Paths of videos that stand on their own; videos are not put into the data."""
    if isinstance(value, list | tuple):
        return [_located(one, folder) for one in value]
    if not isinstance(value, str) or "://" in value or value.startswith("data:"):
        return value
    return os.path.abspath(os.path.join(folder, value))


def _bytes(url: str) -> Row:
    return {"bytes": images.read_bytes(url), "path": None}
