"""A solution as a list of steps, with their places: lines, or what stands between `Step k:` heads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from sightline.parse.tags import Span

MOST_STEPS = 4096
_LINE = re.compile(r"\S[^\n]*")
_WORD = re.compile(r"\w")
_HEAD = re.compile(r"(?:[#*]{1,6}[ \t]{0,3})?\bstep[ \t]{0,3}\d{1,4}[ \t*]{0,3}:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a text, at most 4,096; blank ones are skipped, white space around them is no part of them.

    A step ends where a line ends, or where the next `Step k:` begins on the same line, marked up (`**Step k:**`) or
    not. What precedes a head without any letter or digit belongs to it.

    Args:
        within: (start, end) of the characters to look at; None: the whole text.

    Returns: spans, `text[start:end]` is the step; none for a text without words.

    Example:
        >>> [step.text for step in Steps()("Step 1: add. Step 2: halve.\\n\\nSo 4.")]
        ['Step 1: add.', 'Step 2: halve.', 'So 4.']
    """

    within: tuple[int, int] | None = None

    def __call__(self, text: str) -> list[Span]:
        start, end = (0, len(text)) if self.within is None else self.within
        found: list[Span] = []
        for line in _LINE.finditer(text, start, end):
            first, last = line.span()
            heads = [head.start() for head in _HEAD.finditer(text, first, last)]
            word = _WORD.search(text, first, last)
            cuts = [first, *(head for head in heads if word is not None and head > word.start()), last]
            for a, b in pairwise(cuts):
                piece = text[a:b]
                a, b = a + len(piece) - len(piece.lstrip()), a + len(piece.rstrip())
                if a < b:
                    found.append(Span(text[a:b], a, b))
            if len(found) >= MOST_STEPS:
                return found[:MOST_STEPS]
        return found
