"""The JSON object in a reply that should be nothing else: fenced, with commas too many, or in Python's spelling."""

from __future__ import annotations

import re
from typing import Any

from sightline.core.missing import Missing
from sightline.parse.json import drop_trailing_commas, load, python_literals

_FENCE = re.compile(r"```[A-Za-z]*")
_BRACE = re.compile(r'"(?:[^"\\]|\\.)*+"?+|[{}]', re.DOTALL)


def without_fences(text: str) -> str:
    """The text without code fences and outer blanks.

    Example:
        >>> without_fences("```json\\n1\\n```")
        '1'
    """
    return _FENCE.sub("", text).strip()


def first_object(text: str) -> dict[str, Any] | Missing:
    """The object from the first `{` to its matching brace; braces inside double quotes do not count.

    Read as JSON, then without trailing commas, then as a Python literal.

    Example:
        >>> first_object("Sure: ```{'p': 1, 'why': None,}```"), first_object('{"p": 1').why
        ({'p': 1, 'why': None}, 'the braces are never balanced')
    """
    text = without_fences(text)
    start = text.find("{")
    if start < 0:
        return Missing("no object")
    cut = _balanced(text, start)
    if cut is None:
        return Missing("the braces are never balanced")
    for change in (str, drop_trailing_commas, _as_json):
        value = load(change(cut))
        if isinstance(value, dict):
            return value
    return value if isinstance(value, Missing) else Missing("no object")


def _balanced(text: str, start: int) -> str | None:
    depth = 0
    for token in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(token[0], 0)
        if depth == 0 and token[0] == "}":
            return text[start : token.end()]
    return None


def _as_json(text: str) -> str:
    return drop_trailing_commas(python_literals(text))
