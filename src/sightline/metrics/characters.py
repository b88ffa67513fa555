"""How well characters were read: position by position, by edits, and how many nobody could have seen.

Texts are compared by code points. Blanks are taken out first by whoever wants that: `without_spaces`, `without_blanks`.
"""

from __future__ import annotations

import unicodedata

from sightline.metrics.text import edit_distance


def without_spaces(text: str) -> str:
    """The text without ASCII spaces.

    Example:
        >>> without_spaces("Beau  ful\\t")
        'Beauful\\t'
    """
    return text.replace(" ", "")


def without_blanks(text: str) -> str:
    """The text in composed form (NFC), without any white space.

    Example:
        >>> without_blanks("Beau \\u3000 ful\\t"), without_blanks("e\\u0301") == "\\u00e9"
        ('Beauful', True)
    """
    return "".join(unicodedata.normalize("NFC", text).split())


def character_accuracy(said: str, right: str) -> float:
    """Share of the right text's characters that stand at the same position in what was said.

    number of positions i with said_i = right_i / |right|

    Range [0, 1]; 0 for an empty right text. One inserted character shifts, and so zeroes, the rest. Blanks count: where
    they stand for what cannot be read, take them out first (`without_blanks`).

    Example:
        >>> character_accuracy("10/12/2O23", "10/12/2023"), character_accuracy("xBauful", "Bauful")
        (0.9, 0.0)
    """
    return sum(a == b for a, b in zip(said, right, strict=False)) / len(right) if right else 0.0


def edit_similarity(said: str, right: str) -> float:
    """One minus the edits per character of the longer text: 1 - d / max(|said|, |right|).

    d counts insertions, deletions and substitutions. Range [0, 1]; 1 for two empty texts.

    Example:
        >>> round(edit_similarity("Beautiful", "Beauful"), 6), edit_similarity("", ""), edit_similarity("abc", "")
        (0.777778, 1.0, 0.0)
    """
    longest = max(len(said), len(right))
    return 1.0 - edit_distance(said, right) / longest if longest else 1.0


def unsupported_share(said: str, right: str) -> float:
    """Share of the said characters that the right text does not support: 1 - |LCS| / |said|.

    LCS is the longest common subsequence. Range [0, 1]; 0 for an empty text: nothing was invented.

    Example:
        >>> round(unsupported_share("Beautiful", "Beauful"), 6), unsupported_share("Beau", "Beauful")
        (0.222222, 0.0)
    """
    from rapidfuzz.distance import LCSseq

    return 1.0 - LCSseq.similarity(said, right) / len(said) if said else 0.0
