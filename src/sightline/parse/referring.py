"""What a model writes when it names an object, says where it is, and says whether it sees it.

    <query>the red cup</query>    <box>100, 200, 300, 400</box>    <visible>yes</visible>

Boxes are returned as written, corners unsorted, numbers outside the frame kept. All searches are linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from sightline.core.missing import Missing
from sightline.parse.tags import Block

XYXY = tuple[float, float, float, float]
GENERIC = "the main object"
LONGEST = 4096  # characters; four numbers need fewer
_NUMBER = re.compile(r"[+-]?+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][+-]?+[0-9]++)?+", re.ASCII)
_TRUE, _FALSE = ("yes", "true", "1"), ("no", "false", "0")


def referring_query(text: str) -> str:
    """The object that the first `<query>` block names; the main object if it names none.

    Example:
        >>> referring_query("<query> red cup </query><query>dog</query>"), referring_query("<query> </query>")
        ('red cup', 'the main object')
    """
    found = Block("query")(text)
    return GENERIC if isinstance(found, Missing) or not found else found


@dataclass(frozen=True, slots=True)
class FourNumbers:
    """The box of the first `<box>` block: exactly four finite numbers between commas and white space.

    Brackets, semicolons and words make it no box. 0, 0, 0, 0 says that the object is not there.

    Args:
        between: `white` takes commas and any white space; `blanks` commas and blanks only, and numbers in any spelling
            that Python reads, as released code does.

    Example:
        >>> FourNumbers()("<box>10 20,30\\n4e1</box>"), FourNumbers()("<box>[1, 2, 3, 4]</box>").why
        ((10.0, 20.0, 30.0, 40.0), 'the box is not four numbers')
    """

    between: Literal["white", "blanks"] = "white"

    def __call__(self, text: str) -> XYXY | Missing:
        found = Block("box")(text)
        if isinstance(found, Missing):
            return found
        if len(found) > LONGEST:
            return Missing("the box is not four numbers")
        spaced = found.replace(",", " ")
        pieces = spaced.split() if self.between == "white" else [piece for piece in spaced.split(" ") if piece]
        numbers = [self._number(piece) for piece in pieces] if len(pieces) == 4 else []
        if not numbers or not all(isfinite(number) for number in numbers):
            return Missing("the box is not four numbers")
        a, b, c, d = numbers
        return a, b, c, d

    def _number(self, piece: str) -> float:
        """The value, NaN if it is none."""
        if self.between == "white" and _NUMBER.fullmatch(piece) is None:
            return float("nan")
        try:
            return float(piece)
        except ValueError:
            return float("nan")


@dataclass(frozen=True, slots=True)
class Visibility:
    """Whether the first `<visible>` block says yes: exactly yes, true or 1; no, false or 0 say no.

    Args:
        otherwise: anything else is `missing`, or a `no`, as in released code.

    Example:
        >>> said = ("<visible> YES </visible>", "<visible>0</visible>", "<visible>yes, clearly</visible>")
        >>> [Visibility("no")(text) for text in said], Visibility()(said[2]).why
        ([True, False, False], 'neither yes nor no')
    """

    otherwise: Literal["missing", "no"] = "missing"

    def __call__(self, text: str) -> bool | Missing:
        found = Block("visible")(text)
        word = "" if isinstance(found, Missing) else found.lower()
        if word in _TRUE:
            return True
        if word in _FALSE or self.otherwise == "no":
            return False
        return found if isinstance(found, Missing) else Missing("neither yes nor no")
