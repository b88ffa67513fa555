"""Whether a think block says what is really in the picture: pure functions on text and truth.

A claim is "COLOUR NAME at [x1, y1, x2, y2]", with "frame N" before it in clips. Knows the worlds' wording only;
it reads no pixels and asks no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.lab.worlds.canvas import COLOURS, DIGITS, SHAPES

THINK = re.compile(r"<think>(.*?)</think>", re.DOTALL)
CLAIM = re.compile(
    rf"(?:frame (?P<frame>\d+)\s+)?(?:the |there is a )?(?P<colour>{'|'.join(COLOURS)})(?: object is an?)?"
    rf" (?P<name>{'|'.join(DIGITS + SHAPES)}) at \[(?P<box>\d+, ?\d+, ?\d+, ?\d+)\]"
)


@dataclass(frozen=True)
class Claim:
    """A sighting that a text asserts. `frame` is None where the text names none."""

    colour: str
    name: str
    box: tuple[int, int, int, int]
    frame: int | None = None


@dataclass(frozen=True)
class Sighting:
    """How a think block's best claim on one object compares with the truth; `iou` is 0 if there is no claim."""

    claimed: bool
    name_right: bool
    iou: float

    def holds(self, iou: float = 0.5) -> bool:
        """Right name and enough overlap."""
        return self.name_right and self.iou >= iou


def think_text(completion: str) -> str:
    """The first think block, or nothing.

    >>> think_text("<think>red 3</think> <answer>3</answer>")
    'red 3'
    """
    found = THINK.search(completion)
    return found.group(1) if found else ""


def claims(text: str) -> list[Claim]:
    """Every sighting a text asserts, in order.

    >>> claims("the red object is a 3 at [1, 2, 9, 12]")
    [Claim(colour='red', name='3', box=(1, 2, 9, 12), frame=None)]
    """
    return [_claim(found) for found in CLAIM.finditer(text)]


def _claim(found: re.Match[str]) -> Claim:
    x1, y1, x2, y2 = (int(v[:9]) for v in found["box"].split(","))
    return Claim(found["colour"], found["name"], (x1, y1, x2, y2), int(found["frame"][:9]) if found["frame"] else None)


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """IoU of two xyxy boxes; 0 where either has no area.

    >>> overlap([0, 0, 2, 2], [1, 0, 3, 2])
    0.3333333333333333
    """
    if min(a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1]) <= 0:
        return 0.0
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def sighting(completion: str, thing: dict[str, Any]) -> Sighting:
    """The first claim of the think block on an object of that colour (and frame), against the truth.

    Only the first claim counts: a list of attempts earns no more than its first attempt.
    """
    for said in claims(think_text(completion)):
        if said.colour == thing["colour"] and said.frame == thing.get("frame"):
            return Sighting(True, said.name == thing["name"], overlap(said.box, thing["box"]))
    return Sighting(False, False, 0.0)


def grounded(completion: str, truth: dict[str, Any], iou: float = 0.5) -> bool:
    """Whether the think block names every asked object with its true colour, its true name and a box that fits.

    >>> truth = {"objects": [{"name": "3", "colour": "red", "box": [1, 2, 9, 12]}], "asked": [0]}
    >>> grounded("<think>red 3 at [1, 2, 9, 11]</think> <answer>3</answer>", truth)
    True
    >>> grounded("<think>red usually 3</think> <answer>3</answer>", truth)
    False

    Not applicable to rows that ask about no object: False.
    """
    asked = [truth["objects"][i] for i in truth["asked"]]
    return bool(asked) and all(sighting(completion, thing).holds(iou) for thing in asked)


def has_form(completion: str) -> bool:
    """Whether the think block has the form of evidence, true or not: at least one claim with any box.

    The control arm that pays for looking rather than for truth reads this.
    """
    return bool(claims(think_text(completion)))


def supported(completion: str, statements: Iterable[str], iou: float = 0.5) -> list[bool]:
    """Which statements (a row's `evidence` or `captions`) the think block cites: same colour, name, frame, box overlap.

    >>> supported("<think>red 3 at [1, 2, 9, 11]</think>", ["the red object is a 3 at [1, 2, 9, 12]", "a dark scene"])
    [True, False]
    """
    said = claims(think_text(completion))
    return [any(agrees(a, b, iou) for a in said for b in claims(statement)) for statement in statements]


def agrees(a: Claim, b: Claim, iou: float = 0.5) -> bool:
    """Whether two claims speak of the same sighting."""
    same = (a.colour, a.name, a.frame) == (b.colour, b.name, b.frame)
    return same and overlap(a.box, b.box) >= iou
