"""Transit maps with questions about stations and lines, and routes to plan: procedural networks, or real ones.

A network is line name -> ordered stations. What is asked, and how, follows the kinds of map questions that a curriculum
needs: yes or no, counting, planning. Knows nothing of models.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sightline.lab.worlds.splits import RowWorld, Split, row_number, row_seed
from sightline.parse.stations import bare_station

Lines = dict[str, list[str]]
KINDS = ("TorF1", "TorF2", "Counting1", "Counting2", "Counting3", "planning")
_FIRST = ("Ash", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Maple", "Oak", "Pine", "Rowan", "Willow")
_SECOND = ("field", "gate", "hill", "mere", "moor", "ton", "wick", "wood")
_INKS = ((200, 60, 60), (60, 100, 200), (60, 150, 80), (210, 140, 40), (140, 80, 170), (90, 90, 90))
STEP, ROW = 62, 46


@dataclass(frozen=True)
class Asked:
    """A question on a network: text, answer, and for planning the ends and the number of transfers."""

    text: str
    answer: int | None = None
    ends: tuple[str, str] | None = None
    transfers: int | None = None


@dataclass(frozen=True)
class Transit(RowWorld):
    """Questions on transit maps.

    Args:
        kinds: of question.
        lines: fewest and most lines of a drawn network; its difficulty follows from their number.
        networks: (name, network) pairs to ask about instead, such as `read_networks` gives; they have no picture.

    Example:
        >>> row = TRANSIT.rows(1, split="neutral", seed=3)[0]
        >>> row["type"] in KINDS, row["difficulty_city"] in ("easy", "middle", "hard"), len(row["json"]) >= 3
        (True, True, True)
    """

    kinds: tuple[str, ...] = KINDS
    lines: tuple[int, int] = (3, 5)
    networks: tuple[tuple[str, Mapping[str, tuple[str, ...]]], ...] = ()

    def _row(self, split: Split, seed: int, index: int) -> dict[str, Any]:
        rng = row_seed(seed, split, index)
        kind = str(rng.choice(self.kinds))
        city, lines = self._network(rng)
        asked = QUESTIONS[kind](lines, rng)
        image: list[dict[str, str]] = [] if self.networks else [{"type": "image"}]
        start, end = asked.ends or (None, None)
        return {
            "prompt": [{"role": "user", "content": [*image, {"type": "text", "text": asked.text}]}],
            "images": [] if self.networks else [drawn(lines)],
            "type": kind,
            "answer": asked.answer,
            "station_1": start,
            "station_2": end,
            "question_transfer_count": asked.transfers,
            "difficulty_city": "easy" if len(lines) <= 3 else "middle" if len(lines) == 4 else "hard",
            "json": lines,
            "truth": {"city": city, "stations": sum(map(len, lines.values()))},
            "world": "transit",
            "kind": kind,
            "seed": seed,
            "row": row_number(seed, split, index),
        }

    def _network(self, rng: np.random.Generator) -> tuple[str, Lines]:
        if self.networks:
            city, lines = self.networks[int(rng.integers(len(self.networks)))]
            return city, {name: list(stations) for name, stations in lines.items()}
        return "drawn", grown(int(rng.integers(self.lines[0], self.lines[1] + 1)), rng)


def grown(count: int, rng: np.random.Generator) -> Lines:
    """A connected network: every line but the first crosses an earlier one at one station."""
    names = [f"{a}{b}" for a in _FIRST for b in _SECOND]
    free = iter(rng.permutation(names).tolist())
    lines: Lines = {}
    for number in range(1, count + 1):
        stations = [next(free) for _ in range(int(rng.integers(3, 6)))]
        if lines:
            crossed = list(lines.values())[int(rng.integers(len(lines)))]
            stations.insert(int(rng.integers(len(stations) + 1)), crossed[int(rng.integers(len(crossed)))])
        lines[f"Line {number}"] = stations
    return lines


def transfers_between(lines: Mapping[str, list[str]], start: str, end: str) -> int | None:
    """Fewest transfers of a ride, or None if there is none.

    Example:
        >>> transfers_between({"1": ["a", "b"], "2": ["b", "c"], "3": ["d"]}, "a", "c")
        1
    """
    reached = {name for name, stations in lines.items() if start in stations}
    seen, changes = set(reached), 0
    while reached:
        if any(end in lines[name] for name in reached):
            return changes
        stops = {station for name in reached for station in lines[name]}
        reached = {name for name, stations in lines.items() if name not in seen and stops & set(stations)}
        seen |= reached
        changes += 1
    return None


def _pick(values: list[str], rng: np.random.Generator) -> str:
    return values[int(rng.integers(len(values)))]


def _stations(lines: Lines) -> list[str]:
    return sorted({station for stations in lines.values() for station in stations})


def on_line(lines: Lines, rng: np.random.Generator) -> Asked:
    """Whether a station lies on a line; as often as not."""
    name = _pick(sorted(lines), rng)
    others = [station for station in _stations(lines) if station not in lines[name]]
    station = _pick(lines[name] if rng.random() < 0.5 or not others else others, rng)
    return Asked(f"Is {station} on {name}?", int(station in lines[name]))


def direct_ride(lines: Lines, rng: np.random.Generator) -> Asked:
    """Whether two stations lie on one line."""
    name = _pick(sorted(lines), rng)
    start = _pick(lines[name], rng)
    end = _pick([s for s in (lines[name] if rng.random() < 0.5 else _stations(lines)) if s != start], rng)
    direct = any(start in stations and end in stations for stations in lines.values())
    return Asked(f"Can one ride from {start} to {end} without changing?", int(direct))


def lines_at(lines: Lines, rng: np.random.Generator) -> Asked:
    """How many lines, one to four, stop at a station; the answer is the option's place."""
    station = _pick(_stations(lines), rng)
    number = min(4, sum(station in stations for stations in lines.values()))
    return Asked(f"How many lines stop at {station}? (A) 1 (B) 2 (C) 3 (D) 4 or more", number - 1)


def stops_between(lines: Lines, rng: np.random.Generator) -> Asked:
    """How many stops lie between two stations of a line."""
    name = _pick(sorted(lines), rng)
    first, second = rng.choice(len(lines[name]), 2, replace=False).tolist()
    text = f"How many stops lie between {lines[name][first]} and {lines[name][second]} on {name}?"
    return Asked(text, abs(first - second) - 1)


def stations_on(lines: Lines, rng: np.random.Generator) -> Asked:
    """How many stations a line has."""
    name = _pick(sorted(lines), rng)
    return Asked(f"How many stations does {name} have?", len(lines[name]))


def planning(lines: Lines, rng: np.random.Generator) -> Asked:
    """A route between two stations that a ride connects."""
    while True:
        start, end = rng.choice(_stations(lines), 2, replace=False).tolist()
        changes = transfers_between(lines, start, end)
        if changes is not None:
            return Asked(f"How does one get from {start} to {end}?", None, (start, end), changes)


QUESTIONS: Mapping[str, Callable[[Lines, np.random.Generator], Asked]] = {
    "TorF1": on_line,
    "TorF2": direct_ride,
    "Counting1": lines_at,
    "Counting2": stops_between,
    "Counting3": stations_on,
    "planning": planning,
}


def drawn(lines: Lines) -> Image.Image:
    """A schematic map: a row for each line, a dashed tie where two rows show the same station."""
    longest = max(map(len, lines.values()))
    picture = Image.new("RGB", (60 + STEP * longest, 16 + ROW * len(lines)), (255, 255, 255))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(9)
    places: dict[str, tuple[int, int]] = {}
    for row, (name, stations) in enumerate(lines.items()):
        y = 18 + ROW * row
        pen.text((2, y - 6), name, fill=_INKS[row % len(_INKS)], font=font)
        pen.line((60, y, 60 + STEP * (len(stations) - 1), y), fill=_INKS[row % len(_INKS)], width=3)
        for at, station in enumerate(stations):
            x = 60 + STEP * at
            if station in places:
                pen.line((*places[station], x, y), fill=(170, 170, 170))
            places.setdefault(station, (x, y))
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=(255, 255, 255), outline=(0, 0, 0))
            pen.text((x - 18, y + 5), station, fill=(0, 0, 0), font=font)
    return picture


def read_networks(folder: str | Path) -> tuple[tuple[str, Mapping[str, tuple[str, ...]]], ...]:
    """The networks of a folder of JSON files, line name -> stations, by file name; remarks on transfers are removed.

    Lines without stations are left out.
    """
    found = []
    for path in sorted(Path(folder).rglob("*.json")):
        lines = json.loads(path.read_text("utf-8"))
        named = {name.strip(): tuple(bare_station(station) for station in stations) for name, stations in lines.items()}
        found.append((path.stem, {name: stations for name, stations in named.items() if len(stations) > 1}))
    return tuple(found)


TRANSIT = Transit()
