"""Rows of data as each trainer wants them, with everything in them that the reward will read, pictures included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sightline.adapters.outcomes import GOLD
from sightline.adapters.packed import pack, plain
from sightline.core.errors import ColumnError
from sightline.core.rollout import content_text
from sightline.media import images

Row = dict[str, Any]
SHOWN = "<image>"


def row_for(target: str, row: Mapping[str, Any], number: int, folder: Path | str = ".") -> Row:
    """One row of a trainer's data file.

    Args:
        target: a key of `WAYS`.
        row: `prompt` (text or messages), `images` where there are any, and the columns that the reward reads.
        number: of the row; it becomes the id of the group where the row has none.
        folder: what relative paths are relative to.

    Raises:
        ColumnError: the row has no prompt.
        MediaError: a picture cannot be read.
    """
    if row.get("prompt") is None:
        raise ColumnError(f"row {number} has no column `prompt`; there are {sorted(row)}")
    shown = row.get("images") or ([row["image"]] if row.get("image") is not None else [])
    free = {name: value for name, value in row.items() if name not in ("prompt", "images", "image", "completion")}
    held = [images.data_url(one, folder=folder) for one in shown]
    return WAYS[target](row["prompt"], held, {"group": number, **free})


def _trl(prompt: Any, shown: list[str], free: Row) -> Row:
    return {"prompt": _messages(prompt), "images": [_bytes(one) for one in shown], **free}


def _verl(prompt: Any, shown: list[str], free: Row) -> Row:
    asked = [{**turn, "content": content_text(turn["content"])} for turn in _messages(prompt)]
    return {
        "data_source": str(free.get("data_source", "sightline")),
        "prompt": _with_places(asked, len(shown)),
        "images": [_bytes(one) for one in shown],
        "reward_model": {"style": "rule", "ground_truth": _gold(free)},
        "extra_info": {**free, "index": free["group"], "images": shown},
    }


def _easyr1(prompt: Any, shown: list[str], free: Row) -> Row:
    packed = pack({**free, "prompt": prompt, "images": shown})
    return {"problem": SHOWN * len(shown) + _text(prompt), "images": [_bytes(one) for one in shown], "answer": packed}


def _swift(prompt: Any, shown: list[str], free: Row) -> Row:
    asked = [{**turn, "content": content_text(turn["content"])} for turn in _messages(prompt)]
    return {"messages": _with_places(asked, len(shown)), "images": shown, **free}


def _openrlhf(prompt: Any, shown: list[str], free: Row) -> Row:
    return {"input": _messages(prompt), "images": shown, "label": pack({**free, "images": shown})}


def _nemo_rl(prompt: Any, shown: list[str], free: Row) -> Row:
    return {"messages": _chat(prompt, shown), "extra_env_info": {**free, "images": shown}}


def _verifiers(prompt: Any, shown: list[str], free: Row) -> Row:
    return {"prompt": _chat(prompt, shown), **({} if shown else {"images": []}), **free}


WAYS: Mapping[str, Callable[[Any, list[str], Row], Row]] = {
    "trl": _trl,
    "verl": _verl,
    "easyr1": _easyr1,
    "swift": _swift,
    "openrlhf": _openrlhf,
    "nemo-rl": _nemo_rl,
    "verifiers": _verifiers,
}


def _messages(prompt: Any) -> list[Row]:
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else [dict(turn) for turn in prompt]


def _text(prompt: Any) -> str:
    return prompt if isinstance(prompt, str) else "\n".join(content_text(turn.get("content")) for turn in prompt)


def _with_places(asked: list[Row], count: int) -> list[Row]:
    """Messages with a place for each picture that has none yet, before the last words of the user."""
    missing = count - sum(turn["content"].count(SHOWN) for turn in asked)
    for turn in reversed(asked):
        if turn["role"] == "user" and missing > 0:
            turn["content"], missing = SHOWN * missing + turn["content"], 0
    return asked


def _chat(prompt: Any, shown: list[str]) -> list[Row]:
    """Messages with the pictures as `image_url` parts of the last user turn."""
    asked = _messages(prompt)
    last = next((turn for turn in reversed(asked) if turn["role"] == "user"), None)
    if last is not None and shown:
        parts = [{"type": "image_url", "image_url": {"url": one}} for one in shown]
        last["content"] = [*parts, {"type": "text", "text": content_text(last["content"]).replace(SHOWN, "")}]
    return asked


def _bytes(url: str) -> Row:
    return {"bytes": images.read_bytes(url), "path": None}


def _gold(free: Mapping[str, Any]) -> str:
    found = next((free[name] for name in GOLD if free.get(name) is not None), "")
    return found if isinstance(found, str) else pack({"answer": plain(found)})
