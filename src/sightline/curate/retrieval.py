"""The passages of a small collection that share the most telling words with a query: BM25, by `bm25s`.

Knows words only; what a passage is about is the caller's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sightline.core.errors import ConfigError, MissingExtra
from sightline.metrics.unigrams import words


class Found(NamedTuple):
    """A passage and how well it fits.

    Args:
        number: of the passage.
        score: BM25, above 0.
    """

    number: int
    score: float


@dataclass(frozen=True)
class Passages:
    """A collection that can be searched.

    Args:
        texts: the passages.
        k1, b: of BM25: how soon repeats saturate, and how much long passages are held back.

    Raises:
        ConfigError: no passage has a word.
        MissingExtra: on search, without bm25s.

    Example:
        >>> books = Passages(("drusen lie under the macula", "a large cup and a thin rim", "blood and cotton wool"))
        >>> [found.number for found in books.nearest("thin rim of the disc", 2)]
        [1]

    References:
        Robertson, Zaragoza, The probabilistic relevance framework, 2009. Lu, BM25S, arXiv 2407.03618.
    """

    texts: tuple[str, ...]
    k1: float = 1.5
    b: float = 0.75

    def nearest(self, query: str, most: int = 3) -> list[Found]:
        """At most so many passages that share a word with the query, the best first, ties by number."""
        scores = self._index.get_scores(_tokens(query)) if _tokens(query) else [0.0] * len(self.texts)
        ranked = sorted((-float(score), number) for number, score in enumerate(scores) if score > 0)
        return [Found(number, -score) for score, number in ranked[:most]]

    @cached_property
    def _index(self) -> Any:
        try:
            from bm25s import BM25
        except ImportError as error:
            raise MissingExtra.of("Passages", "retrieval") from error
        corpus = [_tokens(text) for text in self.texts]
        if not any(corpus):
            raise ConfigError("Passages has no passage with a word")
        index = BM25(k1=self.k1, b=self.b)
        index.index(corpus, show_progress=False)
        return index


_COMMON = "a an the and or of to in on at into with by for from is are was were be it its this that as"
_SKIPPED = frozenset(_COMMON.split())


def _tokens(text: str) -> list[str]:
    return [word for word in words(text) if word not in _SKIPPED]
