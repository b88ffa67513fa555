r"""JSON that a policy wrote: fenced, bare, single-quoted, truncated, with trailing commas.

`JsonList` reads a list; what it forgives is given as values: `rewrite` steps always run, `repair` steps run one after
the other only while the text does not load. Numbers that JSON does not know (NaN, Infinity, 1e999, integers of a
thousand digits) load as floats that are not finite; whoever uses them decides. The module knows nothing of boxes.

Long texts get less patience, so that a flood costs no more than an answer: above 100,000 characters nothing is
forgiven, above 400,000 nothing is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import orjson

from sightline.core.missing import Missing

Rewrite: TypeAlias = Callable[[str], str]
FORGIVEN, READ = 100_000, 400_000  # characters


def _whole_number(digits: str) -> float:
    return int(digits) if len(digits) < 19 else float(digits)


_DECODER = json.JSONDecoder(parse_int=_whole_number)


def load(text: str) -> Any:
    """The JSON value that `text` is, or Missing. NaN and the like are read in texts of up to 100,000 characters.

    Example:
        >>> load('{"a": [1, 2.5]}'), load("[NaN]"), load("[1,]").why
        ({'a': [1, 2.5]}, [nan], 'not JSON')
    """
    if len(text) > READ:
        return Missing(f"longer than {READ} characters")
    try:
        return orjson.loads(text)
    except ValueError:
        if len(text) > FORGIVEN:
            return Missing("not JSON")
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return Missing("not JSON")


@dataclass(frozen=True, slots=True)
class Fence:
    r"""The text inside a code fence: three backticks with the language, up to the next three.

    Args:
        language: the word right behind the opening backticks, in this case; None: any word or none.
        which: the first or the last fence.
        strip: take white space off both ends.
        otherwise: what to return if there is no closed fence: `Missing`, or the whole text.

    Example:
        >>> Fence("json")("Here:\n```json\n[1]\n```\n")
        '[1]'
        >>> Fence("json")("```python\n1\n```").why
        'no closed ```json fence'
        >>> Fence(None)("```python\n1\n```")
        '1'
    """

    language: str | None = "json"
    which: Literal["first", "last"] = "first"
    strip: bool = True
    otherwise: Literal["missing", "text"] = "missing"

    def __call__(self, text: str) -> str | Missing:
        opening = _TICKS + (self.language or "")
        found: str | None = None
        start = text.find(opening)
        while start >= 0:
            start += len(opening)
            end = text.find(_TICKS, start)
            if end < 0:
                break
            found = text[start:end]
            if self.which == "first":
                break
            start = text.find(opening, end + len(_TICKS))
        if found is None:
            if self.otherwise == "text":
                return text.strip() if self.strip else text
            return Missing(f"no closed {opening} fence")
        if self.language is None:
            found = _INFO.sub("", found, count=1)
        return found.strip() if self.strip else found


_TICKS = "```"
_INFO = re.compile(r"\A[\w+#.-]*+(?=\s)")


@dataclass(frozen=True, slots=True)
class JsonList:
    """The JSON list that a text is.

    Args:
        rewrite: text -> text, always applied, in order.
        repair: text -> text, applied in order, and added to each other, until the text loads.
        single: a lone object counts as a list of one.

    Example:
        >>> JsonList()('[{"a": 1}]'), JsonList()("[{'a': 1}]").why, JsonList()('{"a": 1}').why
        ([{'a': 1}], 'not JSON', 'JSON, but not a list')
        >>> LENIENT_LIST("The list: [{'a': 1}, {'a': 2,}, {'a'")
        [{'a': 1}, {'a': 2}]
    """

    rewrite: tuple[Rewrite, ...] = ()
    repair: tuple[Rewrite, ...] = ()
    single: bool = False

    def __call__(self, text: str) -> list[Any] | Missing:
        for step in self.rewrite:
            text = step(text)
        value = load(text)
        if self.repair and isinstance(value, Missing) and len(text) <= FORGIVEN:
            value = self._repaired(text)
        if isinstance(value, (list, Missing)):
            return value
        return [value] if self.single and isinstance(value, dict) else Missing("JSON, but not a list")

    def _repaired(self, text: str) -> Any:
        value: Any = Missing("not JSON")
        for step in self.repair:
            text = step(text)
            value = load(text)
            if not isinstance(value, Missing):
                break
        return value


def collapse_brackets(text: str) -> str:
    """`[[` becomes `[` and `]]` becomes `]`, once.

    Example:
        >>> collapse_brackets("[[1, 2]]")
        '[1, 2]'
    """
    return text.replace("[[", "[").replace("]]", "]")


def drop_newlines(text: str) -> str:
    """The text without newlines.

    Example:
        >>> drop_newlines("[1,\\n2]")
        '[1,2]'
    """
    return text.replace("\n", "")


def double_quotes(text: str) -> str:
    """Every single quote becomes a double quote, apostrophes too.

    Example:
        >>> double_quotes("{'a': 1}")
        '{"a": 1}'
    """
    return text.replace("'", '"')


def close_list(text: str) -> str:
    """A text that does not end in `]` is cut behind its last `},` and closed; without a `},` it stays.

    Example:
        >>> close_list('[{"a": 1}, {"a": 2}, {"a"')
        '[{"a": 1}, {"a": 2}]'
    """
    text = text.rstrip()
    cut = -1 if text.endswith("]") else text.rfind("},")
    return text if cut < 0 else text[: cut + 1] + "]"


def drop_lead(text: str) -> str:
    """The text from its first `[` on.

    Example:
        >>> drop_lead("Here they are: [1]")
        '[1]'
    """
    return text[max(0, text.find("[")) :]


_STRING = r'"(?:[^"\\]|\\.)*+"?+'
_PYTHON_TOKEN = re.compile(_STRING + r"|'(?:[^'\\]|\\.)*+'?+|\b(?:True|False|None)\b", re.DOTALL)
_COMMA_TOKEN = re.compile(_STRING + r"|,(?=\s*+[\]}])", re.DOTALL)
_BRACKET_TOKEN = re.compile(_STRING + r"|[\[\]{}]|,", re.DOTALL)
_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}


def python_literals(text: str) -> str:
    """Python's quotes and words as JSON's; text inside strings is kept.

    Example:
        >>> python_literals('''[{'name': "dog's", 'seen': True}]''')
        '[{"name": "dog\\'s", "seen": true}]'
    """

    def as_json(token: re.Match[str]) -> str:
        word = token[0]
        if not word.startswith("'"):
            return _PYTHON_WORDS.get(word, word)
        inner = word[1:-1] if len(word) > 1 and word.endswith("'") else word[1:]
        return '"' + inner.replace("\\'", "'").replace('"', '\\"') + '"'

    return _PYTHON_TOKEN.sub(as_json, text)


def drop_trailing_commas(text: str) -> str:
    """The text without commas right before a closing bracket; text inside strings is kept.

    Example:
        >>> drop_trailing_commas('[1, ",]", ]')
        '[1, ",]" ]'
    """
    return _COMMA_TOKEN.sub(lambda token: "" if token[0] == "," else token[0], text)


def outer_list(text: str) -> str:
    """The list that the text begins with, cut where it ends; one that never ends is closed behind its last whole item.

    Example:
        >>> outer_list('[{"a": [1]}] and so on'), outer_list('[{"a": [1]}, {"a": [2')
        ('[{"a": [1]}]', '[{"a": [1]}]')
    """
    depth, whole = 0, 1
    for token in _BRACKET_TOKEN.finditer(text):
        mark = token[0]
        if mark in ("[", "{"):
            depth += 1
        elif mark in ("]", "}"):
            depth -= 1
            if depth == 0:
                return text[: token.end()]
            if depth == 1:
                whole = token.end()
        elif mark == "," and depth == 1:
            whole = token.start()
    return text[:whole] + "]"


JSON_LIST = JsonList()
LENIENT_LIST = JsonList(repair=(drop_lead, python_literals, drop_trailing_commas, outer_list))
