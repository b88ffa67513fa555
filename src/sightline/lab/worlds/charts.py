"""Bar, line and pie charts with the exact table, a question, and whether rebuilding the table is the way to answer it.

Small pictures drawn by hand; knows nothing of models. Bars and lines have an axis to read values from; a pie has
none, so its shares can only be compared by eye.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sightline.lab.worlds.splits import RowWorld, Split, row_number, row_seed

KINDS = ("bar", "line", "pie")
THINGS = ("Apples", "Pears", "Plums", "Figs", "Limes", "Dates")
INKS = ((66, 114, 196), (226, 120, 51), (80, 160, 80), (190, 70, 80), (140, 100, 180), (130, 90, 70))
SIZE = (200, 140)
TOP = 100


@dataclass(frozen=True)
class Asked:
    """A question on a table: its text, its answer, and whether it needs values (or an order only)."""

    text: str
    answer: str
    needs_values: bool


@dataclass(frozen=True)
class Charts(RowWorld):
    """Charts of three to five values between 5 and 100.

    Args:
        kinds: of chart.
        values: fewest and most values of a chart.

    Example:
        >>> row = CHARTS.rows(1, split="neutral", seed=2)[0]
        >>> row["csv"].splitlines()[0], row["label"] in ("CODE", "DIRECT"), row["images"][0].size
        ('Fruit,Sold', True, (200, 140))
    """

    kinds: tuple[str, ...] = KINDS
    values: tuple[int, int] = (3, 5)

    def _row(self, split: Split, seed: int, index: int) -> dict[str, Any]:
        rng = row_seed(seed, split, index)
        kind = str(rng.choice(self.kinds))
        count = int(rng.integers(self.values[0], self.values[1] + 1))
        names = rng.permutation(THINGS)[:count].tolist()
        values = (rng.permutation(np.arange(5, TOP + 1))[:count]).tolist()
        asked = QUESTIONS[int(rng.integers(len(QUESTIONS)))](names, values, rng)
        label = "CODE" if kind != "pie" and asked.needs_values else "DIRECT"
        table = "\n".join(["Fruit,Sold", *(f"{name},{value}" for name, value in zip(names, values, strict=True))])
        return {
            "prompt": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": asked.text}]}],
            "images": [drawn(kind, names, values)],
            "answer": asked.answer,
            "problem_type": "numerical" if asked.needs_values else "free-form",
            "csv": table,
            "label": label,
            "truth": {"size": list(SIZE), "names": names, "values": values, "needs_values": asked.needs_values},
            "world": "charts",
            "kind": kind,
            "seed": seed,
            "row": row_number(seed, split, index),
        }


def total(names: list[str], values: list[int], rng: np.random.Generator) -> Asked:
    """The sum of all values."""
    return Asked("How many were sold in all?", str(sum(values)), True)


def difference(names: list[str], values: list[int], rng: np.random.Generator) -> Asked:
    """How far two of the things are apart."""
    first, second = rng.permutation(len(names))[:2].tolist()
    return Asked(
        f"By how much do {names[first]} and {names[second]} differ?", str(abs(values[first] - values[second])), True
    )


def largest(names: list[str], values: list[int], rng: np.random.Generator) -> Asked:
    """Which thing has the largest value."""
    return Asked("Which was sold most?", names[int(np.argmax(values))], False)


def smaller(names: list[str], values: list[int], rng: np.random.Generator) -> Asked:
    """Which of two things has the smaller value."""
    first, second = rng.permutation(len(names))[:2].tolist()
    least = first if values[first] < values[second] else second
    return Asked(f"Which was sold less, {names[first]} or {names[second]}?", names[least], False)


QUESTIONS: tuple[Callable[[list[str], list[int], np.random.Generator], Asked], ...] = (
    total,
    difference,
    largest,
    smaller,
)


def drawn(kind: str, names: list[str], values: list[int]) -> Image.Image:
    """The chart, with names under it and, for bars and lines, an axis from 0 to 100."""
    picture = Image.new("RGB", SIZE, (255, 255, 255))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(9)
    if kind == "pie":
        start = -90.0
        for at, (name, value) in enumerate(zip(names, values, strict=True)):
            end = start + 360 * value / sum(values)
            pen.pieslice((20, 20, 120, 120), start, end, fill=INKS[at])
            pen.rectangle((135, 20 + 20 * at, 145, 30 + 20 * at), fill=INKS[at])
            pen.text((150, 19 + 20 * at), name, fill=(0, 0, 0), font=font)
            start = end
        return picture
    left, base, high = 26, 118, 100
    for tick in range(0, TOP + 1, 25):
        pen.line((left - 3, base - tick, SIZE[0] - 4, base - tick), fill=(210, 210, 210))
        pen.text((2, base - tick - 6), str(tick), fill=(90, 90, 90), font=font)
    step = (SIZE[0] - left - 8) / len(names)
    tops = [(left + step * (at + 0.5), base - value * high / TOP) for at, value in enumerate(values)]
    for at, (x, y) in enumerate(tops):
        if kind == "bar":
            pen.rectangle((x - step * 0.3, y, x + step * 0.3, base), fill=INKS[0])
        else:
            pen.ellipse((x - 2, y - 2, x + 2, y + 2), fill=INKS[0])
        pen.text((x - step * 0.4, base + 4), names[at], fill=(0, 0, 0), font=font)
    if kind == "line":
        pen.line(tops, fill=INKS[0], width=2)
    return picture


CHARTS = Charts()
