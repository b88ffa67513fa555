"""From places in a text to tokens: quoted spans, steps and claims as masks and rewards over (B, T).

A span is (start, end, value) with characters [start, end) of a rollout's text. Offsets are those of `Tokens`: the
characters of each token, -1 where a token stands for none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline.core.marks import Marks

Occurrence = Literal["all", "first"]


class Placed(NamedTuple):
    """Characters [start, end) with a value."""

    start: int
    end: int
    value: float = 1.0


Spans = Sequence[Sequence[Placed]]


def locate(text: str, quote: str, occurrence: Occurrence = "all") -> list[tuple[int, int]]:
    """Where a quote stands in a text, exactly as written; occurrences do not overlap.

    Args:
        occurrence: every one, or the first.

    Returns: [start, end) of each; nothing for an empty quote.

    Example:
        >>> locate("a cup, the cup", "cup"), locate("a cup", "mug")
        ([(2, 5), (11, 14)], [])
    """
    found: list[tuple[int, int]] = []
    start = text.find(quote) if quote else -1
    while start >= 0:
        found.append((start, start + len(quote)))
        start = text.find(quote, start + len(quote)) if occurrence == "all" else -1
    return found


def spans_of(marks: Marks, unit: str = "char") -> list[list[Placed]]:
    """The marks of one unit as spans, per rollout.

    Example:
        >>> from sightline.core.marks import Mark
        >>> spans_of([(Mark("char", (2, 5), -1.0),), ()])
        [[Placed(start=2, end=5, value=-1.0)], []]
    """
    return [[_placed(mark.place, mark.value) for mark in row if mark.unit == unit] for row in marks]


def covered(offsets: NDArray[np.int64], spans: Spans) -> list[list[tuple[int, int]]]:
    """The tokens [first, last) of every span.

    The first is the one that holds the span's first character, or the next one if none does; the last is followed by
    the first token that begins at or behind the span's end. A span behind the last token has no tokens, and neither
    has one without characters.

    Args:
        offsets: (B, T, 2).

    Example:
        >>> offsets = np.array([[[0, 1], [2, 5], [6, 9], [9, 10]]])
        >>> covered(offsets, [[Placed(3, 8), Placed(5, 6)]])
        [[(1, 3), (2, 2)]]
    """
    return [[_covered(row, span) for span in own] for row, own in zip(offsets, spans, strict=True)]


def span_mask(offsets: NDArray[np.int64], spans: Spans) -> NDArray[np.bool_]:
    """(B, T) tokens that some span covers; one that several cover counts once.

    Example:
        >>> offsets = np.array([[[0, 1], [2, 5], [6, 9]]])
        >>> span_mask(offsets, [[Placed(2, 4), Placed(4, 7)]])
        array([[False,  True,  True]])
    """
    mask = np.zeros(offsets.shape[:2], dtype=bool)
    for row, ranges in enumerate(covered(offsets, spans)):
        for first, last in ranges:
            mask[row, first:last] = True
    return mask & (offsets[:, :, 0] >= 0)


def span_sum(offsets: NDArray[np.int64], spans: Spans) -> NDArray[np.float64]:
    """(B, T) for every token the sum of the values of the spans that cover it.

    Example:
        >>> offsets = np.array([[[0, 1], [2, 5], [6, 9]]])
        >>> span_sum(offsets, [[Placed(2, 4, -1.0), Placed(4, 7, 0.5)]])
        array([[ 0. , -0.5,  0.5]])
    """
    total = np.zeros(offsets.shape[:2])
    for row, (ranges, own) in enumerate(zip(covered(offsets, spans), spans, strict=True)):
        for (first, last), span in zip(ranges, own, strict=True):
            total[row, first:last] += span.value
    return np.where(offsets[:, :, 0] >= 0, total, 0.0)


def at_ends(offsets: NDArray[np.int64], mask: NDArray[np.bool_], spans: Spans) -> NDArray[np.float64]:
    """(B, T) every span's value on the token with its last character; several on one token add up.

    What ends behind the last token, because the text was cut, is placed on the last policy token. A rollout without
    policy tokens gets nothing.

    Example:
        >>> offsets = np.array([[[0, 1], [2, 5], [6, 9]]])
        >>> at_ends(offsets, np.ones((1, 3), bool), [[Placed(0, 5, 1.0), Placed(6, 30, -1.0)]])
        array([[ 0.,  1., -1.]])
    """
    placed = np.zeros(mask.shape)
    for row, own in enumerate(spans):
        policy = np.flatnonzero(mask[row] & (offsets[row, :, 0] >= 0))
        if len(policy):
            at = policy[np.minimum(_index(offsets[row, policy, 1], [s.end - 1 for s in own]), len(policy) - 1)]
            np.add.at(placed[row], at, [s.value for s in own])
    return placed


def at_last(mask: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(B, T) one value a rollout, on its last policy token.

    Example:
        >>> at_last(np.array([[True, True, False]]), np.array([3.0]))
        array([[0., 3., 0.]])
    """
    placed = np.zeros(mask.shape)
    some = mask.any(1)
    last = mask.shape[1] - 1 - np.argmax(mask[:, ::-1], axis=1) if mask.shape[1] else np.zeros(len(mask), np.int64)
    placed[np.flatnonzero(some), last[some]] = np.asarray(values, np.float64)[some]
    return placed


def _placed(place: Sequence[float], value: float) -> Placed:
    return Placed(int(place[0]), int(place[1]), float(value))


def _covered(offsets: NDArray[np.int64], span: Placed) -> tuple[int, int]:
    there = np.flatnonzero(offsets[:, 0] >= 0)
    first = int(_index(offsets[there, 1], [span.start])[0])
    last = int(np.searchsorted(offsets[there, 0], span.end, side="left"))
    if first >= len(there):
        return len(offsets), len(offsets)
    behind = int(there[last]) if last < len(there) else int(there[-1]) + 1
    return int(there[first]), max(behind, int(there[first])) if span.end > span.start else int(there[first])


def _index(ends: NDArray[np.int64], characters: Iterable[int]) -> NDArray[np.int64]:
    """For every character the first token that ends behind it."""
    return np.searchsorted(ends, np.fromiter(characters, np.int64), side="right")
