"""Pictures of a rollout as small JPEGs inside the page, with boxes drawn over them: said ones by what they earned, gold
ones dashed."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.core.errors import MediaError, MissingExtra
from sightline.media import images, videos
from sightline.view.results import given

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 420  # pixels of the longer side of a thumbnail
MOST = 6  # pictures of one rollout
GOLD = ("gold_boxes", "boxes", "bbox", "solution", "answer")
_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_BOX = re.compile(
    rf"[\[(]{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}[\])]|\({_NUMBER},{_NUMBER}\)\s*,\s*\({_NUMBER},{_NUMBER}\)"
)


@dataclass(frozen=True)
class Rectangle:
    """A box in pixels of the picture it is drawn on."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    label: str


@dataclass(frozen=True)
class Picture:
    """One picture of a rollout, or why it cannot be shown.

    Args:
        data: a data URL.
        width, height: of the original, the coordinates of the boxes.
    """

    data: str = ""
    width: int = 0
    height: int = 0
    boxes: tuple[Rectangle, ...] = ()
    problem: str = ""


def pictures(row: Mapping[str, Any], folders: Sequence[Path], frame: Mapping[str, Any] | None = None) -> list[Picture]:
    """The pictures of one row, at most six, with their boxes; of a video some frames.

    Args:
        row: columns `image`, `images`, `video`, `videos`, `marks`, and gold boxes where there are any.
        folders: where relative paths may be relative to.
        frame: coordinates of gold boxes in a row that has no box marks to tell.
    """
    shown: list[Picture] = []
    for number, source in enumerate(_sources(row)[:MOST]):
        loaded = _loaded(source, folders)
        shown.append(Picture(problem=loaded) if isinstance(loaded, str) else _picture(loaded, row, number, frame or {}))
    if not shown:
        for source in _listed(row.get("video")) + _listed(row.get("videos")):
            shown += _frames(source, folders)
    return shown


def shared_frame(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The frame that box marks of some rows are in, if it does not depend on the picture (0..1, 0..1000)."""
    marks = (mark for row in rows for mark in row.get("marks") or [] if mark["unit"] == "box" and mark["frame"])
    return next((mark["frame"] for mark in marks if mark["frame"]["kind"] in ("unit", "thousand")), None)


def gold_boxes(row: Mapping[str, Any]) -> list[tuple[float, float, float, float]]:
    """Boxes that the row holds as the truth: the first of some columns that reads as boxes.

    Example:
        >>> gold_boxes({"solution": "<answer>[{'Position': [10, 10, 50, 50], 'Confidence': 1}]</answer>"})
        [(10.0, 10.0, 50.0, 50.0)]
        >>> gold_boxes({"boxes": [[1, 2, 3, 4]], "solution": "(0,0),(9,9)"})
        [(1.0, 2.0, 3.0, 4.0)]
    """
    for name in GOLD:
        value = given(row, name)
        text = value if isinstance(value, str) else json.dumps(value, default=str) if isinstance(value, list) else ""
        found = [tuple(float(n) for n in match.groups() if n is not None) for match in _BOX.finditer(text)]
        if found:
            return [(a, b, c, d) for a, b, c, d in found]
    return []


def _sources(row: Mapping[str, Any]) -> list[Any]:
    return _listed(row.get("images")) or _listed(row.get("image"))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _loaded(source: Any, folders: Sequence[Path]) -> Image | str:
    """A picture, or why it cannot be shown."""
    problem = "no folder to look in"
    for folder in folders:
        try:
            return images.load(source, folder)
        except MediaError as error:
            problem = str(error)
    return problem


def _frames(source: Any, folders: Sequence[Path]) -> list[Picture]:
    problem = "no folder to look in"
    for folder in folders:
        try:
            return [_encoded(frame, ()) for frame in videos.frames(source, MOST, folder)]
        except (MediaError, MissingExtra) as error:
            problem = str(error)
    return [Picture(problem=problem)]


def _picture(image: Image, row: Mapping[str, Any], number: int, default: Mapping[str, Any]) -> Picture:
    marks = [mark for mark in row.get("marks") or [] if mark["unit"] == "box" and len(mark["place"]) == 4]
    frames = [mark["frame"] or {} for mark in marks]
    mine = [mark for mark, frame in zip(marks, frames, strict=True) if (frame.get("image") or 0) == number]
    boxes = [_said(mark, image) for mark in mine]
    if number == 0:
        frame = frames[0] if frames else default
        gold = [_rectangle(box, frame, image, "gold", "gold") for box in gold_boxes(row)]
        boxes = [box for box in gold if box.x < image.width and box.y < image.height] + boxes
    return _encoded(image, tuple(boxes))


def _said(mark: Mapping[str, Any], image: Image) -> Rectangle:
    kind = "hit" if mark["value"] > 0 else "miss"
    return _rectangle(mark["place"], mark["frame"] or {}, image, kind, mark["why"] or f"{mark['value']:.3g}")


def _rectangle(place: Sequence[float], frame: Mapping[str, Any], image: Image, kind: str, label: str) -> Rectangle:
    """A box in the picture's pixels; a frame of unknown size is taken to be the picture."""
    wide, high = frame.get("width") or 0, frame.get("height") or 0
    across, down = (image.width / wide, image.height / high) if wide > 0 and high > 0 else (1.0, 1.0)
    x1, x2 = sorted((place[0] * across, place[2] * across))
    y1, y2 = sorted((place[1] * down, place[3] * down))
    return Rectangle(x1, y1, x2 - x1, y2 - y1, kind, label)


def _encoded(image: Image, boxes: tuple[Rectangle, ...]) -> Picture:
    small = image.copy()
    small.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    small.convert("RGB").save(buffer, "JPEG", quality=82)
    data = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
    return Picture(data, image.width, image.height, boxes)
