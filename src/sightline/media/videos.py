"""Frames of a clip, evenly spread over its length.

The container's packets are listed first (no decoding), so the frames and their times are exact even where the header
is not; long clips are read by seeking. The module knows nothing of models.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from sightline.core.errors import MediaError, MissingExtra, ShapeError
from sightline.media import images

if TYPE_CHECKING:
    from PIL.Image import Image

Source: TypeAlias = "str | os.PathLike[str] | bytes | Mapping[str, Any] | Sequence[images.Source]"
_LOCAL = {"protocol_whitelist": "file"}  # a playlist that poses as a clip fetches nothing
_SEEK_GAP = 200  # frames; skipping fewer is quicker by decoding them


class Clip(NamedTuple):
    """Some frames of a clip.

    Args:
        frames: images, upright and RGB.
        numbers: the number of each frame in the clip.
        seconds: the time of each frame from the clip's start; None if unknown (a list of frames).
        total: how many frames the whole clip has.
    """

    frames: list[Image]
    numbers: list[int]
    seconds: list[float] | None
    total: int


def sample_indices(total: int, n: int) -> list[int]:
    """Numbers of `n` frames evenly spread over `total`, first and last included; the middle one if n is 1.

    index_i = round(i * (total - 1) / (n - 1)). A clip of fewer than `n` frames gives each of them once.

    Raises:
        ShapeError: n < 1.

    Example:
        >>> sample_indices(10, 4), sample_indices(10, 1), sample_indices(2, 4)
        ([0, 3, 6, 9], [4], [0, 1])
    """
    if n < 1:
        raise ShapeError(f"needs at least 1 frame, got n={n}")
    if total <= n:
        return list(range(total))
    if n == 1:
        return [(total - 1) // 2]
    return [round(i * (total - 1) / (n - 1)) for i in range(n)]


def frames(source: Source, n: int, folder: str | os.PathLike[str] | None = None) -> list[Image]:
    """`n` frames of a clip, evenly spread.

    Args:
        source: a video file as path, bytes or mapping with `bytes` or `path`, or the clip's frames as a list of images.
        n: how many; a shorter clip gives all its frames.
        folder: what relative paths are relative to.

    Raises:
        MediaError: naming the file that cannot be found or decoded.
        MissingExtra: PyAV is not installed (lists of frames do not need it).

    Example:
        >>> from PIL import Image
        >>> clip = [Image.new("RGB", (2, 2), (i, 0, 0)) for i in range(9)]
        >>> [frame.getpixel((0, 0))[0] for frame in frames(clip, 3)]
        [0, 4, 8]
    """
    return read(source, n, folder).frames


def read(source: Source, n: int, folder: str | os.PathLike[str] | None = None) -> Clip:
    """`n` frames of a clip with their numbers and times; arguments and errors as for `frames`."""
    if isinstance(source, Sequence) and not isinstance(source, str | bytes | bytearray | memoryview):
        if not source:
            raise MediaError("a clip without frames")
        index = sample_indices(len(source), n)
        return Clip([images.load(source[i], folder) for i in index], index, None, len(source))
    sample_indices(1, n)
    name = images.describe(source)
    try:
        import av
    except ImportError as error:
        raise MissingExtra.of("reading video files", "video") from error
    try:
        with av.open(_opened(source, folder), options=_LOCAL) as container:
            return _sampled(container, n)
    except (av.FFmpegError, EOFError, ValueError) as error:
        raise MediaError(f"video {name} cannot be decoded: {error}") from error


def _opened(source: Any, folder: str | os.PathLike[str] | None) -> Any:
    if isinstance(source, Mapping) and not source.get("bytes") and source.get("path"):
        source = source["path"]
    if isinstance(source, str | os.PathLike) and not str(source).startswith("data:"):
        path = images.local_path(source, folder)
        if not path.is_file():
            raise MediaError(f"video {images.describe(source)} cannot be read: no such file")
        return str(path)
    return io.BytesIO(images.read_bytes(source, folder))


def _sampled(container: Any, n: int) -> Clip:
    if not container.streams.video:
        raise ValueError("it has no video stream")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    times = [packet.pts for packet in container.demux(stream) if packet.size and not packet.is_discard]
    if not times:
        raise ValueError("it has no frames")
    index = sample_indices(len(times), n)
    container.seek(0)
    if any(time is None for time in times) or len(set(times)) < len(times):
        found = _by_counting(container, stream, index)
        return Clip(found, index[: len(found)], None, len(times))
    times.sort()
    found = [_upright(frame) for frame in _by_time(container, stream, times, index)]
    if len(found) < len(index):
        raise ValueError(f"it breaks off: {len(found)} of {len(index)} frames could be read")
    start, unit = times[0], float(stream.time_base)
    return Clip(found, index, [(times[i] - start) * unit for i in index], len(times))


def _by_time(container: Any, stream: Any, times: list[int], index: list[int]) -> Iterator[Any]:
    """The frames `index`, whose presentation times are known; jumps over long gaps."""
    decoder, last = container.decode(stream), -1
    for i in index:
        if i - last > _SEEK_GAP:
            container.seek(times[i], stream=stream, backward=True)
            decoder = container.decode(stream)
        frame = next((frame for frame in decoder if frame.pts is not None and frame.pts >= times[i]), None)
        if frame is None:
            return
        last = i
        yield frame


def _by_counting(container: Any, stream: Any, index: list[int]) -> list[Image]:
    wanted = set(index)
    return [_upright(frame) for number, frame in enumerate(container.decode(stream)) if number in wanted]


def _upright(frame: Any) -> Image:
    image: Image = frame.to_image()
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return image if not turns else image.rotate(90 * turns, expand=True)
