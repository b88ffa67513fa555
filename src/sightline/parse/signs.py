"""A verdict on a step, 1 or -1, in the words of a judge."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from sightline.core.missing import Missing
from sightline.parse.first_object import without_fences
from sightline.parse.json import load

_MINUS_ONE = re.compile(r"(?<!\d)-1(?!\d)")
_ONE = re.compile(r"(?<!\d)1(?!\d)")
_INTEGER = re.compile(r"([-+]?)0*+(\d*+)")
_LITERAL = re.compile(r"[-+]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][-+]?\d{1,2})?", re.ASCII)
_APART = re.compile(r"(?<=\A[-+])[ \t]+")
_LONGEST = 100_000


class Sign(NamedTuple):
    """1 for a right step, -1 for a wrong one, and whether the verdict had to be assumed."""

    value: int
    unparsed: bool = False


WRONG = Sign(-1, True)


def exact_sign(text: str) -> Sign:
    """A reply that is a number equal to 1 or -1, or an object or list with that one value; all else is -1, unparsed.

    Code fences, outer blanks and one final full stop are taken off; the typographic minus is one.

    Example:
        >>> [exact_sign(text).value for text in ("1", "+1", "1.0", '{"score": 1}', "[-1]", "1.")]
        [1, 1, 1, 1, -1, 1]
        >>> exact_sign("score: -1 not 1"), exact_sign("0"), exact_sign("true")
        (Sign(value=-1, unparsed=True), Sign(value=-1, unparsed=True), Sign(value=-1, unparsed=True))
    """
    if len(text) > _LONGEST:
        return WRONG
    text = without_fences(text.replace("\u2212", "-")).removesuffix(".").rstrip()
    if _LITERAL.fullmatch(text):
        return _unit(float(text))
    value = load(text)
    if isinstance(value, (dict, list)) and len(value) == 1:
        return _unit(next(iter(value.values())) if isinstance(value, dict) else value[0])
    return WRONG


def lenient_sign(text: str) -> Sign:
    """The first of these that holds, as released code reads a reply; -1 if none does.

    The number alone; a number that truncates to 1 or -1; a -1 with no digit beside it; such a 1; the sign of the first
    integer.

    Example:
        >>> [lenient_sign(text).value for text in ("score: -1 not 1", "The answer is 10", "0", "1.9", "")]
        [-1, 1, -1, 1, -1]
    """
    text = without_fences(text)
    number = _APART.sub("", text)  # Python reads `- 1`
    if _LITERAL.fullmatch(number) and abs(whole := int(float(number))) == 1:
        return Sign(whole)
    if _MINUS_ONE.search(text):
        return Sign(-1)
    if _ONE.search(text):
        return Sign(1)
    first = next((found for found in _INTEGER.finditer(text) if found[0].strip("+-")), None)
    if first is None or not first[2]:
        return WRONG
    return Sign(-1 if first[1] == "-" else 1)


def exact_signs(text: str, count: int) -> list[Sign] | Missing:
    """The verdicts on `count` steps at once: a list of as many 1 and -1.

    Example:
        >>> [sign.value for sign in exact_signs("[1, -1]", 2)], exact_signs("[1]", 2).why
        ([1, -1], '1 verdicts for 2 steps')
    """
    value = load(without_fences(text.replace("\u2212", "-")))
    if not isinstance(value, list):
        return Missing("no list")
    if len(value) != count:
        return Missing(f"{len(value)} verdicts for {count} steps")
    return [_unit(one) for one in value]


def _unit(value: Any) -> Sign:
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and value in (1, -1)
    return Sign(int(value)) if known else WRONG
