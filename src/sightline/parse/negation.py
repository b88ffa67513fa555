"""Clauses of a text, and the words in them that deny or doubt what follows.

A clause ends at `.`, `;`, `,`, `:` and at the words but and however. A cue reaches `REACH` words far inside its clause;
and, or do not stop it. So of a comma list behind one `no` only the first item is denied: a known limit. Nothing here
knows what is denied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NEGATION = (
    "no", "not", "without", "absence of", "absent", "denies", "rule out", "free of", "no evidence of", "negative for",
)  # fmt: skip
HEDGE = ("cannot exclude", "possible", "possibly")
REACH = 6
READ = 50_000  # characters of a text that are looked at
_PIECE = re.compile(r"[^\W_]+|[.;,:]")
_ENDS = frozenset(".;,:") | {"but", "however"}


class Word(NamedTuple):
    """A lower-cased word and its place `text[start:end]`."""

    text: str
    start: int
    end: int


def clauses(text: str) -> Iterator[list[Word]]:
    """The clauses of a text as words; hyphens and other signs are read as blanks.

    Example:
        >>> [[word.text for word in clause] for clause in clauses("No cotton-wool spots, but drusen.")]
        [['no', 'cotton', 'wool', 'spots'], ['drusen']]
    """
    clause: list[Word] = []
    for found in _PIECE.finditer(text, 0, READ):
        word = found[0].lower()
        if word in _ENDS:
            if clause:
                yield clause
            clause = []
        else:
            clause.append(Word(word, found.start(), found.end()))
    if clause:
        yield clause


@dataclass(frozen=True)
class Cues:
    """Which words of a clause some cues reach: those that begin within `reach` words behind a cue's last word.

    Args:
        phrases: the cues, of one or more words.
        reach: how many words far.

    Example:
        >>> (clause,) = clauses("there is no sign of edema")
        >>> Cues(("no",), reach=3).reached([word.text for word in clause])
        [False, False, False, True, True, True]
    """

    phrases: tuple[str, ...] = NEGATION + HEDGE
    reach: int = REACH

    def reached(self, words: Sequence[str]) -> list[bool]:
        """One flag a word."""
        flags = [False] * len(words)
        for end in self.ends(words):
            flags[end + 1 : end + 1 + self.reach] = [True] * min(self.reach, len(words) - end - 1)
        return flags

    def ends(self, words: Sequence[str]) -> list[int]:
        """Where cues end: the number of the last word of each."""
        cues = [tuple(phrase.split()) for phrase in self.phrases]
        found = {k + len(cue) - 1 for cue in cues for k, word in enumerate(words) if _at(words, k, word, cue)}
        return sorted(found)


def _at(words: Sequence[str], k: int, word: str, cue: tuple[str, ...]) -> bool:
    return word == cue[0] and tuple(words[k : k + len(cue)]) == cue


_DENIES = Cues(NEGATION)


def denies(text: str) -> bool:
    """Whether some clause of a text holds a negation.

    Example:
        >>> denies("no pleural effusion"), denies("pleural effusion")
        (True, False)
    """
    return any(_DENIES.ends([word.text for word in clause]) for clause in clauses(text))
