"""Pictures inside chat messages, in the shapes that trainers and servers use. Knows nothing of who asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def message_images(messages: Any) -> list[Any]:
    """The pictures of a chat in their order, as `media.images.load` takes them.

    Args:
        messages: a list of messages; content that is no list of parts holds no picture. Parts: `{"type": "image",
            "image": X}`, `{"type": "image", "bytes" or "path": X}`, `{"type": "image_url", "image_url": {"url": X}}`
            and `{"type": "input_image", "image_url": X}`. A part that only says where a picture goes is left out.

    Example:
        >>> part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
        >>> message_images([{"role": "user", "content": [part, {"type": "text", "text": "Where?"}]}])
        ['data:image/png;base64,AA==']
    """
    if isinstance(messages, str | bytes) or not isinstance(messages, Iterable):
        return []
    contents = [message.get("content") for message in messages if isinstance(message, Mapping)]
    parts = [part for content in contents if not isinstance(content, str) for part in _listed(content)]
    found = [_image(part) for part in parts if isinstance(part, Mapping)]
    return [image for image in found if image is not None]


def _listed(content: Any) -> list[Any]:
    return list(content) if isinstance(content, Iterable) and not isinstance(content, Mapping | bytes) else []


def _image(part: Mapping[str, Any]) -> Any:
    if part.get("type") not in ("image", "image_url", "input_image"):
        return None
    if part.get("image") is not None:
        return part["image"]
    url = part.get("image_url")
    if url is not None:
        return url.get("url") if isinstance(url, Mapping) else url
    held = {name: part[name] for name in ("bytes", "path") if part.get(name) is not None}
    return held or part.get("url")
