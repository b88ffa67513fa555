"""Whether two texts name the same option."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.stated_choice import StatedChoice


@dataclass(frozen=True)
class SameChoice:
    """1 if both texts state the same option, else 0; a comparison for `Answer`.

    Example:
        >>> SameChoice()('{"choice": 1}', "1"), SameChoice()("2", "1"), SameChoice()("both", "1").why
        (1.0, 0.0, 'not JSON')
    """

    choice: StatedChoice = StatedChoice()

    def __call__(self, said: str, right: str) -> float | Missing:
        found = self.choice(said)
        return found if isinstance(found, Missing) else float(found == self.choice(right))
