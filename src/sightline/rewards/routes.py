"""Rewards for a route through a transit network: whether it is right, and which of its details are.

A row names the two end stations, the number of transfers T, and the network: line name -> ordered stations.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores
from sightline.parse.routes import MOST, Route, RouteLines, Segment
from sightline.parse.stations import bare_station, station_key
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.reward import Range, Reward

ENDS = ("station_1", "station_2")
NETWORK, TRANSFERS = "json", "question_transfer_count"
# branches that tables do not list as lines of their own
_SAME_LINE = (("八通", "Line 1"), ("大兴", "Line 4"))
Routes = Callable[[str], Route | Missing]


class Network(NamedTuple):
    """Line name -> the keys of its stations."""

    lines: Mapping[str, frozenset[str]]

    def line(self, name: str) -> frozenset[str] | None:
        """The stations of a line, by its exact name; branches are read as the line they belong to."""
        for part, whole in _SAME_LINE:
            if part in name:
                name = whole
        return self.lines.get(name.strip())


class Asked(NamedTuple):
    """What a route is asked for: keys of both end stations, and the network."""

    start: str
    end: str
    network: Network


@dataclass(frozen=True)
class RightRoute(Reward):
    """Whether the route leads from one station to the other on lines that exist.

    value = 1 if the first departure and the last arrival are the end stations, every line exists, both stops of every
    segment lie on its line, and every arrival is the next departure; else 0. The order of stops on a line does not
    matter.

    Args:
        route: text -> route or Missing.

    Reads: `station_1`, `station_2`, `json` (line name -> stations, that as JSON, or a file that holds it).
    Range: 0 or 1. Low: 0 with what is wrong; more than 100 segments are never right.

    Raises:
        ColumnError: a network cannot be read, or a station is no text.

    Example:
        >>> said = "Route Name: Line 1\\nDeparture Stop: Alpha\\nArrival Stop: Delta"
        >>> network = {"Line 1": ["Alpha", "Beta", "Delta Station"]}
        >>> RightRoute()(Batch([said], {"station_1": ["Alpha"], "station_2": ["delta"], "json": [network]})).values
        array([1.])

    References:
        Feng et al., RewardMap, arXiv 2510.02240.
    """

    route: Routes = RouteLines()
    reads: ClassVar = (*ENDS, NETWORK)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{k: v for k, v in row.items() if k != TRANSFERS} for row in route_rows()]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        asked(batch, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(self.route)
        wanted = asked(batch, type(self).__name__)
        return Scores.from_rows([self._one(*row) for row in zip(found, wanted, strict=True)])

    def _one(self, found: Route | Missing, wanted: Asked) -> Score:
        if isinstance(found, Missing):
            return Score(0.0, found.why)
        wrong = wrong_in(found, wanted)
        return Score(float(not wrong), wrong)


@dataclass(frozen=True)
class RouteDetail(Reward):
    """Points for the parts of a route that are right, so that a route that fails as a whole still earns something.

    0 if the end stations are wrong. Else 2, and for each segment i of m, T being the number of transfers:
    -5 beyond the wanted number of segments; on a usable line +4 if T = 0 and it holds both end stations, +3 if T > 0;
    +1 if i <= T, i < m, both stops lie on the line and the arrival is the next departure. At most 10.

    Args:
        route: text -> route or Missing.
        spare: a segment is one too many from T + spare + 1 on; T transfers need T + 1 segments, so 1 is right. Released
            code has 0, which takes 5 from every right route.
        both_stops: a line is usable if both stops lie on it; else, as in released code, if it exists.

    Reads: `station_1`, `station_2`, `json`, `question_transfer_count` (T). Range: -500..10. Only the first 100
    segments count.

    Raises:
        ColumnError: a network cannot be read, or T is no number of transfers.

    Example:
        >>> said = "Route Name: Line 1\\nDeparture Stop: Alpha\\nArrival Stop: Delta"
        >>> columns = {"station_1": ["Alpha"], "station_2": ["Delta"], "question_transfer_count": [0]}
        >>> batch = Batch([said], {**columns, "json": [{"Line 1": ["Alpha", "Delta"]}]})
        >>> RouteDetail()(batch).values, RouteDetail(spare=0, both_stops=False)(batch).values
        (array([6.]), array([1.]))

    References:
        Feng et al., RewardMap, arXiv 2510.02240, detail reward; the corrections are ours.
    """

    route: Routes = RouteLines()
    spare: int = 1
    both_stops: bool = True
    reads: ClassVar = (*ENDS, NETWORK, TRANSFERS)
    range: ClassVar[Range] = (-5.0 * MOST, 10.0)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), route_rows()

    def check(self, batch: Batch) -> None:
        super().check(batch)
        asked(batch, type(self).__name__)
        transfers(batch, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        who = type(self).__name__
        rows = zip(batch.parse(self.route), asked(batch, who), transfers(batch, who), strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(self, found: Route | Missing, wanted: Asked, changes: int) -> Score:
        if isinstance(found, Missing):
            return Score(0.0, found.why)
        if wrong := wrong_ends(found, wanted):
            return Score(0.0, wrong)
        points = 2 + sum(self._points(found, at, wanted, changes) for at in range(len(found.segments)))
        return Score(float(min(points, 10)), f"{points} points")

    def _points(self, found: Route, at: int, wanted: Asked, changes: int) -> int:
        segment = found.segments[at]
        stations = wanted.network.line(segment.line)
        points = -5 if at >= changes + self.spare else 0
        if stations is None:
            return points
        both = rides(segment, stations)
        if both or not self.both_stops:
            points += 3 if changes else 4 * ({wanted.start, wanted.end} <= stations)
        joined = at + 1 < len(found.segments) and _meet(segment, found.segments[at + 1])
        return points + (both and joined and at < changes)


@dataclass(frozen=True)
class LookedUp(GoldReward):
    """A number for each value of a column, such as a weight for each class of difficulty.

    Args:
        column: whose values are looked up.
        numbers: (value, number) pairs.

    Reads: `column`. Range: that of the numbers.

    Raises:
        ColumnError: a value has no number.

    Example:
        >>> LookedUp("map", (("easy", 1.0), ("hard", 1.5)))(Batch(["a", "b"], {"map": ["hard", "easy"]})).values
        array([1.5, 1. ])
    """

    column: str
    numbers: tuple[tuple[str, float], ...]

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls("map", (("easy", 1.0), ("hard", 1.5))), [{"completion": "a", "map": m} for m in ("easy", "hard")]

    def bounds(self) -> Range:
        return min(number for _, number in self.numbers), max(number for _, number in self.numbers)

    def right(self, batch: Batch) -> list[float]:
        return gold(batch, self.column, type(self).__name__, self._number)

    def score(self, batch: Batch) -> Scores:
        found = self.right(batch)
        return Scores.of(np.array(found, dtype=np.float64))

    def _number(self, value: Any) -> float | Missing:
        known = dict(self.numbers)
        return known[value] if isinstance(value, str) and value in known else Missing(f"it needs one of {list(known)}")


@dataclass(frozen=True)
class NeedsTransfer(Reward):
    """Whether the asked route needs a transfer.

    value = 1 if T > 0, else 0

    Reads: `question_transfer_count` (T). Range: 0 or 1.

    Raises:
        ColumnError: T is no number of transfers.

    Example:
        >>> NeedsTransfer()(Batch(["a", "b"], {"question_transfer_count": [0, 2]})).values
        array([0., 1.])
    """

    reads: ClassVar = (TRANSFERS,)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": "a", TRANSFERS: number} for number in (0, 1, 2)]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        transfers(batch, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        return Scores.of(np.array([float(number > 0) for number in transfers(batch, type(self).__name__)]))


def wrong_ends(found: Route, wanted: Asked) -> str:
    """What is wrong with the first departure and the last arrival; nothing if both are right."""
    if station_key(found.segments[0].departure) != wanted.start:
        return f"departs from {found.segments[0].departure!r:.40}"
    if station_key(found.last.arrival) != wanted.end:
        return f"arrives at {found.last.arrival!r:.40}"
    return ""


def wrong_in(found: Route, wanted: Asked) -> str:
    """The first thing that is wrong with a route; nothing if it is right."""
    if wrong := wrong_ends(found, wanted):
        return wrong
    if found.more:
        return f"more than {MOST} segments"
    for at, segment in enumerate(found.segments):
        stations = wanted.network.line(segment.line)
        if stations is None:
            return f"no line {segment.line!r:.40}"
        if not rides(segment, stations):
            return f"segment {at + 1} leaves {segment.line!r:.40}"
        if at and not _meet(found.segments[at - 1], segment):
            return f"segment {at + 1} does not depart where segment {at} arrives"
    return ""


def rides(segment: Segment, stations: frozenset[str]) -> bool:
    """Whether both stops of a segment lie on a line."""
    return station_key(segment.departure) in stations and station_key(segment.arrival) in stations


def _meet(first: Segment, second: Segment) -> bool:
    return station_key(first.arrival) == station_key(second.departure)


def asked(batch: Batch, who: str) -> list[Asked]:
    """What every row asks for.

    Raises:
        ColumnError: a station is no text, or a network cannot be read.
    """
    return batch.once(_AskedOf(who))


@dataclass(frozen=True)
class _AskedOf:
    """Derives what the rows of a batch ask for, once for all rewards that read it."""

    who: str

    def __call__(self, batch: Batch) -> list[Asked]:
        ends = [gold(batch, column, self.who, _station) for column in ENDS]
        networks = gold(batch, NETWORK, self.who, network)
        return [Asked(*row) for row in zip(*ends, networks, strict=True)]


def transfers(batch: Batch, who: str) -> list[int]:
    """The number of transfers of every row.

    Raises:
        ColumnError: a value is no such number.
    """
    return gold(batch, TRANSFERS, who, _transfers)


def _transfers(value: Any) -> int | Missing:
    whole = isinstance(value, int | float | np.number) and not isinstance(value, bool) and value >= 0
    return int(value) if whole and float(value).is_integer() else Missing("it needs a number of transfers")


def _station(value: Any) -> str | Missing:
    return station_key(value) if isinstance(value, str) and value.strip() else Missing("it needs a station's name")


def network(value: Any) -> Network | Missing:
    """A network from line name -> stations, from that as JSON, or from a file that holds it.

    Example:
        >>> sorted(network({"Line 1": ["A Station (Transfer Station)", "B"]}).lines["Line 1"])
        ['a', 'b']
    """
    if isinstance(value, str):
        text = value if value.lstrip().startswith("{") else _file(value)
        try:
            value = json.loads(text) if isinstance(text, str) else text
        except ValueError:
            return Missing("it is not JSON")
    if isinstance(value, Missing):
        return value
    if not isinstance(value, Mapping) or not value or not all(map(_is_line, value.values())):
        return Missing("it needs line name -> list of stations, that as JSON, or the path of such a file")
    return Network(
        {
            str(name).strip(): frozenset(station_key(bare_station(station)) for station in stations)
            for name, stations in value.items()
            if stations is not None  # a table's column that other rows' networks brought
        }
    )


def _is_line(stations: Any) -> bool:
    if stations is None:
        return True
    return (
        not isinstance(stations, str | Mapping)
        and hasattr(stations, "__iter__")
        and all(isinstance(station, str) for station in stations)
    )


@lru_cache(maxsize=512)
def _file(path: str) -> str | Missing:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        return Missing(f"it is no JSON and no file that can be read: {error}")


def route_rows() -> list[dict[str, Any]]:
    """Rows of every kind: right, wrong line, broken transfer, lower case, text behind, prose, too many segments."""
    lines = {
        "Line 1": ["Alpha", "Beta Station (Transfer Station)", "Gamma", "Delta"],
        "Line 2": ["Gamma", "Epsilon", "Zeta"],
        "Line 3": ["Beta", "Omega"],
    }
    first = "Route Name: Line 1\nDeparture Stop: Alpha\nArrival Stop: Gamma"
    second = "Route Name: Line 2\nDeparture Stop: Gamma Station\nArrival Stop: Zeta"
    said = (
        f"{first}\n--\n{second}",
        f"{first}\n--\n{second}\nHave a good trip.",
        f"{first}\n--\n{second}".lower(),
        f"{first.replace('Gamma', 'Zeta')}",
        f"{first.replace('Gamma', 'Beta')}\n--\n{second}",
        f"{first.replace('Line 1', 'Line 9')}\n--\n{second}",
        f"{first}\n--\n{second}\n--\n{second}\n--\n{second}",
        "Take Line 1, then Line 2.",
    )
    row = {"station_1": "Alpha", "station_2": "Zeta", TRANSFERS: 1, NETWORK: lines}
    short = {"station_1": "Alpha", "station_2": "Gamma", TRANSFERS: 0, NETWORK: json.dumps(lines)}
    return [{"completion": text, **given} for given in (row, short) for text in said]
