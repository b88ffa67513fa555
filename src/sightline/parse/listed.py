"""A list of names between commas, as answers with several labels are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.tags import ANSWER

MOST, READ = 64, 10_000


@dataclass(frozen=True)
class ListedNames:
    """The items of the answer block, parted by commas, trimmed; an empty block is an empty list.

    Args:
        find: text -> the list as text, or `Missing`.

    Returns:
        A tuple of texts, or `Missing`: no block, more than 64 items, more than 10,000 characters.

    Example:
        >>> ListedNames()("<answer>glaucoma, drusen,</answer>"), ListedNames()("<answer></answer>")
        (('glaucoma', 'drusen'), ())
        >>> ListedNames()("glaucoma").why
        'no closed <answer> block'
    """

    find: Callable[[str], str | Missing] = ANSWER

    def __call__(self, text: str) -> tuple[str, ...] | Missing:
        found = self.find(text)
        return found if isinstance(found, Missing) else listed(found)


def listed(text: str) -> tuple[str, ...] | Missing:
    """The items of a list, empty ones left out."""
    if len(text) > READ:
        return Missing(f"longer than {READ} characters")
    items = tuple(item for raw in text.split(",") if (item := raw.strip()))
    return items if len(items) <= MOST else Missing(f"{len(items)} items; at most {MOST} are read")
