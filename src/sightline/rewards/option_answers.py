"""A comparison for multiple choice that asks for the letter and nothing else."""

from __future__ import annotations

from sightline.parse.undressed import undressed


def same_option(said: str, right: str) -> float:
    """1 if both are equal in upper case, without one enclosing pair of brackets and one final `.`, `:` or `)`.

    Example:
        >>> same_option("(b)", "B"), same_option("B) dog", "B")
        (1.0, 0.0)
    """
    return float(undressed(said).upper() == undressed(right).upper())
