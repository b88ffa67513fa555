"""A sentence encoder and a judge without a model, by counting words. For tests and for runs without a model.

They know no synonyms and no order; sentences are alike if they share words, and likely is what was said before.
"""

from __future__ import annotations

import hashlib
import math
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

    v[h(word)] += sign(word), words lower-cased, stop words left out unless there is no other word

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
        words = _WORD.findall(text.lower())[: self.most]
        # a text of stop words alone keeps them: else it would be unlike itself
        for word, times in Counter([word for word in words if word not in self.stop_words] or words).items():
            place, sign = _place(word, self.size)
            found[place] += sign * times
        return tuple(found)


@dataclass(frozen=True)
class LexicalJudge:
    """Finds likely what the question's fields have said, by a unigram model with add-one smoothing.

    choose    share of option o = (1 + n(o)) / sum over options of (1 + n),  n(o) = times its words occur in a row
    generate  the option of the largest share, the first of several; an error without options
    loglik    per word w of the continuation: log((1 + n(w)) / (words + vocabulary)), lower-cased

    Fields and opening are counted, not the template, which may list the options; pictures are not looked at.

    Args:
        vocabulary: number of words that the smoothing reckons with.

    Example:
        >>> said = (("said", "the red ball is red"),)
        >>> [verdict.value for verdict in LexicalJudge().choose([Question("?", said, options=("red", "blue"))])]
        [(0.75, 0.25)]
        >>> verdict, = LexicalJudge(95).loglik([Question("?", said, continuation="red cube")])
        >>> [round(math.exp(logp), 6) for logp in verdict.value]
        [0.03, 0.01]
    """

    vocabulary: int = 1000

    @property
    def id(self) -> str:
        return f"lexical judge:{self.vocabulary}"

    def choose(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """Shares of the options."""
        return [self._shares(question) for question in questions]

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """The likeliest option."""
        return [
            Verdict(error=shares.error) if shares.value is None
            else Verdict(question.options[shares.value.index(max(shares.value))])
            for question, shares in zip(questions, self.choose(questions), strict=True)
        ]  # fmt: skip

    def loglik(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """A log-probability per word of the continuation."""
        return [self._logps(question) for question in questions]

    def _shares(self, question: Question) -> Verdict[tuple[float, ...]]:
        if not question.options:
            return Verdict(error=f"{self.id} answers with one of the options; the question has none")
        said = _said(question)
        found = [1 + _times(said, _WORD.findall(option.lower())) for option in question.options]
        return Verdict(tuple(count / sum(found) for count in found))

    def _logps(self, question: Question) -> Verdict[tuple[float, ...]]:
        said = Counter(_said(question))
        total = sum(said.values()) + self.vocabulary
        words = _WORD.findall(question.continuation.lower())
        if not words:
            return Verdict(error="an empty continuation has no log-probability")
        return Verdict(tuple(math.log((1 + said[word]) / total) for word in words))


def _times(said: Sequence[str], words: Sequence[str]) -> int:
    size = len(words)
    return sum(said[at : at + size] == words for at in range(len(said) - size + 1)) if size else 0


def _said(question: Question) -> list[str]:
    told = [str(value) for _, value in question.fields]
    return _WORD.findall(" ".join([*told, question.opening]).lower())


@lru_cache(maxsize=65_536)
def _place(word: str, size: int) -> tuple[int, float]:
    number = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "big")
    return (number >> 1) % size, 1.0 if number & 1 else -1.0
