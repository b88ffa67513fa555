"""Images from wherever a row holds them, upright and RGB; their content hash; their encoding for a judge.

Nothing is fetched: a picture at a web address is an error. The module knows nothing of boxes or videos.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from urllib.parse import unquote, unquote_to_bytes

import numpy as np
import xxhash

from sightline.core.errors import MediaError
from sightline.media import reach

if TYPE_CHECKING:
    from PIL.Image import Image

Source: TypeAlias = "str | os.PathLike[str] | bytes | Mapping[str, Any] | Image | np.ndarray[Any, Any]"
MAX_PIXELS = 89_478_485  # a quarter of a gigabyte as RGB; Pillow's own limit


def load(source: Source, folder: str | os.PathLike[str] | None = None, max_pixels: int = MAX_PIXELS) -> Image:
    """The image, upright and RGB.

    Args:
        source: a path, the bytes of an image file, a data URL, a Pillow image, an array (H, W) or (H, W, 3) of uint8,
            or a mapping with `bytes` or `path`, as the Image feature of datasets stores it.
        folder: what relative paths are relative to.
        max_pixels: larger images are refused before they are decoded.

    The orientation in the file's EXIF data is applied; transparent parts become white; 16-bit grey is scaled to 8.

    Raises:
        MediaError: naming what could not be read and why.

    Example:
        >>> from PIL import Image
        >>> load(Image.new("RGBA", (4, 2))).size, load(data_url(Image.new("L", (4, 2), 7))).getpixel((0, 0))
        ((4, 2), (7, 7, 7))
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    name = describe(source)
    if isinstance(source, Image.Image):
        image = source
    elif isinstance(source, np.ndarray):
        return _from_array(source)
    else:
        data = read_bytes(source, folder)
        try:
            image = Image.open(io.BytesIO(data))
        except UnidentifiedImageError:
            raise MediaError(f"{name} is not an image ({len(data)} bytes)") from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise MediaError(f"{name} is too large: {error}") from error
        except (OSError, SyntaxError, ValueError) as error:
            raise MediaError(f"{name} cannot be decoded: {error}") from error
    if image.width * image.height > max_pixels:
        raise MediaError(f"{name} is {image.width} x {image.height}, more than {max_pixels} pixels")
    try:
        return _rgb(ImageOps.exif_transpose(image))
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise MediaError(f"{name} cannot be decoded: {error}") from error


def _rgb(image: Image) -> Image:
    from PIL import Image

    if image.mode == "RGB":
        image.load()
        return image
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.int64)
        return Image.fromarray(
            np.clip(grey >> (8 if grey.max(initial=0) > 255 else 0), 0, 255).astype(np.uint8)
        ).convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _from_array(array: np.ndarray[Any, Any]) -> Image:
    from PIL import Image

    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise MediaError(f"an image array must be (H, W) or (H, W, 3) of uint8, got {array.shape} of {array.dtype}")
    return Image.fromarray(array).convert("RGB")


def read_bytes(source: Source, folder: str | os.PathLike[str] | None = None) -> bytes:
    """The bytes of a media file: a path, bytes, a data URL or a mapping with `bytes` or `path`.

    Raises:
        MediaError: it cannot be found, or is at a web address.
    """
    data = _read(source, folder)
    reach.check_bytes(data)
    return data


def _read(source: Source, folder: str | os.PathLike[str] | None) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if isinstance(source, Mapping):
        inner = source.get("bytes") or source.get("path")
        if inner is None:
            raise MediaError(f"a media mapping needs `bytes` or `path`, got {sorted(map(str, source))}")
        return _read(inner, folder)
    if isinstance(source, str) and source.startswith("data:"):
        return _data_url_bytes(source)
    path = local_path(source, folder)
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise MediaError(f"{describe(source)} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def local_path(source: Any, folder: str | os.PathLike[str] | None = None) -> Path:
    """A path or `file://` address as a path, relative ones in `folder`.

    Raises:
        MediaError: it is a web address, no path at all, or beyond what this process may read (`media.reach`).
    """
    if not isinstance(source, str | os.PathLike):
        raise MediaError(f"cannot read media from {describe(source)}")
    text = os.fspath(source)
    if text.startswith(("http://", "https://", "s3://", "gs://", "hf://")):
        raise MediaError(f"{describe(source)} is not on this machine; sightline fetches nothing, download it first")
    path = Path(unquote(text[7:]) if text.startswith("file://") else text)
    path = path if folder is None else Path(folder) / path
    reach.check(path)
    return path


def _data_url_bytes(url: str) -> bytes:
    head, comma, body = url.partition(",")
    if not comma:
        raise MediaError(f"{describe(url)} has no data")
    if not head.endswith(";base64"):
        return unquote_to_bytes(body)
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MediaError(f"{describe(url)} is not base64: {error}") from error


def describe(source: Any) -> str:
    """A short name of a media source for messages."""
    if isinstance(source, str | os.PathLike):
        text = os.fspath(source)
        return f"{text[:30]}..." if text.startswith("data:") else f"`{text[:200]}`"
    if isinstance(source, Mapping):
        return describe(source["path"]) if source.get("path") else "a media mapping"
    return f"{len(source)} bytes" if isinstance(source, bytes) else type(source).__name__


def content_hash(source: Source, folder: str | os.PathLike[str] | None = None) -> str:
    """A hash of the content: of a file's bytes, or of the pixels of a decoded image.

    A file is read again only when its size or time of change differ. The same picture as a file and as pixels has two
    hashes.

    Example:
        >>> content_hash(b"abc") == content_hash({"bytes": b"abc", "path": None})
        True
    """
    if isinstance(source, str | os.PathLike) and not str(source).startswith("data:"):
        path = local_path(source, folder)
        try:
            stat = path.stat()
        except (OSError, ValueError) as error:
            raise MediaError(f"{describe(source)} cannot be read: {error}") from error
        return _file_hash(str(path), stat.st_mtime_ns, stat.st_size)
    if isinstance(source, str | bytes | bytearray | memoryview | Mapping):
        return xxhash.xxh3_128_hexdigest(read_bytes(source, folder))
    image = load(source)
    return xxhash.xxh3_128_hexdigest(b"%d %d " % image.size + image.tobytes())


@lru_cache(maxsize=65_536)
def _file_hash(path: str, changed: int, size: int) -> str:
    return xxhash.xxh3_128_hexdigest(read_bytes(path))


def data_url(
    source: Source,
    encoding: Literal["PNG", "JPEG"] = "PNG",
    quality: int = 90,
    folder: str | os.PathLike[str] | None = None,
) -> str:
    """The image as a base64 data URL; an image asked for again is not encoded again.

    Args:
        source: as for `load`.
        encoding: PNG keeps the pixels, JPEG is smaller.
        quality: of a JPEG, 1..95.

    Example:
        >>> from PIL import Image
        >>> data_url(Image.new("RGB", (2, 2)))[:22]
        'data:image/png;base64,'
    """
    key = (content_hash(source, folder), encoding, quality if encoding == "JPEG" else 0)
    known = _ENCODED.get(key)
    if known is None:
        buffer = io.BytesIO()
        load(source, folder).save(buffer, encoding, **({"quality": quality} if encoding == "JPEG" else {}))
        known = f"data:image/{encoding.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
        _ENCODED.put(key, known)
    return known


class _Encoded:
    """Data URLs by content, the least recently used dropped beyond `limit` characters in all."""

    def __init__(self, limit: int = 256 << 20) -> None:
        self._limit, self._size = limit, 0
        self._urls: OrderedDict[tuple[str, str, int], str] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[str, str, int]) -> str | None:
        with self._lock:
            url = self._urls.get(key)
            if url is not None:
                self._urls.move_to_end(key)
            return url

    def put(self, key: tuple[str, str, int], url: str) -> None:
        with self._lock:
            if len(url) > self._limit or key in self._urls:
                return
            self._urls[key] = url
            self._size += len(url)
            while self._size > self._limit:
                _, dropped = self._urls.popitem(last=False)
                self._size -= len(dropped)


_ENCODED = _Encoded()
