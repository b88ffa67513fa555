"""One number as a text."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from sightline.core.missing import Missing

_LONGEST = 400  # characters; a float has no more to say


@dataclass(frozen=True, slots=True)
class Number:
    """The finite number that the whole text is.

    Args:
        commas: commas are taken out first.

    Low: Missing for anything else, for NaN, infinities, numbers beyond the range of a float, and texts of more than
    400 characters.

    Example:
        >>> Number()(" 1,234.50 "), Number()("3 cm").why, Number()("nan").why, Number(commas=False)("1,5").why
        (1234.5, 'not a number', 'not a finite number', 'not a number')
    """

    commas: bool = True

    def __call__(self, text: str) -> float | Missing:
        if len(text) > _LONGEST:
            return Missing("too long for a number")
        try:
            value = float(text.replace(",", "") if self.commas else text)
        except ValueError:
            return Missing("not a number")
        return value if isfinite(value) else Missing("not a finite number")


def same_number(a: str, b: str, decimals: int = 2, same_style: bool = False) -> bool:
    """Both texts are numbers, equal after rounding.

    Args:
        decimals: digits kept behind the point.
        same_style: moreover both or neither text must contain a point or a comma.

    Example:
        >>> same_number("1,000", "1000.001"), same_number("1,000", "1000", same_style=True), same_number("x", "x")
        (True, False, False)
    """
    if same_style and _has_separator(a) != _has_separator(b):
        return False
    x, y = Number()(a), Number()(b)
    if isinstance(x, Missing) or isinstance(y, Missing):
        return False
    return round(x, decimals) == round(y, decimals)


def _has_separator(text: str) -> bool:
    return "." in text or "," in text
