"""Media of a request: bytes that are really pictures or clips, of a size that may be decoded; nothing is fetched.

Paths are read only below a folder that the operator names. Everything else that a row holds is looked through for
bytes, depth and keys that are not texts, so that a reward meets plain values only.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sightline.core.errors import MediaError
from sightline.media import images
from sightline.media.reach import Reach, is_clip
from sightline.serve.limits import Limits
from sightline.serve.refusal import Refusal, too_large, wrong

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # none that starts a program, as EPS does
COLUMNS = frozenset(("image", "images", "video", "videos", "frames", "picture", "pictures"))
PLAIN = frozenset((str, int, float, bool, type(None)))


@dataclass
class Inspection:
    """What has been seen of one request's media.

    Args:
        limits: how much is accepted.
        root: the folder that paths may lead into; None: no paths.
        shared: id -> bytes, for media that several rows show; rows name them by `{"media": id}`.
    """

    limits: Limits
    root: Path | None = None
    shared: Mapping[str, Any] = field(default_factory=dict)
    count: int = 0
    pixels: int = 0
    seen: dict[str, bytes] = field(default_factory=dict)

    def row(self, values: Mapping[str, Any], row: int) -> dict[str, Any]:
        """The columns of one row with media as bytes.

        Raises:
            Refusal: naming row and column.
        """
        found = {}
        for name, value in values.items():
            if type(name) is not str:
                raise wrong(f"names of columns are texts, got {type(name).__name__}", row)
            shown = name in COLUMNS
            plain = type(value) in PLAIN and (value is None or not (shown or _is_url(value)))
            try:
                found[name] = value if plain else self._value(value, shown, 1)
            except Refusal as refusal:
                raise _placed(refusal, row, name) from None
        return found

    def _value(self, value: Any, shown: bool, depth: int) -> Any:
        """`value` as a reward may see it; `shown`: a text in it is a place of a picture."""
        kind = type(value)
        if kind is str:
            return self._text(value) if shown else self._said(value)
        if kind in PLAIN:
            return value
        if kind is bytes:
            return self._medium(value)
        if depth > self.limits.depth:
            raise too_large(f"lists and objects are nested deeper than {self.limits.depth}")
        if kind is list:
            if all(type(item) in (int, float) for item in value):
                return value
            return [self._value(item, shown, depth + 1) for item in value]
        if kind is dict:
            return self._object(value, shown, depth)
        raise wrong(f"values of type {kind.__name__} are not accepted")

    def _object(self, value: dict[Any, Any], shown: bool, depth: int) -> Any:
        if "media" in value and len(value) == 1:
            return self._shared(value["media"])
        data = value.get("bytes")
        if data is not None and value.keys() <= {"bytes", "path"}:
            return self._medium(_base64(data) if isinstance(data, str) else data)
        if shown and isinstance(value.get("path"), str):
            return self._text(value["path"])
        for name in value:
            if type(name) is not str:
                raise wrong(f"names in objects are texts, got {type(name).__name__}")
        return {name: self._value(item, shown, depth + 1) for name, item in value.items()}

    def _shared(self, name: Any) -> bytes:
        if not isinstance(name, str) or name not in self.shared:
            raise wrong(f"no medium is called {str(name)[:80]!r} in `media`; there are {len(self.shared)}")
        if name not in self.seen:
            data = self.shared[name]
            self.seen[name] = self._medium(_base64(data) if isinstance(data, str) else data)
        return self.seen[name]

    def _said(self, text: str) -> str:
        """A text that is no place of a picture; where it holds one all the same, its size counts."""
        if _is_url(text):
            try:
                self._medium(images.read_bytes(text))
            except MediaError:
                return text
            except Refusal as refusal:
                if refusal.status == 413:
                    raise
        return text

    def _text(self, text: str) -> Any:
        if text.startswith("data:"):
            try:
                return self._medium(images.read_bytes(text))
            except MediaError as error:
                raise wrong(str(error)) from None
        if text.startswith("//") or "://" in text[:16]:
            raise wrong(f"{images.describe(text[:80])} is an address; nothing is fetched, send the bytes")
        return self._path(text)

    def _path(self, text: str) -> str:
        if self.root is None:
            raise wrong("paths of files are not accepted here; send the bytes")
        path = self.root / text
        try:
            Reach(self.root).check(path)
            size = path.stat().st_size if path.is_file() else -1
        except (MediaError, OSError, ValueError) as error:
            raise wrong(str(error) if isinstance(error, MediaError) else "no such file") from None
        if size < 0:
            raise wrong("no such file")
        if size > self.limits.body_bytes:
            raise too_large(f"the file has {size:,} bytes, more than {self.limits.body_bytes:,}")
        self._medium(path.read_bytes())
        return str(path.resolve())

    def _medium(self, data: Any) -> bytes:
        if not isinstance(data, bytes):
            raise wrong(f"needs the bytes of a picture or clip, got {type(data).__name__}")
        self.count += 1
        if self.count > self.limits.images:
            raise too_large(f"more than {self.limits.images} pictures and clips in one request")
        if is_clip(data):
            self._size(*_clip_size(data))
        else:
            self._size(*_picture_size(data))
        return data

    def _size(self, width: int, height: int) -> None:
        pixels = width * height
        if pixels > self.limits.pixels:
            raise too_large(f"{width} x {height} is more than {self.limits.pixels:,} pixels")
        self.pixels += pixels
        if self.pixels > self.limits.all_pixels:
            raise too_large(f"pictures of more than {self.limits.all_pixels:,} pixels together in one request")


def _picture_size(data: bytes) -> tuple[int, int]:
    """Width and height from the head of a picture; nothing is decoded."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return image.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large(f"not a picture of a size that is decoded: {error}") from error
    except UnidentifiedImageError:
        raise wrong(f"{len(data)} bytes that are no picture ({', '.join(FORMATS)}) or clip") from None
    except (OSError, SyntaxError, ValueError, EOFError, OverflowError, IndexError, KeyError, TypeError) as error:
        raise wrong(f"a broken picture: {str(error)[:120]}") from error  # decoders of damaged heads raise all of these


def _clip_size(data: bytes) -> tuple[int, int]:
    """Width and height of a clip, from its head."""
    try:
        import av
    except ImportError:
        raise wrong("clips need the extra `video` on the server; send frames") from None
    try:
        with av.open(io.BytesIO(data)) as clip:
            if not clip.streams.video:
                raise wrong("a clip without pictures")
            stream = clip.streams.video[0]
            return stream.width, stream.height
    except (av.FFmpegError, EOFError, ValueError) as error:
        raise wrong(f"a broken clip: {str(error)[:120]}") from error


def _is_url(value: Any) -> bool:
    return type(value) is str and value.startswith("data:")


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong(f"`bytes` is not base64: {error}") from error


def _placed(refusal: Refusal, row: int, column: str) -> Refusal:
    again = too_large if refusal.status == 413 else wrong
    return again(refusal.message, row, column)
