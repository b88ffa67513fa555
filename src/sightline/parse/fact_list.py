"""A list of single facts in sections, as a language model writes it on request: objects, attributes, relations."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sightline.core.missing import Missing

MOST_FACTS, READ = 64, 20_000  # facts a section, characters
_BULLET = re.compile(r"^\s*(?:[-*•–]|\d{1,3}[.)])\s*")
_NONE = ("none", "n/a", "no facts", "nothing", "-")


@dataclass(frozen=True, slots=True)
class FactList:
    """The facts of each section, in the order of `sections`; a section that is missing or says `None` has none.

    Args:
        sections: their names, as heads with a colon, in any case, bold or not.

    Returns: a tuple of facts for each section, or Missing if there is no section at all.

    Example:
        >>> FactList()("Objects:\\n- There is a dog.\\nRelations: None")
        (('There is a dog.',), (), ())
        >>> FactList()("There is a dog.").why
        'no section Objects, Attributes, Relations'
    """

    sections: tuple[str, ...] = ("Objects", "Attributes", "Relations")

    def __call__(self, reply: str) -> tuple[tuple[str, ...], ...] | Missing:
        found: dict[str, list[str]] = {}
        facts: list[str] | None = None
        for line in reply[:READ].splitlines():
            bare = _BULLET.sub("", line).strip().strip("*# ")
            head, colon, rest = bare.partition(":")
            name = next((one for one in self.sections if one.lower() == head.strip("* ").lower()), None)
            if colon and name is not None:
                facts, bare = found.setdefault(name, []), rest.strip("* ")
            if facts is not None and bare and bare.lower().rstrip(".") not in _NONE and len(facts) < MOST_FACTS:
                facts.append(bare)
        if not found:
            return Missing(f"no section {', '.join(self.sections)}")
        return tuple(tuple(found.get(name, ())) for name in self.sections)


def says_yes(reply: str) -> bool:
    """Whether `yes` occurs in a reply, in any case; whatever else it says counts as no.

    Example:
        >>> says_yes("Yes, it is."), says_yes("I cannot tell.")
        (True, False)
    """
    return "yes" in reply.lower()
