"""How scenes are put into words: labels, evidence, captions and the two detection formats.

The wordings are read back by `grounding.claims`. Knows nothing of pixels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from sightline.lab.worlds.canvas import SIDE, Thing

FENCE = "```"


def label(thing: dict[str, Any]) -> str:
    """Colour and name, as a detection label.

    >>> label({"name": "3", "colour": "red", "box": [1, 2, 9, 12]})
    'red 3'
    """
    return f"{thing['colour']} {thing['name']}"


def claim(thing: dict[str, Any]) -> str:
    """The short form a think block uses.

    >>> claim({"name": "3", "colour": "red", "box": [1, 2, 9, 12], "frame": 2})
    'frame 2 red 3 at [1, 2, 9, 12]'
    """
    when = f"frame {thing['frame']} " if "frame" in thing else ""
    return f"{when}{label(thing)} at {thing['box']}"


def article(name: str) -> str:
    """The article English puts before a name.

    >>> article("8"), article("3")
    ('an', 'a')
    """
    return "an" if name == "8" else "a"


def evidence(asked: Iterable[dict[str, Any]]) -> list[str]:
    """One checkable statement for every object the question is about.

    >>> evidence([{"name": "3", "colour": "red", "box": [1, 2, 9, 12]}])
    ['the red object is a 3 at [1, 2, 9, 12]']
    """
    return [
        f"{_when(thing)}the {thing['colour']} object is {article(thing['name'])} {thing['name']} at {thing['box']}"
        for thing in asked
    ]


def captions(things: list[dict[str, Any]], rng: np.random.Generator) -> list[str]:
    """What a caption of the scene would say without knowing the question: how many objects, then each, shuffled."""
    said = [f"{_when(thing)}there is a {label(thing)} at {thing['box']}" for thing in things]
    kinds = len({label(thing) for thing in things})
    return [f"the scene shows {kinds} objects", *(said[i] for i in rng.permutation(len(said)))]


def _when(thing: dict[str, Any]) -> str:
    return f"in frame {thing['frame']} " if "frame" in thing else ""


def detections(things: list[Thing], asked: Iterable[int]) -> str:
    """A fenced JSON list of `bbox_2d` (pixels) and `label`, or `None` if there is nothing."""
    items = [{"bbox_2d": list(things[i].box), "label": label(things[i].truth())} for i in asked]
    return fenced(items)


def fenced(items: list[dict[str, Any]]) -> str:
    """A fenced JSON list, or the word None for an empty one.

    >>> fenced([{"bbox_2d": [1, 2, 9, 12], "label": "red 3"}]).splitlines()[1]
    '[{"bbox_2d": [1, 2, 9, 12], "label": "red 3"}]'
    """
    return f"{FENCE}json\n{json.dumps(items)}\n{FENCE}" if items else "None"


def positions(things: list[Thing], asked: Iterable[int]) -> str:
    """A Python-style list of `Position` (thousandths of the side) and `Confidence` 1.00, or `No Objects`."""
    return confident([(list(things[i].box), 1.0) for i in asked])


def confident(items: list[tuple[list[int], float]]) -> str:
    """Boxes in pixels with confidences, written in thousandths of the side.

    >>> confident([([0, 12, 24, 48], 0.9)])
    "[{'Position': [0, 250, 500, 1000], 'Confidence': 0.90}]"
    """
    if not items:
        return "No Objects"
    said = [f"{{'Position': {[thousandths(p) for p in box]}, 'Confidence': {c:.2f}}}" for box, c in items]
    return f"[{', '.join(said)}]"


def thousandths(pixel: int) -> int:
    """A pixel edge 0..48 in thousandths of the side.

    >>> thousandths(1), thousandths(48)
    (21, 1000)
    """
    return round(pixel * 1000 / SIDE)
