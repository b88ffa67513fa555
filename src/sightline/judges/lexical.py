"""A sentence encoder without a model: hashed bags of words. For tests and for runs without a model.

It knows no synonyms and no order; sentences are alike if they share words.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sightline.judges.judge import Question, Verdict

_WORD = re.compile(r"[^\W_]+")
_COMMON = "a an the and or of to in on at into with by for from is are was were be it its this that as"
_STOP = frozenset(_COMMON.split())


@dataclass(frozen=True)
class LexicalEmbedder:
    """Counts words into `size` places by a hash, with a sign, so that words that share a place need not agree.

    v[h(word)] += sign(word), words lower-cased, stop words left out

    Args:
        size: length of a vector.
        most: only so many words are read, as encoders cut long texts.
        stop_words: words that carry no content.

    Verdicts: a vector of `size` numbers, all 0 for a text without words; an error for a question with pictures.

    Example:
        >>> a, b, c = LexicalEmbedder(64).embed([Question(t) for t in ("A cat sat.", "the CAT sat", "A dog ran.")])
        >>> a.value == b.value, sum(map(abs, a.value)), a.value == c.value
        (True, 2.0, False)
    """

    size: int = 512
    most: int = 256
    stop_words: frozenset[str] = _STOP

    @property
    def id(self) -> str:
        stops = "" if self.stop_words == _STOP else f":{','.join(sorted(self.stop_words))}"
        return f"lexical:{self.size}:{self.most}{stops}"

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """A vector per question."""
        return [
            Verdict(error=f"{self.id} takes no pictures") if q.images else Verdict(self._vector(q.text()))
            for q in questions
        ]

    def _vector(self, text: str) -> tuple[float, ...]:
        found = [0.0] * self.size
        words = [word for word in _WORD.findall(text.lower())[: self.most] if word not in self.stop_words]
        for word, times in Counter(words).items():
            place, sign = _place(word, self.size)
            found[place] += sign * times
        return tuple(found)


@lru_cache(maxsize=65_536)
def _place(word: str, size: int) -> tuple[int, float]:
    number = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "big")
    return (number >> 1) % size, 1.0 if number & 1 else -1.0
