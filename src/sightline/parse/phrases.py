"""A description cut into phrases that can be judged one by one: sentences, and their parts at commas if long enough.

Places are kept: a phrase is the words from its first to its last, and where they stand in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sightline.parse.tags import Span

READ = 100_000  # characters
_WORD = re.compile(r"\S+")
_END = re.compile(r"[.!?]+[\"'’”)\]}»]*$")
_OPENING = "\"'‘“([{«"
ABBREVIATIONS = ("Mr.", "Mrs.", "Ms.", "Dr.", "St.", "vs.", "e.g.", "i.e.", "etc.", "No.")


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of a text, from left to right, without gaps between their words.

    A sentence ends at a word with `.`, `!` or `?` at its end, closing quotes and brackets behind it or not, unless the
    word is a single letter with a full stop or one of `abbreviations`. Inside a sentence of n words a phrase begins at
    word t if word t - 1 ends in one of `marks` and t + least < n. If the phrase before it then has fewer than `least`
    words, it joins the one before that; if there is none before, word t begins nothing.

    Args:
        least: words.
        marks: at whose end a phrase may end.
        abbreviations: as they are written.
        keep_lone: a last sentence of a single word is a phrase; the released code loses it.

    Returns: spans whose text is the words joined by single blanks, and whose place is in the text as it was written.
    The first 100,000 characters are read.

    Example:
        >>> said = "Wow, a dog is here, and it runs very fast across the green field today."
        >>> [span.text for span in Phrases()(said)]
        ['Wow, a dog is here,', 'and it runs very fast across the green field today.']
        >>> [span.text for span in Phrases(keep_lone=False)("A table. Nice.")]
        ['A table.']

    References:
        FGAIF, arXiv 2404.05046, sub-sentences; the released code finds sentences by a model.
    """

    least: int = 5
    marks: str = ",;!?"
    abbreviations: tuple[str, ...] = ABBREVIATIONS
    keep_lone: bool = True

    def __call__(self, text: str) -> list[Span]:
        words = [found.span() for found in _WORD.finditer(text[:READ])]
        said = [text[start:end] for start, end in words]
        bounds = self._sentences(said)
        if bounds and not self.keep_lone and bounds[-1][1] - bounds[-1][0] == 1:
            bounds.pop()
        return [
            Span(" ".join(said[first:last]), words[first][0], words[last - 1][1])
            for begin, end in bounds
            for first, last in self._parts(said, begin, end)
        ]

    def _sentences(self, said: Sequence[str]) -> list[tuple[int, int]]:
        """Words [first, last) of every sentence."""
        ends = [i + 1 for i, word in enumerate(said) if self._ends(word)]
        if said and (not ends or ends[-1] < len(said)):
            ends.append(len(said))
        return list(zip([0, *ends], ends, strict=False))

    def _ends(self, word: str) -> bool:
        mark = _END.search(word[-40:])
        if mark is None:
            return False
        bare = word.lstrip(_OPENING)
        if len(bare) >= 2 and bare[0].isalpha() and bare[1] == "." and not bare[2:].strip("\"'’”)]}»"):
            return False
        return bare not in self.abbreviations and bare.rstrip("\"'’”)]}»") not in self.abbreviations

    def _parts(self, said: Sequence[str], begin: int, end: int) -> list[tuple[int, int]]:
        """Words [first, last) of every phrase of the sentence of words [begin, end)."""
        starts = [begin]
        for t in range(begin + 1, end):
            if said[t - 1][-1] in self.marks and t + self.least < end:
                short = t - starts[-1] < self.least
                if short and len(starts) == 1:
                    continue
                if short:
                    starts.pop()
                starts.append(t)
        return list(zip(starts, [*starts[1:], end], strict=True))
