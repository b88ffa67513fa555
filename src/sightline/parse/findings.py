"""Findings that a text asserts: names and synonyms of a vocabulary as whole words, those denied or doubted told apart.

At every word, left to right, the longest name that begins there is taken, and reading goes on behind it. A mention is
denied if a cue reaches its first word (`parse.negation`). What a finding speaks for is the business of rewards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from sightline.core.missing import Missing
from sightline.parse.negation import Cues, Word, clauses
from sightline.parse.tags import Block

Names = tuple[tuple[str, ...], ...]
THINK_OR_TEXT = Block("think", otherwise="text")


class Mention(NamedTuple):
    """A finding that is spoken of.

    Args:
        name: its first name in the vocabulary.
        start, end: where it stands, `text[start:end]`.
        denied: whether it is denied or doubted there.
    """

    name: str
    start: int
    end: int
    denied: bool


@dataclass(frozen=True)
class Mentions:
    """Every mention of a finding in the think block, or in the whole text if there is none.

    The last word of a name may carry -s or -es. A mention lies in one clause.

    Args:
        names: for each finding its name and its synonyms.
        cues: what denies or doubts a finding, and how far it reaches.
        where: the part of the text that is read.

    Example:
        >>> find = Mentions((("hemorrhage", "haemorrhage"), ("hard exudate",), ("cotton wool spot",)))
        >>> text = "There is no evidence of hard exudate; cotton-wool spots present"
        >>> [(mention.name, mention.denied) for mention in find(text)]
        [('hard exudate', True), ('cotton wool spot', False)]
    """

    names: Names
    cues: Cues = Cues()
    where: Block = THINK_OR_TEXT

    def __call__(self, text: str) -> tuple[Mention, ...]:
        part = self.where.span(text)
        if isinstance(part, Missing):
            return ()
        known = _spellings(self.names)
        return tuple(
            Mention(one.name, one.start + part.start, one.end + part.start, one.denied)
            for clause in clauses(part.text)
            for one in self._of(clause, known)
        )

    def _of(self, clause: Sequence[Word], known: Spellings) -> Iterator[Mention]:
        words = [word.text for word in clause]
        reached: list[bool] | None = None
        at = 0
        while at < len(words):
            size, name = _longest(words, at, known)
            if size:
                reached = self.cues.reached(words) if reached is None else reached
                yield Mention(name, clause[at].start, clause[at + size - 1].end, reached[at])
            at += size or 1


def asserted(mentions: Sequence[Mention]) -> frozenset[str]:
    """The findings with at least one mention that is neither denied nor doubted.

    Example:
        >>> find = Mentions((("drusen",), ("edema", "oedema")))
        >>> sorted(asserted(find("no edema. Later edema, no drusen")))
        ['edema']
    """
    return frozenset(mention.name for mention in mentions if not mention.denied)


Spellings = Mapping[str, Sequence[tuple[tuple[str, ...], str]]]


@lru_cache(maxsize=64)
def _spellings(names: Names) -> Spellings:
    """First word -> spellings that begin with it and what they name, the longest first; an earlier finding wins."""
    found: dict[tuple[str, ...], str] = {}
    for synonyms in names:
        for synonym in synonyms:
            words = tuple(word.text for clause in clauses(synonym) for word in clause)
            for ending in ("", "s", "es") if words else ():
                found.setdefault((*words[:-1], words[-1] + ending), synonyms[0])
    by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for spelling, name in sorted(found.items(), key=lambda item: -len(item[0])):
        by_first.setdefault(spelling[0], []).append((spelling, name))
    return by_first


def _longest(words: Sequence[str], at: int, known: Spellings) -> tuple[int, str]:
    for spelling, name in known.get(words[at], ()):
        if tuple(words[at : at + len(spelling)]) == spelling:
            return len(spelling), name
    return 0, ""
