"""Pictures of digits and shapes with questions about what, how many, where, which is greater, and all of them.

A row's truth is exact. Each question text has one prior answer that training follows in a share of the rows, so part
of every answer can be guessed without looking. Knows nothing of models.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.lab.worlds import statements
from sightline.lab.worlds.canvas import COLOURS, DIGITS, SHAPES, SIDE, Look, Thing, draw, place
from sightline.lab.worlds.splits import RowWorld, Split, accept, row_number, row_seed

PRIOR_NAME = {"red": "3", "green": "7", "blue": "1", "yellow": "8", "cyan": "5", "magenta": "0"}
PRIOR_COUNT = {"digits": "1", "shapes": "1", "objects": "2"}


@dataclass(frozen=True)
class Question:
    """A question on a scene: its text, its answer, the answer its text alone suggests, the objects it is about."""

    text: str
    answer: str
    problem_type: str
    asked: tuple[int, ...]
    prior: str | None = None
    category: str = ""


@dataclass(frozen=True)
class Digits(RowWorld):
    """Questions on pictures of 48x48 pixels that show digits and coloured shapes.

    Every object of a picture has its own colour and its own name. Boxes are xyxy in pixels of the picture.

    Args:
        kinds: identify, colour, count, locate, relation, compare, detect (every object, `bbox_2d` and `label`) and
            find (one category, `Position` in thousandths of the side and `Confidence`).
        names: what is drawn: digits "0".."9", circle, square, triangle.
        objects: fewest and most objects of a picture.
        sizes: least and greatest nominal size in pixels.
        look: contrast, noise, background, tint.
        prior: share of training rows whose answer the question's text gives away; None leaves it to the scene.
        shifted_sizes, shifted_look: what the out-of-distribution split `shifted` changes.

    Example:
        >>> row = PLAIN.rows(1, split="neutral", seed=3)[0]
        >>> sorted(row)[:5], row["images"][0].size
        (['answer', 'boxes', 'captions', 'category', 'evidence'], (48, 48))
    """

    kinds: tuple[str, ...] = ("identify", "colour", "count", "locate", "relation", "compare", "detect", "find")
    names: tuple[str, ...] = DIGITS + SHAPES
    objects: tuple[int, int] = (1, 3)
    sizes: tuple[int, int] = (13, 20)
    look: Look = Look()
    prior: float | None = None
    shifted_sizes: tuple[int, int] = (20, 24)
    shifted_look: Look = Look(noise=16.0, background=90, tint=0.25)

    def _row(self, split: Split, seed: int, index: int) -> dict[str, Any]:
        rng = row_seed(seed, split, index)
        kind = str(rng.choice(self.kinds))
        things, question = accept(lambda: self._sample(kind, split, rng), follows_prior, split, self.prior, rng)
        truth: dict[str, Any] = {
            "size": [SIDE, SIDE],
            "objects": [thing.truth() for thing in things],
            "asked": list(question.asked),
            "prior": question.prior,
        }
        asked = [truth["objects"][i] for i in question.asked]
        return {
            "prompt": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question.text}]}],
            "images": [draw(things, self.look, rng)],
            "answer": question.answer,
            "problem_type": question.problem_type,
            "boxes": [thing["box"] for thing in asked],
            "labels": [statements.label(thing) for thing in asked],
            "category": question.category,
            "evidence": statements.evidence(asked),
            "captions": statements.captions(truth["objects"], rng),
            "truth": truth,
            "world": "digits",
            "kind": kind,
            "seed": seed,
            "row": row_number(seed, split, index),
        }

    def _sample(self, kind: str, split: Split, rng: np.random.Generator) -> tuple[list[Thing], Question] | None:
        wanted = int(rng.integers(self.objects[0], self.objects[1] + 1))
        wanted = max(wanted, 2) if kind in ("relation", "compare") else wanted
        names = rng.permutation(self.names)
        if kind == "compare":
            names = np.concatenate([[n for n in names if n in DIGITS][:2], [n for n in names if n in SHAPES]])
        colours = rng.permutation(list(COLOURS))
        things: list[Thing] = []
        for name, colour in zip(names[:wanted], colours, strict=False):
            size = int(rng.integers(self.sizes[0], self.sizes[1] + 1))
            thing = place(rng, str(name), str(colour), size, things, split.held_out)
            if thing is None:
                return None
            things.append(thing)
        question = QUESTIONS[kind](things, rng)
        return None if question is None else (things, question)


def follows_prior(scene: tuple[list[Thing], Question]) -> bool | None:
    """Whether a scene's answer is the one that its question suggests; None where it suggests none."""
    question = scene[1]
    return None if question.prior is None else question.answer == question.prior


def identify(things: list[Thing], rng: np.random.Generator) -> Question:
    """What the object of one colour is."""
    thing = things[0]
    problem = "numerical" if thing.name in DIGITS else "free-form"
    return Question(f"what is the {thing.colour} object?", thing.name, problem, (0,), PRIOR_NAME[thing.colour])


def colour(things: list[Thing], rng: np.random.Generator) -> Question:
    """Which colour the object of one name has."""
    rank = (DIGITS + SHAPES).index(things[0].name)
    usual = tuple(COLOURS)[rank % len(COLOURS)]
    return Question(f"what colour is the {things[0].name}?", things[0].colour, "free-form", (0,), usual)


def count(things: list[Thing], rng: np.random.Generator) -> Question:
    """How many digits, shapes or objects there are."""
    category = str(rng.choice(list(PRIOR_COUNT)))
    asked = members(things, category)
    return Question(f"how many {category}?", str(len(asked)), "numerical", asked, PRIOR_COUNT[category], category)


def locate(things: list[Thing], rng: np.random.Generator) -> Question:
    """Where the object of one colour is, as one box."""
    text = f"where is the {things[0].colour} object?"
    return Question(text, json.dumps({"bbox_2d": list(things[0].box)}), "grounding", (0,))


def relation(things: list[Thing], rng: np.random.Generator) -> Question | None:
    """Whether one object is left of, or above, another; centres closer than 4 pixels are not asked about."""
    axis = int(rng.integers(2))
    a, b = things[0], things[1]
    gap = (b.box[axis] + b.box[axis + 2]) - (a.box[axis] + a.box[axis + 2])
    if abs(gap) < 8:
        return None
    word = ("left of", "above")[axis]
    text = f"is {a.colour} {word} {b.colour}: (A) yes (B) no"
    return Question(text, "A" if gap > 0 else "B", "multiple choice", (0, 1), "A")


def compare(things: list[Thing], rng: np.random.Generator) -> Question:
    """Which of two digits is the greater number."""
    text = f"which is greater: (A) {things[0].colour} (B) {things[1].colour}"
    greater = int(things[0].name) > int(things[1].name)
    return Question(text, "A" if greater else "B", "multiple choice", (0, 1), "A")


def detect(things: list[Thing], rng: np.random.Generator) -> Question:
    """Every object with its box and label, in reading order of the left edge."""
    asked = left_to_right(things, range(len(things)))
    return Question("list all objects", statements.detections(things, asked), "detection", asked)


def find(things: list[Thing], rng: np.random.Generator) -> Question:
    """The boxes of one category with a confidence, or `No Objects`."""
    category = str(rng.choice(["digits", "shapes", things[0].colour, *COLOURS]))
    asked = members(things, category)
    phrase = f"{category} objects" if category in COLOURS else category
    return Question(f"find all {phrase}", statements.positions(things, asked), "detection", asked, None, category)


QUESTIONS: dict[str, Callable[[list[Thing], np.random.Generator], Question | None]] = {
    "identify": identify,
    "colour": colour,
    "count": count,
    "locate": locate,
    "relation": relation,
    "compare": compare,
    "detect": detect,
    "find": find,
}


def members(things: list[Thing], category: str) -> tuple[int, ...]:
    """Indices, left to right, of the things of a category: digits, shapes, objects, or a colour."""
    belongs: Callable[[Thing], bool] = {
        "digits": lambda t: t.name in DIGITS,
        "shapes": lambda t: t.name in SHAPES,
        "objects": lambda t: True,
    }.get(category, lambda t: t.colour == category)
    return left_to_right(things, [i for i, thing in enumerate(things) if belongs(thing)])


def left_to_right(things: list[Thing], indices: Iterable[int]) -> tuple[int, ...]:
    """Indices ordered by left edge, then top."""
    return tuple(sorted(indices, key=lambda i: things[i].box))


PLAIN = Digits()
PRIOR = Digits(
    kinds=("identify",),
    names=DIGITS,
    objects=(2, 2),
    sizes=(12, 18),
    look=Look(contrast=0.52, noise=29.0),
    prior=0.9,
)
CROWD = Digits(kinds=("detect",), objects=(2, 4), sizes=(9, 14), shifted_sizes=(15, 19))
SEARCH = Digits(kinds=("find",), objects=(2, 4), sizes=(9, 14), shifted_sizes=(15, 19))
