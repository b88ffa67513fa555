"""A ranking as a list of ids, such as `[3, 1, 2]` in an answer block, and the whole order that it stands for.

Ids are read as digits, never evaluated. The module knows nothing of what is ranked or which ids exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sightline.core.missing import Missing
from sightline.parse.tags import Block, Span

LONGEST = 200_000  # characters of a list
BEYOND = -1  # stands for every number of more than 18 digits: no list has so many items
_LIST = re.compile(r"\[\s*+[0-9]++\s*+(?:,\s*+[0-9]++\s*+)*+\]")
_ID = re.compile(r"[0-9]+")


class Ranking(NamedTuple):
    """Ids in the order in which they were said, and the place `text[start:end]` of the list."""

    ids: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RankedIds:
    """The bracketed list of unsigned integers that an answer block is.

    White space around ids and leading zeros are allowed; a trailing comma, an empty list or other text is not.

    Args:
        block: where the list stands.
        repeats: `drop` keeps the first of equal ids.
        after: a tag of which a closed block must end before the answer block begins; None asks for none.

    Low: Missing for anything else, and for a list of more than 200,000 characters.

    Example:
        >>> RankedIds()("<answer>[1]</answer> No: <answer> [ 03, 1, 3 ] </answer>").ids
        (3, 1)
        >>> RankedIds()("<answer>[1, 2,]</answer>").why, RankedIds(after="think")("<answer>[1]</answer>").why
        ('the answer is not a list of ids', 'no closed <think> block before the answer')
    """

    block: Block = Block("answer", which="last")
    repeats: Literal["drop", "keep"] = "drop"
    after: str | None = None

    def __call__(self, text: str) -> Ranking | Missing:
        span = self.block.span(text)
        if isinstance(span, Missing):
            return span
        if len(span.text) > LONGEST:
            return Missing(f"a list of more than {LONGEST} characters")
        if _LIST.fullmatch(span.text) is None:
            return Missing("the answer is not a list of ids")
        if self.after is not None and not _closed_before(text, self.after, span.start):
            return Missing(f"no closed <{self.after}> block before the answer")
        written = _ID.findall(span.text)
        if max(map(len, written)) <= 18:
            ids = map(int, written)
            return Ranking(tuple(dict.fromkeys(ids) if self.repeats == "drop" else ids), span.start, span.end)
        digits: Iterable[str] = (one.lstrip("0") for one in written)
        return Ranking(_numbers(dict.fromkeys(digits) if self.repeats == "drop" else digits), span.start, span.end)


def _closed_before(text: str, tag: str, before: int) -> bool:
    begin = text.find(f"<{tag}>", 0, before)
    return begin >= 0 and text.find(f"</{tag}>", begin, before) >= 0


def _numbers(digits: Iterable[str]) -> tuple[int, ...]:
    return tuple(int(one or 0) if len(one) <= 18 else BEYOND for one in digits)


@dataclass(frozen=True, slots=True)
class TightRankedIds:
    """The first list of ids that stands on one line right between answer tags, as released code searches for it.

    Finds what `<answer>\\[(.*?)\\]</answer>` finds, the dot matching no newline; repeats are kept.

    Args:
        after: only answers behind the first closed block of this tag are looked at; None looks at all.
        least: how many ids there must be.
        literal: ids are read as Python's `eval` reads them, so one with a leading zero voids the list.

    Example:
        >>> TightRankedIds()("<answer>[2, 2]</answer>").ids, TightRankedIds()("<answer> [2]</answer>").why
        ((2, 2), 'no list right between answer tags')
    """

    after: str | None = None
    least: int = 1
    literal: bool = False

    def __call__(self, text: str) -> Ranking | Missing:
        start = self._start(text)
        span = Missing(f"no closed <{self.after}> block") if start is None else _tight(text, start)
        if isinstance(span, Missing):
            return span
        if len(span.text) > LONGEST:
            return Missing(f"a list of more than {LONGEST} characters")
        if _LIST.fullmatch(f"[{span.text}]") is None:
            return Missing("the answer is not a list of ids")
        said = _ID.findall(span.text)
        if len(said) < self.least:
            return Missing(f"fewer than {self.least} ids")
        if self.literal and any(one[0] == "0" and one.strip("0") for one in said):
            return Missing("an id begins with 0")
        return Ranking(_numbers(one.lstrip("0") for one in said), span.start, span.end)

    def _start(self, text: str) -> int | None:
        if self.after is None:
            return 0
        begin = text.find(f"<{self.after}>")
        end = text.find(f"</{self.after}>", begin) if begin >= 0 else -1
        return end if end >= 0 else None


def _tight(text: str, start: int) -> Span | Missing:
    opening, closing = "<answer>[", "]</answer>"
    start, end = text.find(opening, start), -1
    while start >= 0:
        start += len(opening)
        if end < start:
            end = text.find(closing, start)
        if end < 0:
            break
        newline = text.find("\n", start, end)
        if newline < 0:
            return Span(text[start:end], start, end)
        start = text.find(opening, newline)
    return Missing("no list right between answer tags")


def whole_order(said: Iterable[int] | Missing, n: int, repeats: Literal["drop", "keep"] = "drop") -> list[int]:
    """The order of `n` items that a list of ids stands for, counted from 0.

    Ids outside 1..n and repeats are dropped, missing ones are added in ascending order, and 1 is subtracted.

    Args:
        said: ids counted from 1, or Missing: the order stays as it was.
        n: number of items.
        repeats: `keep` leaves repeated ids in, as released code does: the result is then longer than n.

    Example:
        >>> whole_order([4, 9, 1, 4], 5), whole_order(Missing("no list"), 3)
        ([3, 0, 1, 2, 4], [0, 1, 2])
        >>> whole_order([2, 2], 3, "keep")
        [1, 1, 0, 2]
    """
    ids = [] if isinstance(said, Missing) else [one for one in said if 1 <= one <= n]
    known = dict.fromkeys(ids)
    first = list(known) if repeats == "drop" else ids
    return [one - 1 for one in (*first, *(one for one in range(1, n + 1) if one not in known))]
