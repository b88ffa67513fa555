"""Comparisons for answers of a stated kind: what an empty answer is worth, and numbers that are exactly right."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.numbers import Number
from sightline.rewards.answers import Comparison, number_closeness


@dataclass(frozen=True)
class Said:
    """A comparison for answers that are not empty; an empty one earns 0, whatever is right.

    Args:
        compare: (said, right) -> 0..1, or `Missing`.

    Example:
        >>> from sightline.rewards.answers import word_accuracy
        >>> Said(word_accuracy)("", "").why, Said(word_accuracy)("a b", "a c")
        ('the answer is empty', 0.5)
    """

    compare: Comparison

    def __call__(self, said: str, right: str) -> float | Missing:
        return self.compare(said, right) if said.strip() else Missing("the answer is empty")


def exact_or_close(said: str, right: str) -> float | Missing:
    """1 for equal numbers, else one minus the relative error, not below 0.

    Released regression rewards give 0 where both are 0, for they divide 1e-9 by 1e-9.

    Example:
        >>> exact_or_close("0", "0.0"), round(exact_or_close("9", "10"), 6), number_closeness("0", "0")
        (1.0, 0.9, 0.0)
    """
    mine, gold = Number()(said), Number()(right)
    if not isinstance(mine, Missing) and mine == gold:
        return 1.0
    return number_closeness(said, right)
