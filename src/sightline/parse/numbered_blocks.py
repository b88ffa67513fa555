"""Blocks with a number, `<a1>..</a1><a2>..</a2>`: the answers to a list of questions.

Both readers go over a text once, from left to right. They know nothing of what a block should hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from sightline.parse.tags import Span

_BEFORE_MARK = re.compile(r"(?<!\s)\s+(?=[<>/])")
_BEHIND_MARK = re.compile(r"(?<=[<>/])\s+")


@dataclass(frozen=True, slots=True)
class NumberedBlocks:
    """The text inside `<aN>`, number by number.

    A block begins at the first tag of its number and ends at the next closing tag of the same number; later blocks of
    that number are not read. Contents may have several lines and are stripped.

    Args:
        letter: what stands before the number.

    Returns:
        number -> text and place, in the order in which the blocks end.

    Example:
        >>> found = NumberedBlocks()("<a2>AB</a2> <a1>4</a1> <a1>5</a1> <a3>6")
        >>> {number: span.text for number, span in found.items()}
        {2: 'AB', 1: '4'}

    References:
        PEARL, arXiv 2511.18437, the answers to a perception checklist.
    """

    letter: str = "a"

    def __call__(self, text: str) -> dict[int, Span]:
        begun: dict[int, int] = {}
        found: dict[int, Span] = {}
        for tag in _tags(self.letter, False).finditer(text):
            number = int(tag["number"])
            if not tag["end"]:
                begun.setdefault(number, tag.end())
            elif number in begun and number not in found:
                found[number] = _stripped(text, begun[number], tag.start())
        return found

    def whole(self, text: str) -> bool:
        """Whether every tag of a text belongs to a block, and no number comes twice.

        Example:
            >>> NumberedBlocks().whole("<a1>4</a1>"), NumberedBlocks().whole("<a1>4</a1><a2>5")
            (True, False)
        """
        return sum(1 for _ in _tags(self.letter, False).finditer(text)) == 2 * len(self(text))


@dataclass(frozen=True, slots=True)
class BlocksInOrder:
    """The texts inside `<aN>..</aM>` in order of appearance, whatever the numbers, as released code reads them.

    White space around `<`, `>` and `/` is taken out first, contents of fractions and comparisons included. After that a
    block that holds a newline is none.

    Args:
        letter: what stands before the number.

    Example:
        >>> BlocksInOrder()("<a2>\\nAB\\n</a2> <a1>3 / 4</a1> <a3>5\\n6</a3>")
        ('AB', '3/4')

    References:
        PEARL, arXiv 2511.18437, the reward of its released code.
    """

    letter: str = "a"

    def __call__(self, text: str) -> tuple[str, ...]:
        text = _BEHIND_MARK.sub("", _BEFORE_MARK.sub("", text))
        begun = -1
        found: list[str] = []
        for tag in _tags(self.letter, True).finditer(text):
            if tag[0] == "\n":
                begun = -1
            elif not tag["end"]:
                begun = tag.end() if begun < 0 else begun
            elif begun >= 0:
                found.append(text[begun : tag.start()])
                begun = -1
        return tuple(found)


@lru_cache(maxsize=32)
def _tags(letter: str, newlines: bool) -> re.Pattern[str]:
    number = r"\d+" if newlines else r"(?:0|[1-9]\d{0,5})"
    tag = rf"<(?P<end>/?){re.escape(letter)}(?P<number>{number})>"
    return re.compile(rf"{tag}|\n" if newlines else tag, re.ASCII)


def _stripped(text: str, start: int, end: int) -> Span:
    inner = text[start:end]
    start += len(inner) - len(inner.lstrip())
    return Span(inner.strip(), start, start + len(inner.strip()))
