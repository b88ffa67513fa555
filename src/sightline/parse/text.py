"""Plain answers as text: how they are cleaned before they are compared."""

from __future__ import annotations

import re

_DROPPED = {mark: re.compile(rf"(?<=\s){mark}+") for mark in ("\n", "\r")}


def clean_text(text: str) -> str:
    r"""The text on one line, trimmed, without final dots, in lower case.

    A line break behind white space is dropped, any other becomes a blank.

    Example:
        >>> clean_text(" Two\nRed Cars.. ")
        'two red cars'
    """
    for mark, dropped in _DROPPED.items():
        if mark in text:
            text = dropped.sub("", text).replace(mark, " ")
    return text.strip().rstrip(".").lower()


def one_line_lower(text: str) -> str:
    r"""The text in lower case with a blank for every newline.

    Example:
        >>> one_line_lower("```JSON\n[]```")
        '```json []```'
    """
    return text.replace("\n", " ").lower()


def squeezed(text: str) -> str:
    """The text in lower case without blanks and underscores, for comparing names of classes.

    Example:
        >>> squeezed("Garden_Phlox") == squeezed("garden phlox")
        True
    """
    return "".join(text.lower().replace("_", " ").split())
