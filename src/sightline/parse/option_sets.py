"""Which options a reply selects: any number of letters, also none."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.json import READ
from sightline.parse.keyed_box import CLOSING_THINK
from sightline.parse.maths import Boxed

_KEYED = re.compile(r"""["']answer["']\s*+:\s*+(?:\[([^\[\]]*+)\]|"([^"]*+)"|'([^']*+)')""")
_SAID = re.compile(r"Answer:[\s*]*+([^\n]*+)")
_SPLIT = re.compile(r"[,;\s]+|\band\b")
_MARKUP = re.compile(r"\\(?:text|mathrm|textbf|mathbf)(?![A-Za-z])|[\[\]{}()\\$*]")
_QUOTES = " \t\n\"'."
_LOOKED = 100_000  # characters behind the think block
_LIST = 1_000  # characters of one list


@dataclass(frozen=True, slots=True)
class SelectedOptions:
    """What a reply selects.

    Args:
        letters: in upper case, each once, in the order in which they were written.
        closed: whether a closing think tag exists.
    """

    letters: tuple[str, ...]
    closed: bool


def selected_options(text: str) -> SelectedOptions | Missing:
    """The option letters behind the first closing think tag, or in the whole text without one.

    Looked for in this order: the key `answer` of an object, `\\boxed{...}`, `Answer: ...` up to the end of the line.
    The first of them that holds nothing but single letters, or nothing at all, or `none`, decides; brackets and LaTeX
    text commands around letters do not count.

    Example:
        >>> said = ('<think>t</think>{"answer": ["A", "c"]}', "so \\\\boxed{A,C}", "Answer: B and D.", "\\\\boxed{}")
        >>> for text in said:
        ...     print(selected_options(text).letters)
        ('A', 'C')
        ('A', 'C')
        ('B', 'D')
        ()
        >>> selected_options("Answer: the harbour").why
        'no list of option letters'
    """
    if len(text) > READ:
        return Missing(f"longer than {READ} characters")
    tag = CLOSING_THINK.search(text)
    part = text[tag.end() if tag else 0 :][:_LOOKED]
    for found in _places(part):
        letters = _letters(found)
        if letters is not None:
            return SelectedOptions(letters, tag is not None)
    return Missing("no list of option letters")


def _places(text: str) -> list[str]:
    """The texts that may hold the list, the likeliest first."""
    keyed = _KEYED.search(text)
    found = [next(group for group in keyed.groups() if group is not None)] if keyed else []
    boxed = Boxed()(text)
    found += [boxed] if isinstance(boxed, str) else []
    said = _SAID.search(text)
    return [*found, said[1]] if said else found


def _letters(text: str) -> tuple[str, ...] | None:
    """Letters of a list, None if it holds anything else."""
    if len(text) > _LIST:
        return None
    items = [item for raw in _SPLIT.split(_MARKUP.sub(" ", text)) if (item := raw.strip(_QUOTES))]
    if len(items) == 1 and items[0].lower() == "none":
        return ()
    if not all(len(item) == 1 and item.isascii() and item.isalpha() for item in items):
        return None
    return tuple(dict.fromkeys(item.upper() for item in items))
