r"""Where and when a policy says it saw something: `<obj>dog</obj><box>[1, 2, 3, 4]</box>at<t>0.5</t>s`.

Pieces of a sighting touch each other. Boxes are returned as written, corners unsorted, pixels or 0..1: this module does
not know the picture. All expressions are linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from typing import Any, Literal, NamedTuple

from sightline.core.missing import Missing
from sightline.parse.boxes import is_box
from sightline.parse.json import load
from sightline.parse.motion import object_key

MOST_SIGHTINGS = 1024
_SIGHTING = re.compile(r"<obj>([^<]*+)</obj>((?:<box>\[[^\]<]*+\]</box>)++)at<t>([^<]*+)</t>s")
_LIST = re.compile(r"\[[^\]]*+\]")
_TIME = re.compile(r"<t>([\d.]++)</t>s")
_INTERVAL = re.compile(r"<t>(\d++(?:\.\d*+)?+)</t>s to <t>(\d++(?:\.\d*+)?+)</t>s")
_BOX = re.compile(r"<box>(\[[^\]<]*+\])</box>")
XYXY = tuple[float, float, float, float]


class Sighting(NamedTuple):
    """One sighting.

    Args:
        key: the object's name as it is compared.
        boxes: xyxy as written, None in the place of a list that is no box.
        seconds: when.
        start, end: its place in the text.
        breaks: its first list is one that released code breaks on: it holds something else than numbers, or numbers in
            0..1 that are not four.
    """

    key: str
    boxes: tuple[XYXY | None, ...]
    seconds: float
    start: int
    end: int
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Sightings:
    """The sightings of a text in the order they were written; at most 1,024 are read.

    Lists that are not JSON and times that are not finite numbers make no sighting.

    Args:
        bad_box: what becomes of a sighting with a list that is not four finite numbers: it is no sighting (`skip`), or
            one with None in the place of that box (`keep`).

    Example:
        >>> said = "<obj>Dog</obj><box>[1, 2, 3, 4]</box>at<t>0.5</t>s <obj>dog</obj><box>[1, 2]</box>at<t>1</t>s"
        >>> [(s.key, s.boxes, s.seconds) for s in Sightings()(said)]
        [('dog', ((1.0, 2.0, 3.0, 4.0),), 0.5)]
    """

    bad_box: Literal["skip", "keep"] = "skip"

    def __call__(self, text: str) -> list[Sighting]:
        found = (self._one(match) for match in islice(_SIGHTING.finditer(text), MOST_SIGHTINGS))
        return [one for one in found if one is not None]

    def _one(self, match: re.Match[str]) -> Sighting | None:
        seconds = _seconds(match[3])
        lists = [load(text) for text in _LIST.findall(match[2])]
        if seconds is None or any(isinstance(one, Missing) for one in lists):
            return None
        boxes = tuple(_box(one) for one in lists)
        if self.bad_box == "skip" and None in boxes:
            return None
        return Sighting(object_key(match[1]), boxes, seconds, match.start(), match.end(), _breaks(lists[0]))


def cited_times(text: str) -> list[float]:
    """Every `<t>x</t>s`, in seconds; what is no number is left out, and so is everything behind the first 1,024.

    Example:
        >>> cited_times("at <t>0.5</t>s, <t>1.2.3</t>s and <t>2</t>s")
        [0.5, 2.0]
    """
    found = (_seconds(match[1]) for match in islice(_TIME.finditer(text), MOST_SIGHTINGS))
    return [one for one in found if one is not None]


def interval(text: str) -> tuple[float, float] | Missing:
    """The first `<t>a</t>s to <t>b</t>s`, in seconds.

    Example:
        >>> interval("From <t>1</t>s to <t>2.5</t>s."), interval("From 1 to 2").why
        ((1.0, 2.5), 'no <t>a</t>s to <t>b</t>s')
    """
    found = _INTERVAL.search(text)
    start, end = (None, None) if found is None else (_seconds(found[1]), _seconds(found[2]))
    return Missing("no <t>a</t>s to <t>b</t>s") if start is None or end is None else (start, end)


def tagged_box(text: str) -> XYXY | Missing:
    """The box of the first `<box>[x1, y1, x2, y2]</box>`.

    Example:
        >>> tagged_box("<box>[1, 2, 3.5, 4]</box>"), tagged_box("[1, 2, 3, 4]").why
        ((1.0, 2.0, 3.5, 4.0), 'no <box>[..]</box>')
    """
    found = _BOX.search(text)
    if found is None:
        return Missing("no <box>[..]</box>")
    box = _box(load(found[1]))
    return Missing("the box is not four finite numbers") if box is None else box


def _seconds(text: str) -> float | None:
    try:
        value = float(text) if len(text) <= 64 else float("nan")
    except ValueError:
        return None
    return value if isfinite(value) else None


def _box(listed: Any) -> XYXY | None:
    if not is_box(listed):
        return None
    a, b, c, d = map(float, listed)
    return a, b, c, d


def _breaks(listed: Any) -> bool:
    for number in listed:
        if not isinstance(number, int | float):
            return True
        if not 0 <= number <= 1:
            return False
    return len(listed) != 4
