"""A penalty for saying the same run of words again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.metrics.text import repeated_ngram_share
from sightline.rewards.reward import Range, Reward

MOST = 50_000  # characters that are read


@dataclass(frozen=True)
class RepeatedWords(Reward):
    """Minus the share of word n-grams of the reply that occurred before.

    value = -(1 - u / t), t n-grams of which u are distinct, words in lower case, split at white space

    Args:
        n: words in an n-gram.

    Range: [-1, 0]; 0 for fewer than n words. The first 50,000 characters are read.

    Example:
        >>> RepeatedWords(2)(Batch(["go on Go on", "go on"])).values.round(6)
        array([-0.333333,  0.      ])

    References:
        Perception-R1, arXiv 2506.07218: repetition penalty.
    """

    n: int = 20
    range: ClassVar[Range] = (-1.0, 0.0)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": text} for text in ("a " * 40, "one two", "", "the cat sat on the mat " * 8)]

    def score(self, batch: Batch) -> Scores:
        shares = np.array([repeated_ngram_share(text[:MOST], self.n) for text in batch.texts])
        return Scores.of(0.0 - shares, [f"{share:.0%} repeated" if share else "" for share in shares])
