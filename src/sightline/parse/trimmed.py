"""A form that may have white space around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What `form` finds in the text without the white space around it.

    Example:
        >>> from sightline.parse.tags import FullMatch
        >>> len(Trimmed(FullMatch(("a", "b")))(" <a>1</a> <b>2</b>\\n"))
        2
    """

    form: Callable[[str], Any]

    def __call__(self, text: str) -> Any:
        return self.form(text.strip())
