"""Pictures of a rollout as small JPEGs inside the page. Boxes and tracks are drawn over them: what was said in the
colour of what it earned, gold dashed."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.core.errors import MediaError, MissingExtra
from sightline.media import images, videos
from sightline.view.results import given

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 420  # pixels of the longer side of a picture, unless more is asked for
THUMB = 96  # of those in a strip
MOST = 6  # pictures of one rollout, likewise
BESIDE = 2  # so many pictures stand beside each other; more become a strip
GOLD = ("gold_boxes", "boxes", "bbox", "solution", "answer")
_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_BOX = re.compile(
    rf"[\[(]{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}[\])]|\({_NUMBER},{_NUMBER}\)\s*,\s*\({_NUMBER},{_NUMBER}\)"
)
Place = tuple[float, float, float, float]


@dataclass(frozen=True)
class Rectangle:
    """A box in pixels of the picture it is drawn on.

    Args:
        kind: hit, miss, mixed (some parts pay for it) or gold.
        marks: numbers of the marks on it; none for gold.
        strength: 0..1, how much it earned or lost beside the other boxes of the rollout.
    """

    x: float
    y: float
    width: float
    height: float
    kind: str
    label: str
    marks: tuple[int, ...] = ()
    strength: float = 1.0

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Trail:
    """The way of one object through the frames of a clip, as it is drawn on one of them.

    Args:
        points: centres of its boxes, in the order of frames, in pixels of this frame.
        here: its place on this frame, if it has one.
    """

    kind: str
    label: str
    points: tuple[tuple[float, float], ...]
    here: tuple[float, float] | None


@dataclass(frozen=True)
class Shot:
    """One picture of a rollout, or why it cannot be shown, before anything is drawn on it.

    Args:
        number: of the picture, or of the frame of its clip, which marks name.
        data: a data URL.
        width, height: of the original, the coordinates of the boxes.
        caption: which frame of a clip it is.
        thumb: a data URL of the picture, small; empty where a rollout has too few pictures for a strip.
    """

    number: int = 0
    data: str = ""
    width: int = 0
    height: int = 0
    problem: str = ""
    caption: str = ""
    thumb: str = ""


@dataclass(frozen=True)
class Picture(Shot):
    """A picture with its boxes, and the ways of objects through the clip it belongs to."""

    boxes: tuple[Rectangle, ...] = ()
    trails: tuple[Trail, ...] = ()


def pictures(
    row: Mapping[str, Any],
    folders: Sequence[Path],
    frame: Mapping[str, Any] | None = None,
    side: int = SIDE,
    most: int = MOST,
) -> list[Picture]:
    """The pictures of one row with their boxes; of a video some frames.

    Args:
        row, folders, side, most: as for `shots`.
        frame: as for `drawn`.
    """
    return drawn(shots(row, folders, side, most), row, frame)


def shots(row: Mapping[str, Any], folders: Sequence[Path], side: int = SIDE, most: int = MOST) -> list[Shot]:
    """The pictures of one row; of a video some frames.

    Args:
        row: columns `image`, `images`, `video`, `videos`.
        folders: where relative paths may be relative to.
        side: pixels of the longer side.
        most: so many pictures or frames are shown.
    """
    loaded: list[tuple[int, str, Image | str]] = []
    for number, source in enumerate((_listed(row.get("images")) or _listed(row.get("image")))[:most]):
        loaded.append((number, "", _loaded(source, folders)))
    if not loaded:
        for source in _listed(row.get("video")) + _listed(row.get("videos")):
            loaded += _frames(source, folders, most)
    strip = len(loaded) > BESIDE
    return [
        Shot(number, problem=image) if isinstance(image, str) else _taken(image, number, caption, side, strip)
        for number, caption, image in loaded
    ]


def drawn(taken: Sequence[Shot], row: Mapping[str, Any], frame: Mapping[str, Any] | None = None) -> list[Picture]:
    """The pictures of a row with what its marks and its gold boxes say.

    Args:
        row: columns `marks`, and gold boxes where there are any.
        frame: coordinates of gold boxes in a row that has no box marks to tell.
    """
    return _with_trails([Picture(**vars(shot), boxes=_boxes(shot, row, frame or {})) for shot in taken])


def shared_frame(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The frame that box marks of some rows are in, if it does not depend on the picture (0..1, 0..1000)."""
    marks = (mark for row in rows for mark in row.get("marks") or [] if mark["unit"] == "box" and mark["frame"])
    return next((mark["frame"] for mark in marks if mark["frame"]["kind"] in ("unit", "thousand")), None)


def gold_boxes(row: Mapping[str, Any]) -> list[Place]:
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


def gold_tracks(row: Mapping[str, Any]) -> dict[int, list[tuple[str, Place]]] | None:
    """Frame -> named boxes, 0..1, of a row that holds tracks (`key_items`, in 0..1 or pixels of `image_size`).

    Example:
        >>> gold_tracks({"key_items": {"0": {"cat": [[0.1, 0.1, 0.5, 0.5]]}, "1": None}})
        {0: [('cat', (0.1, 0.1, 0.5, 0.5))]}
    """
    items = given(row, "key_items")
    if not isinstance(items, Mapping):
        return None
    size = row.get("image_size") or (1, 1)
    found: dict[int, list[tuple[str, Place]]] = {}
    for frame, named in items.items():
        for name, boxes in (named or {}).items() if str(frame).isdigit() else ():
            places = [_fractions(box, size) for box in boxes or () if len(box) == 4]
            if places:
                found.setdefault(int(frame), []).extend((str(name), place) for place in places)
    return found


def strengths(values: Sequence[float]) -> list[float]:
    """How strongly each of some marks is coloured, 0.3 to 1: by its share of the largest; what is 0 lost all it could.

    Example:
        >>> strengths([1.0, -0.5, 0.0])
        [1.0, 0.5, 1.0]
    """
    sizes = [abs(value) if value == value else 0.0 for value in values]
    most = max(sizes, default=0.0)
    return [max(0.3, round(size / most, 3)) if size else 1.0 for size in sizes]


def _fractions(box: Sequence[float], size: Sequence[float]) -> Place:
    x1, y1, x2, y2 = map(float, box)
    if max(x1, y1, x2, y2) <= 1:
        return x1, y1, x2, y2
    return x1 / size[0], y1 / size[1], x2 / size[0], y2 / size[1]


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


def _frames(source: Any, folders: Sequence[Path], most: int) -> list[tuple[int, str, Image | str]]:
    problem = "no folder to look in"
    for folder in folders:
        try:
            clip = videos.read(source, most, folder)
        except (MediaError, MissingExtra) as error:
            problem = str(error)
            continue
        times = [""] * len(clip.numbers) if clip.seconds is None else [f" · {time:.1f} s" for time in clip.seconds]
        captions = [f"frame {number}{time}" for number, time in zip(clip.numbers, times, strict=True)]
        return list(zip(clip.numbers, captions, clip.frames, strict=True))
    return [(0, "", problem)]


def _taken(image: Image, number: int, caption: str, side: int, strip: bool) -> Shot:
    thumb = _data_url(image, THUMB) if strip else ""
    return Shot(number, _data_url(image, side), image.width, image.height, caption=caption, thumb=thumb)


def _boxes(shot: Shot, row: Mapping[str, Any], default: Mapping[str, Any]) -> tuple[Rectangle, ...]:
    if shot.problem:
        return ()
    said = _said_boxes(row.get("marks") or [])
    strong = strengths([sum(mark["value"] for _, mark in same) for same in said])
    frame = (said[0][0][1]["frame"] or {}) if said else default
    mine = [
        _said(same, shot, strength)
        for same, strength in zip(said, strong, strict=True)
        if ((same[0][1]["frame"] or {}).get("image") or 0) == shot.number
    ]
    return (*_gold(row, frame, shot), *mine)


def _said_boxes(marks: Sequence[Mapping[str, Any]]) -> list[list[tuple[int, Mapping[str, Any]]]]:
    """Box marks with their numbers; those of one box, which several parts may pay for, together."""
    found: dict[Any, list[tuple[int, Mapping[str, Any]]]] = {}
    for at, mark in enumerate(marks):
        if mark["unit"] == "box" and len(mark["place"]) == 4:
            image = (mark["frame"] or {}).get("image") or 0
            found.setdefault((image, *mark["place"]), []).append((at, mark))
    return list(found.values())


def _gold(row: Mapping[str, Any], frame: Mapping[str, Any], shot: Shot) -> list[Rectangle]:
    """The true boxes of one picture: of its frame where the row holds tracks, else all of them on the first."""
    tracks = gold_tracks(row)
    if tracks is not None:
        unit = {"width": 1.0, "height": 1.0}
        return [_rectangle(box, unit, shot, "gold", name) for name, box in tracks.get(shot.number, ())]
    if shot.number:
        return []
    gold = [_rectangle(box, frame, shot, "gold", "gold") for box in gold_boxes(row)]
    return [box for box in gold if box.x < shot.width and box.y < shot.height]


def _said(same: Sequence[tuple[int, Mapping[str, Any]]], shot: Shot, strength: float) -> Rectangle:
    """One box: a hit if all parts pay for it, a miss if none does."""
    mark = same[0][1]
    paid = [one["value"] > 0 for _, one in same]
    kind = "hit" if all(paid) else "mixed" if any(paid) else "miss"
    label = " · ".join(one["why"] or f"{one['value']:.3g}" for _, one in same)
    box = _rectangle(mark["place"], mark["frame"] or {}, shot, kind, label)
    return replace(box, marks=tuple(at for at, _ in same), strength=strength)


def _rectangle(place: Sequence[float], frame: Mapping[str, Any], shot: Shot, kind: str, label: str) -> Rectangle:
    """A box in the picture's pixels; a frame of unknown size is taken to be the picture."""
    wide, high = frame.get("width") or 0, frame.get("height") or 0
    across, down = (shot.width / wide, shot.height / high) if wide > 0 and high > 0 else (1.0, 1.0)
    x1, x2 = sorted((place[0] * across, place[2] * across))
    y1, y2 = sorted((place[1] * down, place[3] * down))
    return Rectangle(x1, y1, x2 - x1, y2 - y1, kind, label)


def _with_trails(shown: list[Picture]) -> list[Picture]:
    """Tracks over several frames: gold boxes by name, said ones where no frame has more than one."""
    sightings: dict[tuple[str, str], dict[int, tuple[float, float]]] = {}
    said = [[box for box in picture.boxes if box.kind != "gold"] for picture in shown]
    for number, picture in enumerate(shown):
        for box in picture.boxes:
            x, y = box.centre[0] / picture.width, box.centre[1] / picture.height
            if box.kind == "gold" and box.label != "gold":
                sightings.setdefault(("gold", box.label), {})[number] = (x, y)
            elif box.kind != "gold" and max(map(len, said)) == 1:
                sightings.setdefault(("said", "said"), {})[number] = (x, y)
    tracks = {name: places for name, places in sightings.items() if len(places) > 1}
    return [replace(picture, trails=_trails(picture, number, tracks)) for number, picture in enumerate(shown)]


def _trails(
    picture: Picture, number: int, tracks: Mapping[tuple[str, str], Mapping[int, tuple[float, float]]]
) -> tuple[Trail, ...]:
    size = picture.width, picture.height
    return tuple(
        Trail(
            kind,
            label,
            tuple((x * size[0], y * size[1]) for x, y in places.values()),
            (places[number][0] * size[0], places[number][1] * size[1]) if number in places else None,
        )
        for (kind, label), places in tracks.items()
        if not picture.problem
    )


def _data_url(image: Image, side: int) -> str:
    small = image.copy()
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
