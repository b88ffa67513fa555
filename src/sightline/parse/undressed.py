"""A short answer without the brackets around it and the mark behind it."""

from __future__ import annotations

_PAIRS = {"(": ")", "[": "]", "{": "}"}
_MARKS = (".", ":", ")")


def undressed(text: str) -> str:
    """The trimmed text without one enclosing pair of brackets and one final `.`, `:` or `)`.

    Example:
        >>> [undressed(text) for text in ("B", "(B)", "B.", "(B).", "[B]:", "B)", "(B", "A or B")]
        ['B', 'B', 'B', 'B', 'B', 'B', '(B', 'A or B']
    """
    text = text.strip()
    inner = _unbracketed(text)
    if inner is not None:
        return inner[:-1].strip() if inner.endswith(_MARKS) else inner
    if text.endswith(_MARKS):
        text = text[:-1].strip()
        inner = _unbracketed(text)
    return text if inner is None else inner


def option_letter(text: str) -> str:
    """The one letter that an answer is but for its dress, in upper case; nothing if it is more, or none.

    Example:
        >>> option_letter("(b)."), option_letter("A or B"), option_letter("7")
        ('B', '', '')
    """
    text = undressed(text)
    return text.upper() if len(text) == 1 and text.isascii() and text.isalpha() else ""


def _unbracketed(text: str) -> str | None:
    if len(text) > 1 and _PAIRS.get(text[0]) == text[-1]:
        return text[1:-1].strip()
    return None
