r"""A short final answer made plain: out of its box, behind "answer is" and the last "=", without units and signs."""

from __future__ import annotations

import math
import re

from sightline.core.missing import Missing
from sightline.parse.maths import Boxed

LONGEST = 2000
_TAIL = re.compile(r".*\banswer\s+is\b\s*:?", re.IGNORECASE | re.DOTALL)
_UNIT = re.compile(r"\\(?:text|mathrm|textrm|mbox)\s?\{([^{}]*)\}")
_DEGREE = re.compile(r"\^?\s?\{?\s?\\(?:circ|degree)\s?\}?|°|\bdegrees?\b")
_DROPPED = re.compile(r"\\left|\\right|\\[,;:! ]|\$|\s+")
_SHORT_FRACTION = re.compile(r"\\frac(\d)(\d)")
_SHORT_ROOT = re.compile(r"\\sqrt(\w)")
_N = r"[-+]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})"
_PLAIN, _RATIO = re.compile(_N), re.compile(rf"({_N})/({_N})")
_FRACTION = re.compile(r"([-+]?)\\frac\{([^{}]*(?:\{[^{}]*\})?)\}\{([^{}]*(?:\{[^{}]*\})?)\}")
_ROOT = re.compile(rf"({_N}|[-+])?\\sqrt\{{({_N})\}}")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def plain_value(text: str) -> str:
    r"""The answer in its plainest form; an empty text if there is none, or beyond 2,000 characters.

    Of an answer that is nothing but `\text{...}` it is what stands inside.

    Example:
        >>> [plain_value(t) for t in (r"\boxed{12\text{ cm}}", "The answer is: B.", "x = 30^\\circ", r"\dfrac12")]
        ['12', 'B', '30', '\\frac{1}{2}']
    """
    if len(text) > LONGEST:
        return ""
    inner = Boxed()(text)
    text = text if isinstance(inner, Missing) else inner
    text = _TAIL.sub("", text, count=1)
    text = text.rpartition("=")[2]
    bare = _UNIT.sub("", text) if _UNIT.sub("", text).strip(" $.") else _UNIT.sub(r"\1", text)
    text = _DROPPED.sub("", _DEGREE.sub("", bare))
    text = text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac").replace("\u2212", "-")
    text = _SHORT_ROOT.sub(r"\\sqrt{\1}", _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text))
    return _THOUSANDS.sub("", text.removesuffix("."))


def value_of(plain: str) -> float | None:
    r"""The number that a plain answer is: integer, decimal, a/b, \frac{a}{b}, \sqrt{x}, k\sqrt{x}; None for all else.

    Example:
        >>> value_of("3/4"), value_of(r"-\frac{1}{2}"), round(value_of(r"2\sqrt{3}"), 3), value_of("B"), value_of("1/0")
        (0.75, -0.5, 3.464, None, None)
    """
    if _PLAIN.fullmatch(plain):
        return float(plain)
    if ratio := _RATIO.fullmatch(plain):
        return _divided(float(ratio[1]), float(ratio[2]))
    if root := _ROOT.fullmatch(plain):
        factor, inside = root[1] or "1", float(root[2])
        factor = factor + "1" if factor in "+-" else factor
        return None if inside < 0 else float(factor) * math.sqrt(inside)
    if (fraction := _FRACTION.fullmatch(plain)) and "\\frac" not in fraction[2] + fraction[3]:
        above, below = value_of(fraction[2]), value_of(fraction[3])
        quotient = None if above is None or below is None else _divided(above, below)
        return -quotient if quotient is not None and fraction[1] == "-" else quotient
    return None


def same_value(said: str, right: str, decimals: int = 2) -> bool:
    r"""Whether two short answers are equal: as plain texts, or as numbers after rounding both; an empty one never is.

    A single letter is compared as it is.

    Example:
        >>> same_value(r"\boxed{0.5}", r"\frac{1}{2}"), same_value("b", "B"), same_value("", "")
        (True, False, False)
    """
    mine, gold = plain_value(said), plain_value(right)
    if not mine or not gold:
        return False
    if mine == gold:
        return True
    x, y = value_of(mine), value_of(gold)
    return x is not None and y is not None and round(x, decimals) == round(y, decimals)


def _divided(above: float, below: float) -> float | None:
    return above / below if below else None
