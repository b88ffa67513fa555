"""Several pictures for one caption, right in more or fewer of its facts: what a text-to-image model might make of it.

A caption is the fenced list of objects that the lab's models are taught to write; a fact is the digit or shape, the
colour or the place of one of its objects. Picture 0 shows all facts, the others miss some. Knows nothing of models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sightline.lab.worlds import statements
from sightline.lab.worlds.canvas import (
    COLOURS,
    DIGITS,
    SHAPES,
    SIDE,
    Look,
    Thing,
    apart,
    draw,
    glyphs_of,
    mask_of,
    place,
)
from sightline.lab.worlds.digits import left_to_right

FACTS = 3  # of an object: name, colour, place


@dataclass(frozen=True)
class Renderings:
    """Captions of two objects with several pictures each.

    Args:
        pictures: of each caption.
        look: how they are photographed.
        shift: pixels by which a wrong place is off, at least.
    """

    pictures: int = 8
    look: Look = Look()
    shift: int = 10

    def rows(self, captions: int, seed: int = 0) -> list[dict[str, Any]]:
        """`captions` times `pictures` rows: `caption`, `images` (one), `group`, `right` (share of facts shown).

        Example:
            >>> rows = Renderings(pictures=3).rows(1, seed=1)
            >>> [round(row["right"], 2) for row in rows][0], len({row["caption"] for row in rows})
            (1.0, 1)
        """
        rows: list[dict[str, Any]] = []
        for number in range(captions):
            rng = np.random.default_rng([seed, number])
            told = self._scene(rng)
            caption = f"<think>look</think> <answer>{statements.detections(told, left_to_right(told, (0, 1)))}</answer>"
            for picture in range(self.pictures):
                shown, missed = (told, 0) if picture == 0 else self._spoilt(told, rng)
                right = 1 - missed / (FACTS * len(told))
                image = draw(shown, self.look, rng)
                rows.append({"completion": "", "caption": caption, "images": [image], "group": number, "right": right})
        return rows

    def _scene(self, rng: np.random.Generator) -> list[Thing]:
        while True:
            names, colours = rng.permutation(DIGITS + SHAPES), rng.permutation(list(COLOURS))
            things: list[Thing] = []
            for name, colour in zip(names[:2], colours, strict=False):
                thing = place(rng, str(name), str(colour), int(rng.integers(13, 18)), things, held_out=True)
                if thing is not None:
                    things.append(thing)
            if len(things) == 2:
                return things

    def _spoilt(self, told: list[Thing], rng: np.random.Generator) -> tuple[list[Thing], int]:
        """The things with one to four facts wrong, and how many."""
        wrong = rng.choice(FACTS * len(told), size=int(rng.integers(1, 5)), replace=False).tolist()
        while True:
            shown = [
                self._changed(thing, [w % FACTS for w in wrong if w // FACTS == n], rng) for n, thing in enumerate(told)
            ]
            inside = all(min(t.box) >= 0 and max(t.box) <= SIDE for t in shown)
            if inside and apart(shown[0].box, shown[1].box):
                return shown, len(wrong)

    def _changed(self, thing: Thing, facts: list[int], rng: np.random.Generator) -> Thing:
        name, colour, (x, y) = thing.name, thing.colour, thing.box[:2]
        if 0 in facts:
            name = str(rng.choice([other for other in DIGITS + SHAPES if other != name]))
        if 1 in facts:
            colour = str(rng.choice([other for other in COLOURS if other != colour]))
        while 2 in facts and abs(x - thing.box[0]) + abs(y - thing.box[1]) < self.shift:
            x, y = (int(edge) for edge in rng.integers(0, SIDE - 12, 2))
        glyph = thing.glyph if name == thing.name else int(rng.choice(glyphs_of(name, True))) if name in DIGITS else -1
        height, width = mask_of(name, thing.size, glyph).shape
        return replace(thing, name=name, colour=colour, glyph=glyph, box=(x, y, x + width, y + height))
