"""Media paths of a file that stand on their own. Knows which columns hold media, and nothing of files."""

from __future__ import annotations

import os
from typing import Any

MEDIA = ("image", "images", "video", "videos")


def located(value: Any, folder: str) -> Any:
    """A media value with paths that stand on their own: relative ones are relative to the rollout file."""
    if isinstance(value, list | tuple):
        return [located(item, folder) for item in value]
    if isinstance(value, dict) and isinstance(value.get("path"), str) and value.get("bytes") is None:
        return {**value, "path": located(value["path"], folder)}
    if not isinstance(value, str) or "://" in value or value.startswith("data:"):
        return value
    return os.path.join(folder, value)
