"""Which way of reasoning a text takes, by the words it uses. Knows no grammar and no negation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sightline.core.missing import Missing

LONGEST = 200_000  # characters
Words = tuple[tuple[str, tuple[str, ...]], ...]

HEURISTICS: Words = (
    ("comparison", ("larger", "smaller", "taller", "darker", "same", "different")),
    ("spatial", ("left", "right", "above", "below", "behind", "front", "facing")),
    ("ordering", ("first", "second", "count", "number", "total")),
    ("containment", ("inside", "contains", "covered", "occluded", "hidden", "touching")),
    ("elimination", ("option", "options", "eliminate", "eliminated", "ruled")),
)
_WORD = re.compile(r"\w++")


@dataclass(frozen=True, slots=True)
class MostWords:
    """The heuristic whose words a text uses most: whole words, any case; ties to the earlier list.

    Args:
        lists: (name, words) pairs.

    Example:
        >>> MostWords()("The LEFT one is larger than the right one"), MostWords()("It leftovers").why
        ('spatial', 'no word of any heuristic')
    """

    lists: Words = HEURISTICS

    def __call__(self, text: str) -> str | Missing:
        if len(text) > LONGEST:
            return Missing(f"longer than {LONGEST} characters")
        owners = {word: name for name, words in reversed(self.lists) for word in words}
        hits = dict.fromkeys((name for name, _ in self.lists), 0)
        for word in _WORD.findall(text.lower()):
            if word in owners:
                hits[owners[word]] += 1
        best = max(hits, key=lambda name: hits[name], default="")
        return best if hits.get(best) else Missing("no word of any heuristic")
