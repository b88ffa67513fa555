"""Comparisons that look at what text similarity does not see: that one text denies what the other states."""

from __future__ import annotations

from sightline.parse.negation import denies


def contradicts(said: str, right: str) -> float:
    """1 if exactly one of two texts holds a negation.

    Similarities of texts hardly move when a finding is denied; this says where to take them back. It is about the whole
    text: of an answer with several statements, one denied, it cannot tell which.

    Example:
        >>> contradicts("no effusion", "effusion"), contradicts("no effusion", "without effusion")
        (1.0, 0.0)
    """
    return float(denies(said) != denies(right))
