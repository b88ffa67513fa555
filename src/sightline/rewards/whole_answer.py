"""A comparison of short answers that must be the right one as a whole: no prose around it, no second guess in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from sightline.core.missing import Missing
from sightline.parse.boxed import canonical_answer
from sightline.parse.maths import is_formula, maths_equal, need_math_verify, quickly_equal

# two letters at least: one may be a variable
_UNITS = r"[mcdk]m|[mk]g|m[lL]|ft|inch|min|sec|hrs?|deg|degrees?|rad|mph|kmh|km/h|m/s"
_GLUED = re.compile(rf"(?<=\d)(?=(?:{_UNITS})(?:\^?[23])?[.$\s]*\Z)", re.ASCII)
_SCIENTIFIC = re.compile(r"[-+]?\d{1,40}(?:\.\d{0,40})?[eE][-+]?\d{1,2}", re.ASCII)
_NAMED = re.compile(r"\s*[A-Za-z]\s*=\s*([^=]*)")
_APART = re.compile(r"\d\s+[-+]?\d|[\d.]\s*[;&]|=|\\(?:text|mathrm|mbox|quad|pm|cup|lor)")
# a maths parser reads up to what it does not know and drops the rest: 4|5, 4>5 and 4\mid 5 would be 4
_STRANGE = re.compile(
    r"[<>|\[\]]|(?<!\\)!|(?<=\d)_|\.\.|\{\}|\d\s*\(\s*[-+]?\d|\\(?!(?:[dt]?frac|sqrt|binom|pi|cdot|times|div|over|left|right"
    r"|log|ln|lg|exp|(?:arc)?(?:sin|cos|tan)h?|cot|sec|csc|displaystyle|mathbf)(?![A-Za-z]))[A-Za-z]+"
)


@dataclass(frozen=True)
class WholeAnswer:
    r"""1 if two answers are the same words, or one expression of the same value, else 0.

    1. equal without white space, in any case
    2. equal numbers once units, dollars and thousands commas are dropped; `60 cm` and `60cm` are `60`
    3. both one expression (`x = ` before it may be left out) and symbolically equal

    An answer that lists several values, or says a value in a sentence, is not the value.

    Args:
        seconds: how long one symbolic comparison may take.
        longest: characters; a longer answer is compared as words only.

    Example:
        >>> same = WholeAnswer()
        >>> same("60 cm", "60"), same(r"\frac{1}{2}", "0.5"), same("a b", "AB"), same("4 or 5", "5"), same("4 5", "5")
        (1.0, 1.0, 1.0, 0.0, 0.0)
        >>> same("60cm", "60"), same("1e3", "1000"), same("2ab", "2")
        (1.0, 1.0, 0.0)
    """

    seconds: float = 1.0
    longest: int = 300

    def ready(self) -> None:
        need_math_verify()

    def __call__(self, said: str, right: str) -> float | Missing:
        if not said.strip():
            return Missing("an empty answer")
        if _squeezed(said) == _squeezed(right):
            return 1.0
        if len(said) > self.longest:
            return Missing(f"longer than {self.longest} characters")
        mine, gold = _plain(said), _plain(right)
        if _squeezed(mine) == _squeezed(gold):
            return 1.0
        mine, gold = _unnamed(mine), _unnamed(gold)
        if not (_one_expression(mine) and _one_expression(gold)) or mine.count(",") != gold.count(","):
            return 0.0
        if _STRANGE.search(mine) and not _STRANGE.search(gold):
            return 0.0
        quick = quickly_equal(mine, gold)
        found = maths_equal(mine, gold, self.seconds) if quick is None else quick
        return found if isinstance(found, Missing) else float(found)


def _squeezed(text: str) -> str:
    return "".join(text.split()).casefold()


def _plain(text: str) -> str:
    """Without units, glued ones included, and 1e3 written out."""
    plain = canonical_answer(_GLUED.sub(" ", text))
    return f"{Decimal(plain):f}" if _SCIENTIFIC.fullmatch(plain) else plain


def _unnamed(text: str) -> str:
    named = _NAMED.fullmatch(text)
    return named[1] if named else text


def _one_expression(text: str) -> bool:
    return is_formula(text) and _APART.search(text) is None
