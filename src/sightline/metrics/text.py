"""How alike two texts are: edit distance, word error rate, indel ratio, ROUGE; and how much a text repeats itself.

Knows nothing of answers or tags: texts arrive extracted and cleaned.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from sightline.metrics.stems import IRREGULAR, porter_stem

_ROUGE_WORD = re.compile("[a-z0-9]+")


def edit_distance(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """Fewest insertions, deletions and substitutions that turn `a` into `b`: of characters, or of words if given lists.

    Example:
        >>> edit_distance("kitten", "sitting"), edit_distance(["a", "red", "ball"], ["a", "ball"])
        (3, 1)
    """
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.distance(a, b)


def word_error_rate(prediction: str, reference: str) -> float:
    """Word edits per word of the reference: edit distance of words / max(1, words of the reference).

    Words are split at white space. Range [0, inf): a long wrong text exceeds 1; 0 for two empty texts.

    Example:
        >>> word_error_rate("exit on left", "exit on the left"), word_error_rate("a b c", "")
        (0.25, 3.0)
    """
    words = reference.split()
    return edit_distance(prediction.split(), words) / max(1, len(words))


def indel_ratio(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """Similarity when only insertions and deletions count: 2 LCS / (len(a) + len(b)).

    LCS is the length of the longest common subsequence. Range [0, 1]; 1 for two empty texts. It is the `ratio` of the
    Levenshtein package, not 1 - distance / longest.

    Example:
        >>> indel_ratio("abcd", "abxd"), indel_ratio("", "")
        (0.75, 1.0)
    """
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity(a, b)


class Rouge(NamedTuple):
    """F measures of word overlap, each in [0, 1]."""

    rouge_1: float
    rouge_2: float
    rouge_l: float

    @property
    def mean(self) -> float:
        """Plain mean of the three.

        Example:
            >>> Rouge(1.0, 0.5, 0.0).mean
            0.5
        """
        return sum(self) / len(self)


def rouge(prediction: str, reference: str, stem: bool = True) -> Rouge:
    """ROUGE-1, ROUGE-2 and ROUGE-L F measures.

    F = 2 p r / (p + r), p = overlap / prediction, r = overlap / reference; overlap counts common words, common pairs of
    neighbouring words, or the longest common subsequence of words. Words are runs of a-z and 0-9 of the lower-cased
    text.

    Args:
        stem: compare Porter stems of words longer than three letters.

    Low: 0 where a side has no word (no pair); other scripts have no words in this sense.

    Example:
        >>> [round(value, 4) for value in rouge("the cats sat down", "the cat sat")]
        [0.8571, 0.8, 0.8571]

    References:
        Lin, ROUGE, 2004; equal to the package rouge-score with `use_stemmer=stem`.
    """
    from rapidfuzz.distance import LCSseq

    b = _rouge_words(reference, stem)
    words = _ROUGE_WORD.findall(prediction.lower())
    found = _in_reference(words, set(b), stem)
    shared = [word for _, word in found]
    pairs = Counter((x, y) for (i, x), (j, y) in pairwise(found) if j == i + 1)
    return Rouge(
        _f_measure((Counter(shared) & Counter(b)).total(), len(words), len(b)),
        _f_measure((pairs & Counter(pairwise(b))).total(), len(words) - 1, len(b) - 1),
        _f_measure(LCSseq.similarity(shared, b), len(words), len(b)),
    )


def repeated_share(items: Iterable[Hashable]) -> float:
    """Share of items that have occurred before: 1 - unique / total. Range [0, 1); 0 without items.

    Example:
        >>> round(repeated_share(["cat", "cat", "dog"]), 6)
        0.333333
    """
    listed = list(items)
    return 1.0 - len(set(listed)) / len(listed) if listed else 0.0


def repeated_ngram_share(text: str, n: int = 6) -> float:
    """Share of word n-grams that have occurred before; words are lower-cased and split at white space.

    Range [0, 1); 0 for fewer than n words.

    Example:
        >>> repeated_ngram_share("go on " * 4), repeated_ngram_share("Go on go on", n=2)
        (0.33333333333333337, 0.33333333333333337)
    """
    return repeated_share(_ngrams(text.lower().split(), n))


def _rouge_words(text: str, stem: bool) -> list[str]:
    words = _ROUGE_WORD.findall(text.lower())
    return [porter_stem(word) if len(word) > 3 else word for word in words] if stem else words


def _in_reference(words: Sequence[str], reference: set[str], stem: bool) -> list[tuple[int, str]]:
    """(place, stem) of the words of a reply whose stem the reference has.

    Only a word that begins like one of the reference can have its stem: a stem keeps the first two letters, or the
    first if it has no more. So a reply of any length costs few stems.
    """
    irregular = (word for word, kept in IRREGULAR.items() if kept in reference)
    begins = (*{word[:2] for word in reference}, *irregular)
    alike = [(place, word) for place, word in enumerate(words) if word.startswith(begins)]
    stems = {word: porter_stem(word) if stem and len(word) > 3 else word for _, word in alike}
    return [(place, stems[word]) for place, word in alike if stems[word] in reference]


def _ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(words[start:] for start in range(n)), strict=False))


def _f_measure(overlap: int, in_prediction: int, in_reference: int) -> float:
    if not overlap:
        return 0.0
    precision, recall = overlap / in_prediction, overlap / in_reference
    return 2 * precision * recall / (precision + recall)
