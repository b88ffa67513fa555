"""Comparisons of short stated answers with a gold integer: yes or no, a count, an option's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sightline.core.missing import Missing
from sightline.parse.stated import bare_answer, letter_place, whole_number
from sightline.rewards.gold import gold_text


def gold_integer(value: Any) -> tuple[str, ...] | Missing:
    """A gold integer as text, also one that a table with holes has turned into a float.

    Example:
        >>> gold_integer(7), gold_integer(1.0), gold_integer("two").why
        (('7',), ('1',), 'it needs an integer')
    """
    text = gold_text(value)
    found = text if isinstance(text, Missing) else whole_number(text, point_zero=True)
    return Missing("it needs an integer") if isinstance(found, Missing) else (str(found),)


def says_yes_or_no(said: str, right: str) -> float | Missing:
    """1 if the answer is `yes` and the gold value 1, or `no` and anything else.

    Example:
        >>> says_yes_or_no(" Yes.", "1"), says_yes_or_no("no", "1"), says_yes_or_no("yes and no", "1").why
        (1.0, 0.0, 'neither yes nor no')
    """
    bare = bare_answer(said)
    if bare not in ("yes", "no"):
        return Missing("neither yes nor no")
    return float((bare == "yes") == (right == "1"))


@dataclass(frozen=True)
class SameCount:
    """1 for the gold integer.

    Args:
        point_zero: `7.0` is 7.

    Example:
        >>> SameCount()("n = 7.0", "7"), SameCount(point_zero=False)("7.0", "7").why, SameCount()("7 stops", "7").why
        (1.0, 'not a whole number', 'not a whole number')
    """

    point_zero: bool = True

    def __call__(self, said: str, right: str) -> float | Missing:
        found = whole_number(bare_answer(said), self.point_zero)
        return found if isinstance(found, Missing) else float(found == whole_number(right, True))


@dataclass(frozen=True)
class SameOption:
    """1 for the letter a..d whose place 0..3 is the gold integer.

    Args:
        with_text: text may follow the letter behind a dot, a closing bracket or a colon.

    Example:
        >>> SameOption()("B) two", "1"), SameOption(with_text=False)("B) two", "1").why
        (1.0, 'not one letter a to d')
    """

    with_text: bool = True

    def __call__(self, said: str, right: str) -> float | Missing:
        found = letter_place(bare_answer(said), self.with_text)
        return found if isinstance(found, Missing) else float(found == whole_number(right, True))
