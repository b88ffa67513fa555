"""Answers to questions about charts: equal as text, or as numbers within a tolerance."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sightline.metrics.numbers import near
from sightline.metrics.tables import plain_number
from sightline.parse.text import clean_text

_DRESS = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox)\{([^{}\\]{0,400}+)\}|\\([%$&#_ ])")


@dataclass(frozen=True)
class RelaxedMatch:
    r"""1 for equal texts, or for numbers that differ by at most a share of the right one; else 0.

    Texts are compared on one line, trimmed, with single blanks, without final dots, in lower case, and without what
    LaTeX puts around words and signs (`\text{..}`, `\%`). Blanks, commas, currency signs and % are no part of a number.
    Nothing but zero is near zero.

    Args:
        tolerance: |said - right| <= tolerance * |right|.

    Example:
        >>> same = RelaxedMatch()
        >>> same("1,040", "1000"), same("1,060", "1000"), same("New  York.", "new york"), same("about 10", "10")
        (1.0, 0.0, 1.0, 0.0)
        >>> same(r"30\%", "30"), same(r"\text{Blue}", "blue")
        (1.0, 1.0)
    """

    tolerance: float = 0.05

    def __call__(self, said: str, right: str) -> float:
        said, right = _undressed(said), _undressed(right)
        if " ".join(clean_text(said).split()) == " ".join(clean_text(right).split()):
            return 1.0
        mine, gold = plain_number(said[:400]), plain_number(right)
        if mine is None or gold is None:
            return 0.0
        return float(near(mine, gold, self.tolerance * abs(gold)))


def _undressed(text: str) -> str:
    return _DRESS.sub(lambda dress: dress[1] or dress[2] or "", text)
