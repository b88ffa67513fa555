"""How many words two texts share: BLEU-1, ROUGE-1, and their mean. Words are `[a-z0-9]+` of the lower-cased text.

Knows nothing of answers or tags: texts arrive extracted.
"""

from __future__ import annotations

import math
import re
from collections import Counter

_WORD = re.compile("[a-z0-9]+")


def words(text: str) -> list[str]:
    """The words of a text, lower-cased, without punctuation.

    Example:
        >>> words("Cotton-wool spots, 2 of them.")
        ['cotton', 'wool', 'spots', '2', 'of', 'them']
    """
    return _WORD.findall(text.lower())


def bleu_1(prediction: str, reference: str) -> float:
    """Share of the prediction's words that the reference has, with the brevity penalty.

    overlap / |p| * BP,  BP = 1 if |p| >= |g| else exp(1 - |g| / |p|);  overlap = sum over words of min(count, count)

    Range [0, 1]; 0 if either side has no word.

    Example:
        >>> round(bleu_1("left lower lobe pneumonia", "pneumonia in the left lower lobe"), 6)
        0.606531

    References:
        Papineni et al., BLEU, ACL 2002.
    """
    return _bleu(*_counted(prediction, reference))


def rouge_1(prediction: str, reference: str) -> float:
    """F measure of shared words without stemming: 2 overlap / (|p| + |g|).

    Range [0, 1]; 0 if either side has no word.

    Example:
        >>> rouge_1("left lower lobe pneumonia", "pneumonia in the left lower lobe"), rouge_1("no", "No.")
        (0.8, 1.0)

    References:
        Lin, ROUGE, 2004.
    """
    return _rouge(*_counted(prediction, reference))


def unigram_agreement(prediction: str, reference: str) -> float:
    """Mean of BLEU-1 and ROUGE-1. Range [0, 1].

    Example:
        >>> round(unigram_agreement("left lower lobe pneumonia", "pneumonia in the left lower lobe"), 6)
        0.703265
    """
    counts = _counted(prediction, reference)
    return 0.5 * _bleu(*counts) + 0.5 * _rouge(*counts)


def _bleu(overlap: int, said: int, right: int) -> float:
    if not said or not right:
        return 0.0
    return overlap / said * (1.0 if said >= right else math.exp(1.0 - right / said))


def _rouge(overlap: int, said: int, right: int) -> float:
    return 2.0 * overlap / (said + right) if said and right else 0.0


def _counted(prediction: str, reference: str) -> tuple[int, int, int]:
    """Words in common, words said, words of the reference."""
    said, right = words(prediction), words(reference)
    return (Counter(said) & Counter(right)).total(), len(said), len(right)
