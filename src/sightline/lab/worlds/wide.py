"""Large scenes with small objects, and questions that only a small object answers.

A scene holds a few large shapes, many small shapes, and small digits. Every question is about one small digit, whose
colour many other objects share: seen as a whole on the 48 pixels of the lab's model, it is less than two pixels high.
A row's truth is exact. Knows nothing of models.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.lab.worlds import statements
from sightline.lab.worlds.canvas import (
    COLOURS,
    DIGITS,
    SHAPES,
    Look,
    Thing,
    apart,
    draw,
    glyphs_of,
    mask_of,
)
from sightline.lab.worlds.digits import PRIOR_NAME, Question, follows_prior
from sightline.lab.worlds.splits import RowWorld, Split, accept, row_number, row_seed

PLACES = ("top-left", "top-right", "bottom-left", "bottom-right")
USUAL_PLACE, USUAL_NEIGHBOUR = "top-left", "square"
TRIES = 200


Ask = Callable[["Wide", Sequence[Thing], int], "Question | None"]


@dataclass(frozen=True)
class Wide(RowWorld):
    """Questions on large pictures in which what is asked about is small.

    Every digit of a picture has its own colour; shapes have any colour and carry no digit. Nothing overlaps.

    Args:
        kinds: identify (which digit is red), locate (its box), quarter (where it is), neighbour (the shape nearest to
            it).
        size: width and height in pixels.
        large, shapes, digits: how many large shapes, small shapes and small digits.
        sizes, large_sizes: least and greatest nominal size in pixels.
        look: contrast, noise, background, tint.
        prior: share of training rows whose answer the question's text gives away; None leaves it to the scene.
        shifted_sizes, shifted_look: what the out-of-distribution split `shifted` changes.

    Rows have, besides what all worlds have, `image_size` and `share`, the share of the picture that the digit covers.

    Example:
        >>> row = WIDE.rows(1, split="neutral", seed=3)[0]
        >>> row["images"][0].size, row["share"] < 0.003, len(row["truth"]["objects"])
        ((480, 320), True, 22)
    """

    kinds: tuple[str, ...] = ("identify", "locate", "quarter", "neighbour")
    size: tuple[int, int] = (480, 320)
    large: int = 3
    shapes: int = 16
    digits: int = 3
    sizes: tuple[int, int] = (10, 13)
    large_sizes: tuple[int, int] = (50, 90)
    look: Look = Look()
    prior: float | None = None
    shifted_sizes: tuple[int, int] = (13, 16)
    shifted_look: Look = Look(noise=16.0, background=90, tint=0.25)

    def _row(self, split: Split, seed: int, index: int) -> dict[str, Any]:
        rng = row_seed(seed, split, index)
        kind = str(rng.choice(self.kinds))
        things, question = accept(lambda: self._sample(kind, split, rng), follows_prior, split, self.prior, rng)
        objects = [thing.truth() for thing in things]
        asked = [objects[i] for i in question.asked]
        x1, y1, x2, y2 = things[question.asked[0]].box
        return {
            "prompt": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question.text}]}],
            "images": [draw(things, self.look, rng, self.size)],
            "answer": question.answer,
            "problem_type": question.problem_type,
            "boxes": [thing["box"] for thing in asked],
            "labels": [statements.label(thing) for thing in asked],
            "category": question.category,
            "evidence": seen(asked),
            "captions": captions(objects, rng),
            "truth": {
                "size": list(self.size),
                "objects": objects,
                "asked": list(question.asked),
                "prior": question.prior,
            },
            "image_size": list(self.size),
            "share": (x2 - x1) * (y2 - y1) / (self.size[0] * self.size[1]),
            "world": "wide",
            "kind": kind,
            "seed": seed,
            "row": row_number(seed, split, index),
        }

    def _sample(self, kind: str, split: Split, rng: np.random.Generator) -> tuple[list[Thing], Question] | None:
        things: list[Thing] = []
        colours = rng.permutation(list(COLOURS))[: self.digits].tolist()
        names = rng.permutation(DIGITS)[: self.digits].tolist()
        # the largest first: small things then fill the gaps
        for _ in range(self.large):
            self._add(things, str(rng.choice(SHAPES)), str(rng.choice(list(COLOURS))), self.large_sizes, False, rng)
        for name, colour in zip(names, colours, strict=True):
            self._add(things, name, colour, self.sizes, split.held_out, rng)
        # a shape in each digit's colour: colour alone does not lead to the digit
        for i in range(self.shapes):
            colour = colours[i] if i < self.digits else str(rng.choice(list(COLOURS)))
            self._add(things, str(rng.choice(SHAPES)), colour, self.sizes, False, rng)
        if len(things) < self.large + self.digits + self.shapes:
            return None
        question = QUESTIONS[kind](self, things, self.large)
        return None if question is None else (things, question)

    def _add(
        self,
        things: list[Thing],
        name: str,
        colour: str,
        sizes: tuple[int, int],
        held_out: bool,
        rng: np.random.Generator,
    ) -> None:
        """Put one more thing where it touches nothing; left out where no place is found."""
        size = int(rng.integers(sizes[0], sizes[1] + 1))
        glyph = int(rng.choice(glyphs_of(name, held_out))) if name in DIGITS else -1
        height, width = mask_of(name, size, glyph).shape
        for _ in range(TRIES):
            x, y = (int(rng.integers(0, side - own + 1)) for side, own in zip(self.size, (width, height), strict=True))
            box = (x, y, x + width, y + height)
            if all(apart(box, other.box) for other in things):
                things.append(Thing(name, colour, box, size, glyph))
                return


def seen(objects: Sequence[dict[str, Any]]) -> list[str]:
    """One checkable statement an object; colours repeat here, so no colour alone stands for an object.

    Example:
        >>> seen([{"name": "3", "colour": "red", "box": [1, 2, 9, 12]}])
        ['there is a red 3 at [1, 2, 9, 12]']
    """
    return [f"there is a {statements.claim(thing)}" for thing in objects]


def captions(objects: Sequence[dict[str, Any]], rng: np.random.Generator) -> list[str]:
    """What one says of a scene without knowing the question: how many objects, then each, shuffled."""
    said = seen(objects)
    return [f"the scene shows {len(objects)} objects", *(said[i] for i in rng.permutation(len(said)))]


def identify(world: Wide, things: Sequence[Thing], first: int) -> Question:
    """Which digit a colour has."""
    digit = things[first]
    return Question(f"which digit is {digit.colour}?", digit.name, "numerical", (first,), PRIOR_NAME[digit.colour])


def locate(world: Wide, things: Sequence[Thing], first: int) -> Question:
    """Where the digit of a colour is, as one box."""
    digit = things[first]
    answer = json.dumps({"bbox_2d": list(digit.box)})
    return Question(f"where is the {digit.colour} digit?", answer, "grounding", (first,))


def quarter(world: Wide, things: Sequence[Thing], first: int) -> Question | None:
    """Which quarter of the picture the digit's centre lies in; centres within 8 pixels of a border are not asked."""
    digit = things[first]
    from_middle = [(digit.box[i] + digit.box[i + 2]) / 2 - world.size[i] / 2 for i in (0, 1)]
    if min(map(abs, from_middle)) < 8:
        return None
    place = PLACES[2 * (from_middle[1] > 0) + (from_middle[0] > 0)]
    text = f"in which quarter is the {digit.colour} digit: {', '.join(PLACES)}?"
    return Question(text, place, "free-form", (first,), USUAL_PLACE)


def neighbour(world: Wide, things: Sequence[Thing], first: int) -> Question | None:
    """The small shape whose centre is nearest to the digit's; nearly equal distances are not asked."""
    digit = things[first]
    small = [i for i, thing in enumerate(things) if thing.name in SHAPES and i > first]
    away = sorted((float(np.hypot(*(_centre(things[i]) - _centre(digit)))), i) for i in small)
    if len(away) < 2 or away[1][0] < 1.2 * away[0][0]:
        return None
    nearest = away[0][1]
    text = f"which small shape is nearest to the {digit.colour} digit?"
    return Question(text, things[nearest].name, "free-form", (first, nearest), USUAL_NEIGHBOUR)


QUESTIONS: dict[str, Ask] = {"identify": identify, "locate": locate, "quarter": quarter, "neighbour": neighbour}


def _centre(thing: Thing) -> np.ndarray:
    return np.array([thing.box[0] + thing.box[2], thing.box[1] + thing.box[3]]) / 2


WIDE = Wide()
