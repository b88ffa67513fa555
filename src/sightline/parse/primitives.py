"""A diagram in words: `Point: A: (1, 2) Line: (0, 0) -- (3, 4) Circle: (0, 0, 5)`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sightline.core.primitives import Pair, Primitives

LARGEST = 1e6  # no coordinate of a frame of -10..10
_HEAD = re.compile(r"\b(point|line|circle)s?[ \t]{0,3}:", re.IGNORECASE)
_NUMBER = r"\s{0,9}([-+]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,3})?)\s{0,9}"
_PAIR = re.compile(rf"\({_NUMBER},{_NUMBER}\)", re.ASCII)
_TRIPLE = re.compile(rf"\({_NUMBER},{_NUMBER},{_NUMBER}\)", re.ASCII)
_LABEL = r"\$?(?:point\s{1,3})?[A-Za-z]\w{0,7}['′]{0,2}\s{0,9}"
_JOINED = re.compile(rf"\$?\s{{0,9}}(?:{_LABEL}--|--\s{{0,9}}(?:{_LABEL}[:=]?)?)\s{{0,9}}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PrimitiveText:
    """The primitives that a text lists.

    A section goes from `Point:`, `Line:` or `Circle:` (any case, or the plural) to the next such head. Points are all
    parenthesised pairs, circles all parenthesised triples of their sections; pairs joined by `--` are one line, which
    needs two different points. A label before or behind a pair is not read. What is malformed is skipped: other
    entries, numbers beyond 1e6, negative radii. No section: no primitives.

    Example:
        >>> PrimitiveText()("Point: A: (1, 2), B (3, x) Line: A(0, 0) -- B(3, 4) (7, 7) Circle: (0, 0, 5)")
        Primitives(points=((1.0, 2.0),), lines=(((0.0, 0.0), (3.0, 4.0)),), circles=((0.0, 0.0, 5.0),))

    References:
        CogFlow, arXiv 2601.01874, its WATCHING stage; the grammar is ours.
    """

    def __call__(self, text: str) -> Primitives:
        points: list[Pair] = []
        lines: list[tuple[Pair, ...]] = []
        circles: list[tuple[float, float, float]] = []
        for kind, start, end in _sections(text):
            if kind == "point":
                points += [pair for pair, _, _ in _pairs(text, start, end)]
            elif kind == "line":
                lines += _lines(text, start, end)
            else:
                circles += _circles(text, start, end)
        return Primitives(tuple(points), tuple(lines), tuple(circles))


def _sections(text: str) -> Iterator[tuple[str, int, int]]:
    heads = list(_HEAD.finditer(text))
    for number, head in enumerate(heads, 1):
        end = heads[number].start() if number < len(heads) else len(text)
        yield head[1].lower(), head.end(), end


def _pairs(text: str, start: int, end: int) -> list[tuple[Pair, int, int]]:
    found = [((float(m[1]), float(m[2])), m.start(), m.end()) for m in _PAIR.finditer(text, start, end)]
    return [one for one in found if max(map(abs, one[0])) <= LARGEST]


def _lines(text: str, start: int, end: int) -> list[tuple[Pair, ...]]:
    pairs = _pairs(text, start, end)
    runs: list[list[Pair]] = [[pairs[0][0]]] if pairs else []
    for (_, _, stop), (pair, begin, _) in pairwise(pairs):
        if _JOINED.fullmatch(text, stop, begin):
            runs[-1].append(pair)
        else:
            runs.append([pair])
    return [tuple(run) for run in runs if len(set(run)) > 1]


def _circles(text: str, start: int, end: int) -> list[tuple[float, float, float]]:
    found = [(float(m[1]), float(m[2]), float(m[3])) for m in _TRIPLE.finditer(text, start, end)]
    return [one for one in found if max(map(abs, one)) <= LARGEST and one[2] >= 0]
