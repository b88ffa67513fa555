"""How rewards read annotated frames of a video: when, and which objects stand where.

`key_frames` is a list of `{"idx": frame number, "time": seconds}`, `key_items` maps a frame number (as text) to
objects and their boxes in 0..1: `{"0": {"dog": [[x1, y1, x2, y2], ...]}}`. What cannot be read is a `ColumnError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.motion import Motion
from sightline.metrics.boxes import Floats
from sightline.parse.boxes import is_box, is_number
from sightline.parse.json import load
from sightline.parse.motion import object_key
from sightline.rewards.gold import gold

FRAMES_PER_SECOND = 30.0
NO_SIZE = Missing("it needs (width, height) in pixels")
Objects = dict[str, list[tuple[str, Floats]]]


@dataclass(frozen=True, eq=False)
class KeyFrames:
    """The annotated frames of one video.

    Args:
        names: frame numbers as text, those of `key_frames` first, then those that only `key_items` names.
        seconds: (K,) their times; a frame that only `key_items` names is at number / 30.
        listed: how many of them `key_frames` lists.
        objects: frame -> (key, (N, 4) boxes in pixels) of each of its objects; two may have one key.
    """

    names: tuple[str, ...]
    seconds: Floats
    listed: int
    objects: Objects

    def boxes(self, frame: str, key: str) -> Floats:
        """(N, 4) boxes of the first object of a frame with this key, (0, 4) if there is none."""
        return next((xyxy for name, xyxy in self.objects.get(frame, ()) if name == key), np.empty((0, 4)))

    def nearest(self, seconds: float, within: float, listed_only: bool = False, late: bool = False) -> str | None:
        """The frame nearest in time, strictly closer than `within` seconds; the first of several.

        Args:
            listed_only: only frames of `key_frames`.
            late: a frame before `seconds` is always close enough, as in released code that forgets the absolute value.
        """
        times = self.seconds[: self.listed] if listed_only else self.seconds
        away = np.abs(times - seconds)
        fits = (times - seconds if late else away) < within
        if not fits.any():
            return None
        return self.names[int(np.where(fits, away, np.inf).argmin())]


def key_frames(batch: Batch, who: str, sort: bool = True, needed: bool = True) -> list[KeyFrames]:
    """The annotated frames of every rollout.

    Args:
        sort: corners are put in order.
        needed: every row must have some; else None stands for a video without annotated frames.

    Raises:
        ColumnError: `key_frames`, `key_items` or `image_size` of a row cannot be read.
    """
    frames = gold(batch, "key_frames", who, _frames if needed else _frames_if_any)
    items = gold(batch, "key_items", who, _items if needed else _items_if_any)
    sizes = gold(batch, "image_size", who, _size if needed else _size_if_any)
    found: list[KeyFrames] = []
    cache: dict[tuple[int, int, tuple[float, float] | None], KeyFrames] = {}
    for row, (listed, boxes, size) in enumerate(zip(frames, items, sizes, strict=True)):
        if boxes and size is None:
            raise ColumnError(f"{who}: column `image_size` of row {row} is None; {NO_SIZE.why}")
        key = (id(listed), id(boxes), size)  # `gold` gives equal values the same object
        if key not in cache:
            cache[key] = _joined(listed, boxes, size or (1.0, 1.0), sort)
        found.append(cache[key])
    return found


def frame_times(batch: Batch, who: str) -> list[Floats]:
    """Times of the key frames of every rollout, in seconds.

    Raises:
        ColumnError: `key_frames` of a row cannot be read.
    """
    return [np.array([time for _, time in listed]) for listed in gold(batch, "key_frames", who, _frames)]


def image_sizes(batch: Batch, who: str) -> list[tuple[float, float]]:
    """The column `image_size`: width and height in pixels."""
    return gold(batch, "image_size", who, _size)


def gold_motions(batch: Batch, who: str) -> list[dict[str, Motion]]:
    """The optional column `gt_motion`: object key -> motion; empty where a row has none.

    Raises:
        ColumnError: a value is no mapping of objects to `dir`, `speed`, `scale`.
    """
    return gold(batch, "gt_motion", who, _motions) if batch.has("gt_motion") else [{}] * len(batch)


def in_pixels(box: tuple[float, float, float, float], size: tuple[float, float]) -> tuple[float, float, float, float]:
    """A box in pixels: one with four values in 0..1 is read as shares of the picture.

    Example:
        >>> in_pixels((0.5, 0, 1, 1), (640, 480)), in_pixels((5, 0, 9, 9), (640, 480))
        ((320.0, 0, 640, 480), (5, 0, 9, 9))
    """
    if not all(0 <= value <= 1 for value in box):
        return box
    width, height = size
    return box[0] * width, box[1] * height, box[2] * width, box[3] * height


def sorted_corners(xyxy: Floats) -> Floats:
    """Boxes with x1 <= x2 and y1 <= y2.

    Example:
        >>> sorted_corners(np.array([[9., 1., 2., 5.]]))
        array([[2., 1., 9., 5.]])
    """
    return np.concatenate([np.minimum(xyxy[..., :2], xyxy[..., 2:]), np.maximum(xyxy[..., :2], xyxy[..., 2:])], axis=-1)


def _joined(listed: list[tuple[str, float]], items: Objects, size: tuple[float, float], sort: bool) -> KeyFrames:
    known = {name for name, _ in listed}
    more = [(name, int(name) / FRAMES_PER_SECOND) for name in items if name not in known]
    scale = np.array([*size, *size])
    pixels = {
        frame: [(key, (sorted_corners(xyxy) if sort else xyxy) * scale) for key, xyxy in objects]
        for frame, objects in items.items()
    }
    every = [*listed, *more]
    return KeyFrames(tuple(name for name, _ in every), np.array([time for _, time in every]), len(listed), pixels)


def _loaded(value: Any) -> Any:
    return load(value) if isinstance(value, str) else value.tolist() if isinstance(value, np.ndarray) else value


def _frames(value: Any) -> list[tuple[str, float]] | Missing:
    wrong = Missing("it needs a list of {idx: frame number, time: seconds}")
    value = _loaded(value)
    if not isinstance(value, Sequence):
        return wrong
    found = []
    for frame in value:
        if not isinstance(frame, Mapping) or "idx" not in frame or not is_number(frame.get("time")):
            return wrong
        found.append((str(frame["idx"]), float(frame["time"])))
    return found


def _items(value: Any) -> Objects | Missing:
    wrong = Missing("it needs {frame number: {object: [[x1, y1, x2, y2], ..]}} with boxes in 0..1")
    value = _loaded(value)
    if not isinstance(value, Mapping):
        return wrong
    found: Objects = {}
    for frame, objects in value.items():
        if objects is None:  # Arrow gives every row the keys of all rows
            continue
        if not isinstance(objects, Mapping) or not str(frame).isdecimal():
            return wrong
        for name, boxes in objects.items():
            if boxes is None:
                continue
            listed = [[float(n) for n in box] for box in boxes]
            if not all(is_box(box) for box in listed):
                return wrong
            found.setdefault(str(frame), [])
            if listed:
                found[str(frame)].append((object_key(str(name)), np.array(listed)))
    return found


def _size(value: Any) -> tuple[float, float] | Missing:
    sides = tuple(value) if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else ()
    if len(sides) != 2 or not all(is_number(float(side)) and side > 0 for side in sides):
        return NO_SIZE
    return float(sides[0]), float(sides[1])


def _frames_if_any(value: Any) -> list[tuple[str, float]] | Missing:
    return [] if value is None else _frames(value)


def _items_if_any(value: Any) -> Objects | Missing:
    return {} if value is None else _items(value)


def _size_if_any(value: Any) -> tuple[float, float] | Missing | None:
    return None if value is None else _size(value)


def _motions(value: Any) -> dict[str, Motion] | Missing:
    value = _loaded(value)
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(m is None or isinstance(m, Mapping) for m in value.values()):
        return Missing("it needs {object: {dir: .., speed: .., scale: ..}}")
    found: dict[str, Motion] = {}
    for name, m in value.items():
        if m is not None:
            motion = Motion(m.get("dir", "STAT"), m.get("speed", "stationary"), m.get("scale", "stable"))
            found.setdefault(object_key(str(name)), motion)
    return found
