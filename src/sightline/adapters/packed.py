"""Columns inside a text, for trainers that carry one text per prompt to the reward and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from sightline.core.errors import ColumnError
from sightline.media import images

MARK = "sightline"
ALONE = "value"  # the one column of a value that is packed alone


def pack(columns: Mapping[str, Any]) -> str:
    """Columns as one text; pictures go in as paths if they are paths, else as data URLs.

    Raises:
        ColumnError: JSON cannot hold a value.

    Example:
        >>> unpack(pack({"answer": "7", "group": 3}))
        {'answer': '7', 'group': 3}
    """
    return json.dumps({MARK: {name: _kept(value, name) for name, value in columns.items()}})


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


def wrap(value: Any) -> str:
    """One value as a text, for files whose columns hold values of one type only.

    Example:
        >>> wrap({"total": 3}), unwrapped([wrap({"total": 3}), "as it is"])
        ('{"sightline": {"value": {"total": 3}}}', [{'total': 3}, 'as it is'])
    """
    return pack({ALONE: value})


def unwrapped(values: Sequence[Any]) -> Sequence[Any]:
    """A column with the values that `wrap` made texts of."""
    start = f'{{"{MARK}": {{"{ALONE}": '
    if not any(isinstance(value, str) and value.startswith(start) for value in values):
        return values
    return [
        unpack(value).get(ALONE) if isinstance(value, str) and value.startswith(start) else value for value in values
    ]


def _kept(value: Any, name: str) -> Any:
    found = plain(value, name)
    try:
        json.dumps(found)
    except (TypeError, ValueError) as error:
        raise ColumnError(f"column `{name}` holds {value!r:.60}, which cannot be sent as JSON ({error})") from error
    return found


def plain(value: Any, name: str = "") -> Any:
    """A value that JSON holds; pictures of the columns `image` and `images` as paths or data URLs."""
    if isinstance(value, list | tuple):
        return [plain(item, name) for item in value]
    if isinstance(value, Mapping) and name not in ("image", "images"):
        return {key: plain(item) for key, item in value.items()}
    if name in ("image", "images") and value is not None:
        if isinstance(value, Mapping) and value.get("bytes") is None and value.get("path"):
            value = value["path"]
        return os.fspath(value) if isinstance(value, str | os.PathLike) else images.data_url(value)
    return value.tolist() if hasattr(value, "tolist") else value
