"""Columns inside a text, for trainers that carry one text per prompt to the reward and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from sightline.media import images

MARK = "sightline"


def pack(columns: Mapping[str, Any]) -> str:
    """Columns as one text; pictures go in as paths if they are paths, else as data URLs.

    Example:
        >>> unpack(pack({"answer": "7", "group": 3}))
        {'answer': '7', 'group': 3}
    """
    return json.dumps({MARK: {name: plain(value, name) for name, value in columns.items()}})


def unpack(text: Any) -> dict[str, Any]:
    """The columns that `pack` put into a text; of any other value the column `answer`.

    Example:
        >>> unpack("7")
        {'answer': '7'}
    """
    if isinstance(text, str) and text.startswith("{") and MARK in text:
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, dict) and isinstance(found.get(MARK), dict):
            return dict(found[MARK])
    return {"answer": text}


def plain(value: Any, name: str = "") -> Any:
    """A value that JSON holds; pictures of the columns `image` and `images` as paths or data URLs."""
    if isinstance(value, list | tuple):
        return [plain(item, name) for item in value]
    if name in ("image", "images") and value is not None:
        if isinstance(value, Mapping) and value.get("bytes") is None and value.get("path"):
            value = value["path"]
        return os.fspath(value) if isinstance(value, str | os.PathLike) else images.data_url(value)
    return value.tolist() if hasattr(value, "tolist") else value
