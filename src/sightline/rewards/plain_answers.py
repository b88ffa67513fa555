"""Answers of no stated kind, compared as a person would: an option letter, a text, or a number."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.choices import lone_letter
from sightline.parse.numbers import Number


@dataclass(frozen=True)
class SamePlain:
    """1 if any of three tests finds the answers the same, else 0.

    1. both are the same lone option letter: any case, optional brackets, optional final `.`, `)` or `:`
    2. equal texts after case-folding, collapsing blanks and dropping final dots
    3. equal numbers, commas and `%` taken out: |a - b| <= tolerance * max(1, |b|)

    Args:
        tolerance: of numbers, relative above 1 and absolute below.

    Example:
        >>> [SamePlain()(said, right) for said, right in (("(b)", "B"), ("Two  Cats.", "two cats"), ("1,000", "1e3"))]
        [1.0, 1.0, 1.0]
        >>> SamePlain()("A or B", "B"), SamePlain()("B) dog", "B")
        (0.0, 0.0)
    """

    tolerance: float = 1e-6

    def __call__(self, said: str, right: str) -> float:
        return float(_letters(said, right) or _bare(said) == _bare(right) or self._numbers(said, right))

    def _numbers(self, said: str, right: str) -> bool:
        if "_" in said + right:  # which only Python takes for a digit separator
            return False
        mine, gold = Number()(said.replace("%", "")), Number()(right.replace("%", ""))
        if isinstance(mine, Missing) or isinstance(gold, Missing):
            return False
        return abs(mine - gold) <= self.tolerance * max(1.0, abs(gold))


def _letters(said: str, right: str) -> bool:
    mine, gold = _letter(said), _letter(right)
    return mine is not None and mine == gold


def _letter(text: str) -> str | None:
    """The option letter that a text is, with nothing behind it."""
    bare = text.strip()
    found = lone_letter(bare) if len(bare) <= 4 else Missing("too long")
    return None if isinstance(found, Missing) or sum(map(str.isalpha, bare)) != 1 else found


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(". ")
