"""Answers compared as written: an option without its dress, and answers of no stated kind."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.metrics.numbers import near
from sightline.parse.numbers import Number
from sightline.parse.undressed import option_letter, undressed


def same_option(said: str, right: str) -> float:
    """1 if both are equal in upper case, without one enclosing pair of brackets and one final `.`, `:` or `)`.

    Example:
        >>> same_option("(b)", "B"), same_option("B) dog", "B")
        (1.0, 0.0)
    """
    return float(undressed(said).upper() == undressed(right).upper())


@dataclass(frozen=True)
class SamePlain:
    """1 if any of three tests finds the answers the same, else 0.

    1. both are the same option letter and nothing else: any case, optional brackets, optional final `.`, `)` or `:`
    2. equal texts after case-folding, collapsing blanks and dropping final dots
    3. equal numbers, commas and `%` taken out: |a - b| <= tolerance * max(1, |b|)

    Args:
        tolerance: of numbers, relative above 1 and absolute below.

    Example:
        >>> [SamePlain()(said, right) for said, right in (("(b)", "B"), ("Two  Cats.", "two cats"), ("1,000", "1e3"))]
        [1.0, 1.0, 1.0]
        >>> SamePlain()("A or B", "B"), SamePlain()("B) dog", "B"), SamePlain()("B.5", "B")
        (0.0, 0.0, 0.0)
    """

    tolerance: float = 1e-6

    def __call__(self, said: str, right: str) -> float:
        letter = option_letter(said)
        if letter and letter == option_letter(right):
            return 1.0
        return float(_bare(said) == _bare(right) or self._equal_numbers(said, right))

    def _equal_numbers(self, said: str, right: str) -> bool:
        if "_" in said + right:  # which only Python takes for a digit separator
            return False
        mine, gold = Number()(said.replace("%", "")), Number()(right.replace("%", ""))
        if isinstance(mine, Missing) or isinstance(gold, Missing):
            return False
        return near(mine, gold, self.tolerance * max(1.0, abs(gold)))


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(". ")
