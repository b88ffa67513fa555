"""A judge without a model: does the reasoning use the words of the evidence?

It looks at words only: it knows no synonyms, no stems and no negation. For tests and for runs without a model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sightline.judges.judge import Question, Verdict

_STOP = "a an the and or of to in on at into with by for from is are was were be it its this that as"
STOP_WORDS = frozenset(_STOP.split())
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class OverlapJudge:
    """Says "1" if the reasoning holds enough of the content words of one piece of evidence, else "0".

    share(item) = |words(item) found in words(reasoning)| / |words(item)|;  "1" iff share >= threshold for some item.

    Words are runs of letters and digits, lower-cased, each counted once, stop words left out of the item, no stemming.
    An item without content words never counts.

    Args:
        threshold: the share of an item's words that must be found, in (0, 1].
        stop_words: words that carry no content.

    Reads: the question's fields `evidence` (list of texts) and `reasoning` (text). Without them: an error.

    Example:
        >>> def says(reasoning):
        ...     fields = (("evidence", ["a red ball enters the basket"]), ("reasoning", reasoning))
        ...     return OverlapJudge().generate([Question("", fields)])[0].value
        >>> says("I can see the red ball going into the basket"), says("sports videos usually end with a score")
        ('1', '0')
    """

    threshold: float = 0.6
    stop_words: frozenset[str] = STOP_WORDS
    instant: ClassVar[bool] = True

    @property
    def id(self) -> str:
        if self.stop_words == STOP_WORDS:
            return f"overlap:{self.threshold:g}"
        return f"overlap:{self.threshold:g}:{','.join(sorted(self.stop_words))}"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """A text per question: 1 or 0."""
        return [self._verdict(question) for question in questions]

    def _verdict(self, question: Question) -> Verdict[str]:
        evidence, reasoning = question.field("evidence"), question.field("reasoning")
        if evidence is None or not isinstance(reasoning, str):
            names = [name for name, _ in question.fields]
            return Verdict(error=f"{self.id} reads the fields `evidence` and `reasoning`; the question has {names}")
        items = (evidence,) if isinstance(evidence, str) else evidence
        said = words(reasoning)
        return Verdict("1" if any(self._cites(said, str(item)) for item in items) else "0")

    def _cites(self, said: frozenset[str], item: str) -> bool:
        content = words(item) - self.stop_words
        return bool(content) and len(content & said) / len(content) >= self.threshold


def words(text: str) -> frozenset[str]:
    """The distinct runs of letters and digits of a text, lower-cased.

    Example:
        >>> sorted(words("Red_ball, no. 7!"))
        ['7', 'ball', 'no', 'red']
    """
    return frozenset(_WORD.findall(text.lower()))
