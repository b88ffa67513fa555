"""Prompts as text files beside this one; a prompt's version is a hash of its words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sightline.core.errors import ConfigError, did_you_mean


@dataclass(frozen=True)
class Prompt:
    """A template with `{field}` places, for `Question(template=prompt.text, ...)`.

    Args:
        name: its file name without `.txt`.
        text: its words.

    Example:
        >>> len(Prompt("x", "Is it {colour}?").version)
        8
    """

    name: str
    text: str

    @property
    def version(self) -> str:
        """8 hex digits that change with the words."""
        return hashlib.blake2b(self.text.encode(), digest_size=4).hexdigest()


def names() -> list[str]:
    """The prompts that are there.

    Example:
        >>> "evidence_judge" in names()
        True
    """
    return sorted(file.name.removesuffix(".txt") for file in files(__name__).iterdir() if file.name.endswith(".txt"))


@cache
def prompt(name: str) -> Prompt:
    """The prompt of this name.

    Raises:
        ConfigError: there is none.

    Example:
        >>> prompt("evidence_judge").name
        'evidence_judge'
    """
    if name not in names():
        raise ConfigError(f"no prompt `{name}`; there are {names()}.{did_you_mean(name, names())}")
    return Prompt(name, (files(__name__) / f"{name}.txt").read_text("utf-8").strip())
