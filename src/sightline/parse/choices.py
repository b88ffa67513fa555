"""Answers out of a few: an option letter, yes or no.

Each parser reads the text it is given; which block of a reply that is, is the caller's choice (`tags.Inside`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from sightline.core.missing import Missing

CUES = (
    *("ANSWER", "CORRECT", "CHOOSE", "SELECT", "RIGHT", "THINK", "BELIEVE", "SHOULD"),
    *("答案", "选择", "正确", "是", "对", "认为", "应该", "觉得"),
)
_FOLLOWED = "。.!！,，"
_REACH = 20  # characters on each side of a letter in which cues count
_LATE = 0.7  # share of the text behind which a letter counts as final
_MOST = 1000  # letters; a text with more of them chooses nothing
_LONGEST = 200_000  # characters
_BARE = r"(?<![A-Z])[A-Z](?=[.,?!:;]|$)"
_LETTER = re.compile(_BARE)
_LETTER_OR_BRACKETED = re.compile(_BARE + r"|(?<=[(\[（【])[A-Z](?=[)\]）】])")


@dataclass(frozen=True, slots=True)
class OptionLetter:
    """The option letter that a text settles on.

    Candidates are single letters (the text in upper case, white space squeezed) with no letter before them and one of
    `. , ? ! : ;` or the end behind. One candidate: it. Several: every occurrence of a letter collects 1 for each cue
    word (answer, correct, choose, ...) within 20 characters, 2 beyond 70 % of the text, 1 if `. ! ,` follows; the
    letter with most points wins, the one seen first among equals.

    Args:
        position: what "within", "beyond" and "follows" are measured from: the candidate itself (`own`), or the first
            place where its letter stands anywhere, even in a word (`first`).
        brackets: a letter in brackets is a candidate too.

    Example:
        >>> OptionLetter()("I first thought of A, but the answer is C."), OptionLetter()("It is (B) for sure")
        ('C', 'B')
        >>> OptionLetter("first", brackets=False)("It is (B) for sure").why
        'no option letter'
    """

    position: Literal["own", "first"] = "own"
    brackets: bool = True

    def __call__(self, text: str) -> str | Missing:
        if len(text) > _LONGEST:
            return Missing(f"longer than {_LONGEST} characters")
        text = " ".join(text.upper().split())
        candidates = self._candidates(text)
        found = list(islice(candidates, _MOST + 1))
        if not found:
            return Missing("no option letter")
        if len(found) == 1:
            return text[found[0]]
        if self.position == "first":
            times = Counter(text[at] for at in (*found, *candidates))
            points = {letter: n * _points(text, text.find(letter)) for letter, n in times.items()}
        elif len(found) > _MOST:
            return Missing(f"more than {_MOST} option letters")
        else:
            points = {}
            for at in found:
                points[text[at]] = points.get(text[at], 0) + _points(text, at)
        return max(points, key=lambda letter: points[letter])

    def _candidates(self, text: str) -> Iterator[int]:
        pattern = _LETTER_OR_BRACKETED if self.brackets else _LETTER
        return (found.start() for found in pattern.finditer(text))


def _points(text: str, at: int) -> int:
    around = text[max(0, at - _REACH) : at + _REACH]
    late = 2 if at > len(text) * _LATE else 0
    return sum(cue in around for cue in CUES) + late + (text[at + 1 : at + 2] in _FOLLOWED and at + 1 < len(text))


_LONE = re.compile(r"(?:([A-Za-z])|\(([A-Za-z])\)|\[([A-Za-z])\])(?:\Z|[.):])")
_LONE_ROUND = re.compile(r"\(([A-Za-z])\)")


def lone_letter(text: str) -> str | Missing:
    """The one option letter a text consists of, in upper case.

    Either case, bare or in brackets, optionally closed by `.`, `)` or `:` behind which any text may follow. The round
    bracket of `(b)` is such a close itself.

    Example:
        >>> lone_letter("B."), lone_letter("(b)"), lone_letter("B) dog"), lone_letter("A or B").why
        ('B', 'B', 'B', 'not a lone option letter')
    """
    text = text.strip()
    found = _LONE.match(text) or _LONE_ROUND.match(text)
    if found is None:
        return Missing("not a lone option letter")
    return next(letter for letter in found.groups() if letter).upper()


@dataclass(frozen=True, slots=True)
class YesNo:
    """`yes` or `no`, whichever the text says first, in any case.

    Args:
        words: only whole words count (`whole`), or parts of words too (`part`: "know" says no).

    Example:
        >>> YesNo()("I know: Yes."), YesNo("part")("I know: Yes."), YesNo()("maybe").why
        ('yes', 'no', 'neither yes nor no')
    """

    words: Literal["whole", "part"] = "whole"

    def __call__(self, text: str) -> str | Missing:
        found = (_YES_NO if self.words == "whole" else _YES_NO_PART).search(text.lower())
        return Missing("neither yes nor no") if found is None else found[0]


_YES_NO = re.compile(r"(?:yes(?<!\wyes)|no(?<!\wno))(?!\w)")  # letters first: whole-word search, twice as fast
_YES_NO_PART = re.compile(r"yes|no")
