"""Comparisons that look at what text similarity does not see: that one text denies what the other states."""

from __future__ import annotations

from sightline.parse.negation import denies


def same_polarity(said: str, right: str) -> float:
    """1 if both of two texts hold a negation or neither does.

    Similarities of texts hardly move when a finding is denied; this says where to take them back. It is about the whole
    text: of an answer with several statements, one denied, it cannot tell which.

    Example:
        >>> same_polarity("no effusion", "effusion"), same_polarity("no effusion", "without effusion")
        (0.0, 1.0)
    """
    return float(denies(said) == denies(right))
