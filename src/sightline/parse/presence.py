"""What counts as found: a blank find is none, and a text can stand in for what is absent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sightline.core.missing import Missing


@dataclass(frozen=True, slots=True)
class NotBlank:
    """What a parser finds, unless nothing but white space is in it.

    Example:
        >>> from sightline.parse.tags import Block
        >>> NotBlank(Block("look"))("<look> a cup </look>"), NotBlank(Block("look"))("<look> </look>").why
        ('a cup', 'it is blank')
    """

    parse: Callable[[str], str | Missing]

    def __call__(self, text: str) -> str | Missing:
        found = self.parse(text)
        return found if isinstance(found, Missing) or found.strip() else Missing("it is blank")


@dataclass(frozen=True, slots=True)
class OrElse:
    """What a parser finds, or a text that stands in for it, as released code has it that compares the word None.

    Example:
        >>> from sightline.parse.last_box import LastBox
        >>> OrElse(LastBox(), "None")("no box")
        'None'
    """

    parse: Callable[[str], str | Missing]
    text: str

    def __call__(self, text: str) -> str:
        found = self.parse(text)
        return self.text if isinstance(found, Missing) else found
