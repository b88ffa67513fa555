"""Facts of a picture with a type: `Length(AB) = 10`, `Parallel(AB, CD)`, `Text(sign) = "EXIT"`."""

from __future__ import annotations

import re
from typing import NamedTuple

from sightline.core.missing import Missing

_FACT = re.compile(r"\s*-?\s*([A-Za-z]\w{0,40})\s*\(([^()]{1,400})\)\s*(?:=\s*(.{1,400}?))?\s*\.?\s*", re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d{1,15}(?:\.\d{0,15})?")
SYMMETRIC = frozenset({"parallel", "perpendicular", "equal", "intersect", "connectivity"})


class TypedFact(NamedTuple):
    """A predicate of arguments, with a value; `true` where none is written.

    Predicates are in lower case; arguments of symmetric ones are sorted.
    """

    predicate: str
    arguments: tuple[str, ...]
    value: str


def typed_fact(text: str) -> TypedFact | Missing:
    """The fact that a text is.

    Example:
        >>> typed_fact("Parallel(CD, AB)")
        TypedFact(predicate='parallel', arguments=('AB', 'CD'), value='true')
        >>> typed_fact("AB is ten").why
        'no Predicate(arguments) = value'
    """
    found = _FACT.fullmatch(text) if len(text) < 1000 else None
    if found is None:
        return Missing("no Predicate(arguments) = value")
    name = found[1].lower()
    arguments = [part.strip() for part in found[2].split(",")]
    value = (found[3] or "true").strip().strip("\"'")
    return TypedFact(name, tuple(sorted(arguments) if name in SYMMETRIC else arguments), value)


def same_value(first: str, second: str, relative: float = 0.01) -> bool:
    """Equal texts in any case, or numbers that differ by at most 1 % of the larger.

    Example:
        >>> same_value("10", "10.1"), same_value("10", "10.2"), same_value("Exit", "EXIT")
        (True, False, True)
    """
    if _NUMBER.fullmatch(first) and _NUMBER.fullmatch(second):
        a, b = float(first), float(second)
        return abs(a - b) <= relative * max(abs(a), abs(b)) + 1e-12
    return first.lower() == second.lower()
