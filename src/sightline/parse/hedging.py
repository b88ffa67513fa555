"""Words that leave a caption open: or, possibly, might be, red/blue."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_WORDS = r"\b(?:and/or|or|possibly|appears\s+to|might\s+be|could\s+be|likely)\b"
_ANY = re.compile(rf"{_WORDS}|\b\w++/\w++", re.IGNORECASE)
_ALPHABETIC = re.compile(rf"{_WORDS}|\b[^\W\d_]++/[^\W\d_]++\b", re.IGNORECASE)
FREE, STEEPNESS = 90, 0.1  # words for one hedge that costs nothing


@dataclass(frozen=True, slots=True)
class Hedging:
    """exp(-0.1 max(0, hedges - words / 90)), in (0, 1]: what is left of a caption that hedges.

    Args:
        numbers: whether 1/2 and the like count, as in released code; else only words of letters.

    Example:
        >>> round(Hedging()("possibly a red or blue car, it might be parked"), 6)
        0.749095
        >>> Hedging().count("and/or, 1/2, red/blue"), Hedging(numbers=True).count("and/or, 1/2, red/blue")
        (2, 3)
    """

    numbers: bool = False

    def __call__(self, text: str) -> float:
        free = len(text.split()) / FREE
        return math.exp(-STEEPNESS * max(0.0, self.count(text) - free))

    def count(self, text: str) -> int:
        """How many hedges a left-to-right scan without overlap finds."""
        return sum(1 for _ in (_ANY if self.numbers else _ALPHABETIC).finditer(text))
