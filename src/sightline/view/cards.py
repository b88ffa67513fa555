"""One rollout as a page shows it, whichever page: pictures, text, parts as bars, marks, what its judge was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sightline.core.rollout import policy_text
from sightline.core.scores import ABSTAIN, ERROR
from sightline.rewards.algebra import NOT_EVALUATED
from sightline.view.charts import number
from sightline.view.pictures import MOST, SIDE, Picture, pictures, shared_frame, strengths
from sightline.view.questions import Asked
from sightline.view.results import MEASURES, Results, given
from sightline.view.texts import Claim, Said, claims, prompt_text, turns

TRUTH = ("answer", "solution", "ground_truth")
SHOWN_APART = ("prompt", "completion", "marks", "images", "image", "video", "videos", "reward", "why", "group", "row")
LONGEST = 400  # characters of a column of the data
QUOTED = 60  # characters of a mark's text
MOST_MARKS = 60  # of a rollout that are listed
IN_LINE = ("step", "token", "second")  # units of marks that are drawn along a line


@dataclass(frozen=True)
class Bar:
    """One part of a reward as a bar.

    Args:
        value: as it is written; a dash for none.
        why: its reason.
        state: scored, abstained, failed or closed (behind a closed gate).
        left, width: where the bar lies, in percent of the range of the part over all rollouts.
        zero: where 0 lies.
        negative: whether it is below 0.
    """

    name: str
    value: str
    why: str
    state: str
    left: float = 0.0
    width: float = 0.0
    zero: float = 0.0
    negative: bool = False


@dataclass(frozen=True)
class Listed:
    """One mark in words.

    Args:
        number: among all marks of the rollout.
        place: the text it marks, or its coordinates.
        left, width: percent along its line, for marks of steps, tokens and seconds.
    """

    number: int
    unit: str
    kind: str
    value: str
    why: str
    place: str
    strength: float
    left: float = 0.0
    width: float = 0.0


@dataclass(frozen=True)
class Card:
    """One rollout as it is shown."""

    row: int
    place: str
    kind: str
    reward: str
    why: str
    bars: tuple[Bar, ...]
    prompt: str
    turns: tuple[Said, ...]
    pictures: tuple[Picture, ...]
    claims: tuple[Claim, ...]
    truth: str
    marks: tuple[Listed, ...]
    lines: tuple[tuple[str, tuple[Listed, ...]], ...]
    measures: tuple[tuple[str, str], ...]
    data: tuple[tuple[str, str], ...]
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True)
class Scales:
    """The range of every part over all rollouts, 0 included: what bars are drawn against."""

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, *results: Results) -> Scales:
        """One scale per part for all results, so that their bars can be compared."""
        found: dict[str, tuple[float, float]] = {}
        for part in (part for one in results for part in one.parts):
            known = part.known
            low, high = found.get(part.name, (0.0, 0.0))
            if len(known):
                found[part.name] = min(low, float(known.min())), max(high, float(known.max()))
        return cls(found)

    def bar(self, name: str, value: float | None, why: str) -> Bar:
        """A value as a bar.

        Example:
            >>> bar = Scales({"iou": (-1.0, 1.0)}).bar("iou", 0.5, "fits")
            >>> bar.left, bar.width, bar.zero
            (50.0, 25.0, 50.0)
        """
        if value is None or value != value:
            state = "failed" if why.startswith(ERROR) else "closed" if why.startswith(NOT_EVALUATED) else "abstained"
            return Bar(name, "–", why.removeprefix(ABSTAIN).removeprefix(ERROR), state)
        low, high = self.ranges.get(name, (0.0, 1.0))
        span = (high - low) or 1.0
        zero, at = -low / span * 100, (min(max(value, low), high) - low) / span * 100
        left, width = min(zero, at), abs(at - zero)
        return Bar(name, number(value), why, "scored", round(left, 2), round(width, 2), round(zero, 2), value < 0)


def card(
    row: dict[str, Any],
    index: int,
    names: Sequence[str],
    scales: Scales,
    shown: Sequence[Picture],
    kind: str = "",
    asked: Sequence[Asked] = (),
    whole: bool = False,
) -> Card:
    """A row as a card.

    Args:
        index: its number among all rollouts.
        names: the parts.
        shown: its pictures, see `pictures`.
        kind: worst, best, unscored or nothing.
        asked: what its judge was asked.
        whole: whether long texts are shown whole.
    """
    marks = row.get("marks") or []
    completion = row.get("completion") or ""
    text = policy_text(completion)
    truth = next((found for name in TRUTH if (found := given(row, name)) not in (None, "")), "")
    listed = _listed(marks, text)
    return Card(
        row=index,
        place=place(index, row),
        kind=kind,
        reward=number(row["reward"]),
        why=row["why"] or "",
        bars=tuple(scales.bar(name, row.get(name), row.get(f"why_{name}") or "") for name in names),
        prompt=prompt_text(row.get("prompt")) or str(row.get("question") or row.get("problem") or ""),
        turns=tuple(turns(completion, marks, whole)) if "completion" in row else (),
        pictures=tuple(shown),
        claims=tuple(claims(row, text)),
        truth=truth if isinstance(truth, str) else _written(truth),
        marks=listed,
        lines=_lines(listed),
        measures=tuple(
            (name, number(row[name]))
            for name in MEASURES
            if name not in names and isinstance(row.get(name), int | float)
        ),
        data=tuple(_data(row, names)),
        asked=tuple(asked),
    )


def cards(
    results: Results, chosen: Sequence[tuple[str, int]], scales: Scales, side: int = SIDE, most: int = MOST
) -> list[Card]:
    """(kind, number) of some rollouts as cards."""
    rows = results.rows([row for _, row in chosen])
    names = results.shown
    folders, frame = results.folders(), shared_frame(rows)
    return [
        card(row, index, names, scales, pictures(row, folders, frame, side, most), kind)
        for (kind, index), row in zip(chosen, rows, strict=True)
    ]


def place(index: int, row: Mapping[str, Any]) -> str:
    """Where a rollout stands: its step, row, element and group, as far as they are known."""
    known = {name: given(row, name) for name in ("step", "row", "element", "group")}
    return ", ".join(f"{name} {value}" for name, value in known.items() if value is not None) or f"row {index}"


def short_place(index: int, row: Mapping[str, Any]) -> str:
    """The same for a list, where groups follow each other.

    Example:
        >>> short_place(5, {"step": 2, "row": 17, "group": "train-2-0"}), short_place(5, {})
        ('step 2 · 17', 'row 5')
    """
    at = "row" if row.get("step") is None else f"step {row['step']} ·"
    element = "" if row.get("element") is None else f".{row['element']}"
    return f"{at} {row.get('row', index)}{element}"


def _listed(marks: Sequence[Mapping[str, Any]], text: str) -> tuple[Listed, ...]:
    """Marks in words, those of one place together, each as strong as among those of its unit."""
    strong: dict[int, float] = {}
    for unit in {mark["unit"] for mark in marks}:
        mine = [at for at, mark in enumerate(marks) if mark["unit"] == unit]
        strong.update(zip(mine, strengths([marks[at]["value"] for at in mine]), strict=True))
    ends = {
        unit: max((m["place"][-1] for m in marks if m["unit"] == unit and m["place"]), default=1) for unit in IN_LINE
    }
    spots = [(mark["unit"], tuple(mark["place"])) for mark in marks]
    together = sorted(range(len(marks)), key=lambda at: spots.index(spots[at]))[:MOST_MARKS]
    return tuple(
        _one(at, marks[at], text, strong[at], max(float(ends.get(marks[at]["unit"], 1)), 1e-9)) for at in together
    )


def _one(at: int, mark: Mapping[str, Any], text: str, strength: float, end: float) -> Listed:
    spot = list(mark["place"])
    if mark["unit"] == "char" and len(spot) == 2:
        quoted = " ".join(text[max(0, int(spot[0])) : max(0, int(spot[1]))].split())
        where = f"“{quoted[:QUOTED]}{'…' if len(quoted) > QUOTED else ''}”"
    else:
        where = ", ".join(f"{coordinate:.4g}" for coordinate in spot)
    along = mark["unit"] in IN_LINE and len(spot) == 2
    if along:
        where = f"{spot[0]:.4g} to {spot[1]:.4g}"
    left, width = (100 * spot[0] / end, 100 * (spot[1] - spot[0]) / end) if along else (0.0, 0.0)
    kind = "hit" if mark["value"] > 0 else "miss"
    return Listed(
        at,
        mark["unit"],
        kind,
        number(mark["value"]),
        mark["why"] or "",
        where,
        strength,
        round(left, 2),
        round(width, 2),
    )


def _lines(marks: Sequence[Listed]) -> tuple[tuple[str, tuple[Listed, ...]], ...]:
    of_unit = [(unit, tuple(mark for mark in marks if mark.unit == unit)) for unit in IN_LINE]
    return tuple((unit, mine) for unit, mine in of_unit if mine)


def _data(row: Mapping[str, Any], parts: Sequence[str]) -> list[tuple[str, str]]:
    """The columns that are not shown elsewhere, in words."""
    apart = {*SHOWN_APART, *MEASURES, *parts, *(f"why_{part}" for part in parts)}
    return [
        (name.removeprefix("given_"), _written(value))
        for name, value in row.items()
        if name not in apart and value is not None
    ]


def _written(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_bytes)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … {len(text):,} characters"


def _bytes(value: Any) -> str:
    return f"<{len(value):,} bytes>" if isinstance(value, bytes) else str(value)
