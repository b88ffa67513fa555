"""Pictures described in phrases that state three kinds of facts: what is there, in which colour, and where from what.

A phrase is "a red 3 is left of the blue star". Descriptions for cold starts go wrong at known rates; the truth of any
phrase, also of one that a policy made up, is read from the words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.lab.worlds.canvas import COLOURS, DIGITS, SHAPES
from sightline.lab.worlds.digits import Digits
from sightline.metrics.fact_classes import fact_class

ASK = "list all objects in the image"
NAMES = DIGITS + SHAPES
SIDES = {"left of": (0, -1), "right of": (0, 1), "above": (1, -1), "below": (1, 1)}
_NAME = re.compile(rf"\b(?:{'|'.join(NAMES)})\b")
_THING = re.compile(rf"\b({'|'.join(COLOURS)}) ({'|'.join(NAMES)})\b")
_RELATION = re.compile(rf"{_THING.pattern} is ({'|'.join(SIDES)}) the {_THING.pattern}")
KINDS = ("object", "attribute", "relation")
Thing = dict[str, Any]


@dataclass(frozen=True)
class Spoken:
    """Scenes to describe, and descriptions with errors.

    Args:
        scenes: where the pictures come from.
        phrases: in a description.
        errors: share of names, colours and relations that a description gets wrong.
    """

    scenes: Digits = Digits(objects=(3, 4))
    phrases: int = 3
    errors: tuple[float, float, float] = (0.2, 0.2, 0.3)

    def rows(self, n: int, split: str = "train", seed: int = 0) -> list[dict[str, Any]]:
        """Rows with `prompt`, `images` and `truth`."""
        return [
            {"prompt": _asked(row), "images": row["images"], "truth": row["truth"]}
            for row in self.scenes.rows(n, split, seed)
        ]

    def describe(self, row: dict[str, Any], rng: np.random.Generator) -> str:
        """A description of a row's picture."""
        things: Sequence[Thing] = row["truth"]["objects"]
        order = rng.permutation(len(things))
        # a comma behind a digit would be the tokenizer's edge of a box
        return " , ".join(self._phrase(things, int(order[i % len(order)]), rng) for i in range(self.phrases))

    def _phrase(self, things: Sequence[Thing], i: int, rng: np.random.Generator) -> str:
        other = int(rng.choice([j for j in range(len(things)) if j != i]))
        true = [side for side in SIDES if beside(things[i], side, things[other])]
        false = [side for side in SIDES if side not in true]
        wrong = rng.random() < self.errors[2] or not true
        side = str(rng.choice(false if wrong else true))
        return f"a {self._named(things[i], rng)} is {side} the {self._named(things[other], rng)}"

    def _named(self, thing: Thing, rng: np.random.Generator) -> str:
        # two things are named in a phrase, so each goes wrong half as often
        name = str(rng.choice(NAMES)) if rng.random() < self.errors[0] / 2 else thing["name"]
        colour = str(rng.choice(list(COLOURS))) if rng.random() < self.errors[1] / 2 else thing["colour"]
        return f"{colour} {name}"


def _asked(row: dict[str, Any]) -> list[dict[str, Any]]:
    pictures = [part for part in row["prompt"][0]["content"] if part["type"] == "image"]
    return [{"role": "user", "content": [*pictures, {"type": "text", "text": ASK}]}]


def beside(one: Thing, side: str, other: Thing) -> bool:
    """Whether the centre of one thing lies on that side of the other's, by two pixels at least.

    Example:
        >>> beside({"box": [0, 0, 8, 8]}, "left of", {"box": [20, 0, 28, 8]})
        True
    """
    axis, sign = SIDES[side]
    gap = sum(one["box"][axis::2]) / 2 - sum(other["box"][axis::2]) / 2
    return gap * sign >= 2


def phrase_classes(phrase: str, things: Sequence[Thing]) -> tuple[int, int, int]:
    """The class of a phrase for objects, attributes and relations, from the truth.

    Example:
        >>> scene = [{"name": "3", "colour": "red", "box": [0, 0, 8, 8]},
        ...          {"name": "square", "colour": "blue", "box": [20, 0, 28, 8]}]
        >>> phrase_classes("a red 3 is right of the blue square", scene), phrase_classes("here", scene)
        ((1, 1, 2), (0, 0, 0))
    """
    there = {(thing["colour"], thing["name"]): thing for thing in things}
    names = {thing["name"] for thing in things}
    objects = [name in names for name in _NAME.findall(phrase)]
    attributes = [pair in there for pair in _THING.findall(phrase)]
    relations = [
        (c, n) in there and (d, m) in there and beside(there[c, n], side, there[d, m])
        for c, n, side, d, m in _RELATION.findall(phrase)
    ]
    return fact_class(objects), fact_class(attributes), fact_class(relations)
