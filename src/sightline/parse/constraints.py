"""What an extractor says a picture shows: prose, or a caption with key facts and doubts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sightline.core.missing import Missing
from sightline.parse.first_object import first_object


class Constraints(NamedTuple):
    """A description of a picture, made without looking at any solution."""

    caption: str
    key_facts: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The description as an auditor sees it.

        Example:
            >>> print(Constraints("A triangle.", ("AB = 10",), ("the label of C",)).text)
            A triangle.
            - AB = 10
            Uncertain: the label of C
        """
        facts = (f"- {fact}" for fact in self.key_facts)
        doubts = (f"Uncertain: {doubt}" for doubt in self.uncertain)
        return "\n".join(filter(None, (self.caption, *facts, *doubts)))


def read_constraints(reply: str) -> Constraints | Missing:
    """An extractor's reply in either form: `image_description`, or `caption`, `key_facts` and `uncertain`.

    Example:
        >>> read_constraints('{"image_description": "A circle."}').text, read_constraints("A circle.").why
        ('A circle.', 'no object')
    """
    found = first_object(reply)
    return found if isinstance(found, Missing) else as_constraints(found)


def as_constraints(value: Any) -> Constraints | Missing:
    """A description in the data: a text, or an object with the keys of either form.

    Example:
        >>> as_constraints("A circle.").caption, as_constraints({"caption": 3}).why
        ('A circle.', 'it needs a text, or an object with `image_description` or `caption` and `key_facts`')
    """
    if isinstance(value, Constraints):
        return value
    if isinstance(value, str):
        return Constraints(value)
    if isinstance(value, Mapping):
        prose = value.get("image_description")  # a table of both forms holds None for the other one
        caption = value.get("caption") if prose is None else prose
        if isinstance(caption, str) or (caption is None and value.get("key_facts") is not None):
            return Constraints(caption or "", _texts(value.get("key_facts")), _texts(value.get("uncertain")))
    return Missing("it needs a text, or an object with `image_description` or `caption` and `key_facts`")


def _texts(listed: Any) -> tuple[str, ...]:
    if listed is None:
        return ()
    return tuple(map(str, [listed] if isinstance(listed, str) else listed))
