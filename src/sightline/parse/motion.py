r"""Motion as a policy writes it: `<motion obj="dog" dir="NE" speed="slow" scale="stable"/>`.

The module knows the grammar, not whether a motion is right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from sightline.core.missing import Missing
from sightline.core.motion import STILL, Motion

MOST_TAGS = 1024
_QUOTED = r'"[^"<]*+"'
_TAG = re.compile(rf'<motion\s(?:[^"<>]++|{_QUOTED})*+>')
_TAG_WITHOUT_SLASH = re.compile(r"<motion\s[^/<]*+/>")
_ATTRIBUTE = re.compile(r'(?<!\w)(obj|dir|speed|scale|shape|phase)="([^"]*+)"')
_NOT_NAME = re.compile(r"[^a-z0-9\s]")
_FREE = re.compile(r"<motion>([^<]++)</motion>")
_WORDS = {
    "stationary": STILL,
    "rightward": "E",
    "leftward": "W",
    "upward": "N",
    "downward": "S",
    "up-right": "NE",
    "up-left": "NW",
    "down-right": "SE",
    "down-left": "SW",
}


def object_key(name: str) -> str:
    """An object's name as it is compared: lower case, runs of anything but a-z and 0-9 as one blank.

    Example:
        >>> object_key("The Dog!"), object_key("tea/coffee")
        ('the dog', 'tea coffee')
    """
    return " ".join(_NOT_NAME.sub(" ", name.lower()).split())


class MotionTag(NamedTuple):
    """One tag: whose motion, which, and its place in the text."""

    key: str | None
    motion: Motion
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MotionTags:
    """Every motion tag with direction, speed and scale, in the order they were written; at most 1,024 are read.

    Attributes stand in any order, values in double quotes; of two equal attributes the first counts.

    Args:
        slash: a value may contain `/`; without it such a tag is no tag, as in released code.
        nameless: a tag without an object is one too, with the key None.

    Example:
        >>> said = '<motion obj="tea/coffee" dir="E" speed="slow" scale="stable"/> <motion obj="cup" dir="E"/>'
        >>> [tag.key for tag in MotionTags()(said)], MotionTags(slash=False)(said)
        (['tea coffee'], [])
    """

    slash: bool = True
    nameless: bool = False

    def __call__(self, text: str) -> list[MotionTag]:
        found: list[MotionTag] = []
        for tag in (_TAG if self.slash else _TAG_WITHOUT_SLASH).finditer(text):
            if len(found) == MOST_TAGS:
                break
            if not tag[0].endswith("/>"):
                continue
            said: dict[str, str] = {}
            for name, value in _ATTRIBUTE.findall(tag[0]):
                said.setdefault(name, value or " ")  # said, but no known bin
            wanted = {"dir", "speed", "scale"} if self.nameless else {"obj", "dir", "speed", "scale"}
            if wanted <= said.keys():
                motion = Motion(said["dir"], said["speed"], said["scale"], said.get("shape", ""), said.get("phase", ""))
                key = object_key(said["obj"]) if "obj" in said else None
                found.append(MotionTag(key, motion, tag.start(), tag.end()))
        return found


def by_object(tags: list[MotionTag]) -> dict[str, Motion]:
    """The motion of each object; of several tags for one object the last counts.

    Example:
        >>> tag = '<motion obj="{}" dir="{}" speed="slow" scale="stable"/>'
        >>> by_object(MotionTags()(tag.format("The Dog!", "E") + tag.format("the dog", "N")))
        {'the dog': Motion(direction='N', speed='slow', scale='stable', shape='', phase='')}
    """
    return {tag.key: tag.motion for tag in tags if tag.key is not None}


def free_direction(text: str) -> str | Missing:
    """The direction that the last `<motion>word</motion>` names, an older way to write it.

    Example:
        >>> free_direction("<motion>moves rightward</motion>"), free_direction("<motion>jumps</motion>").why
        ('E', 'no direction word in <motion>')
    """
    said = ""
    for found in _FREE.finditer(text):
        said = found[1]
    said = said[:10_000].lower()
    direction = next((direction for word, direction in _WORDS.items() if word in said), None)
    return Missing("no direction word in <motion>") if direction is None else direction
