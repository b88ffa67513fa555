"""A route as a policy writes it: segments separated by `--`, each with a line, a departure and an arrival.

Names are kept as they were said. Knows no network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from sightline.core.missing import Missing

MOST = 100  # segments that are kept
WRONG = "Wrong"  # what a key without a value stands for in released code
_KEYS = ("Route Name", "Departure Stop", "Arrival Stop")
_SHORTEST = sum(len(key) + 1 for key in _KEYS)
_LINES = tuple(re.compile(rf"^[ \t]*+{key}[ \t]*+:(.*)$", re.MULTILINE | re.IGNORECASE | re.ASCII) for key in _KEYS)
_TIGHT = tuple(re.compile(rf"{key}: (.*)\n") for key in _KEYS[:2])


class Segment(NamedTuple):
    """A ride on one line."""

    line: str
    departure: str
    arrival: str


class Route(NamedTuple):
    """The first segments, at most 100, and the last one.

    Args:
        segments: in order.
        more: whether there are more.
        last: the last of all.
    """

    segments: tuple[Segment, ...]
    more: bool
    last: Segment


@dataclass(frozen=True, slots=True)
class RouteLines:
    """The segments of a text, each key at the beginning of a line, in any case, its value the rest of that line.

    In a section the first line of each key counts; a section without all three is left out.

    Example:
        >>> text = "Take:\\nroute name: Line 1\\nDeparture Stop : A\\nArrival Stop: B\\nHave a nice trip."
        >>> found = RouteLines()(text)
        >>> found.segments
        (Segment(line='Line 1', departure='A', arrival='B'),)
        >>> RouteLines()("Take Line 1 from A to B.").why
        'no section with a line, a departure and an arrival'
    """

    def __call__(self, text: str) -> Route | Missing:
        return _route(text.split("--"), _by_lines)


@dataclass(frozen=True, slots=True)
class TightRoute:
    """The segments of a text as released code finds them.

    Keys have exactly this case; line and departure stand behind a colon and one blank and end at a newline, without
    either they are "Wrong"; the arrival is all that follows the last `Arrival Stop:` of its section.

    Example:
        >>> TightRoute()("Route Name: Line 1\\nDeparture Stop: A\\nArrival Stop: B\\nBye.").segments
        (Segment(line='Line 1', departure='A', arrival='B\\nBye.'),)
    """

    def __call__(self, text: str) -> Route | Missing:
        return _route(text.split("--"), _tight)


def _by_lines(section: str) -> Segment | None:
    if section.count(":") < len(_KEYS):
        return None
    found = [line.search(section) for line in _LINES]
    values = [match[1].strip() for match in found if match is not None]
    return Segment(*values) if len(values) == len(_KEYS) else None


def _tight(section: str) -> Segment | None:
    if not all(f"{key}:" in section for key in _KEYS):
        return None
    line, departure = ((match[1].strip() if (match := key.search(section)) else WRONG) for key in _TIGHT)
    return Segment(line, departure, section.rpartition("Arrival Stop:")[2].strip())


def _route(sections: Sequence[str], read: Callable[[str], Segment | None]) -> Route | Missing:
    sections = [section for section in sections if len(section) >= _SHORTEST]
    found = list(islice((segment for section in sections if (segment := read(section)) is not None), MOST + 1))
    if not found:
        return Missing("no section with a line, a departure and an arrival")
    more = len(found) > MOST
    # of a flood only the beginning and the end are read
    last = next(s for section in reversed(sections) if (s := read(section)) is not None) if more else found[-1]
    return Route(tuple(found[:MOST]), more, last)
