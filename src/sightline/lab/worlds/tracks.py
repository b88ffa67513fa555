"""Objects that drift and grow: short clips with exact tracks, motion in bins, and a prior of colour on direction.

A row holds what rewards on tracks read (`task`, `key_frames`, `key_items`, `image_size`, `gt_motion`) beside what every
world has. Boxes are those of the drawn ink in 0..1; motion is described from them in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.motion import COMPASS, Motion
from sightline.lab.worlds import statements
from sightline.lab.worlds.canvas import COLOURS, SIDE, Look, Thing, draw, glyphs_of, mask_of
from sightline.lab.worlds.splits import RowWorld, Split, accept, row_number, row_seed
from sightline.metrics.tracks import describe

USUAL = dict(zip(COLOURS, ("E", "W", "N", "S", "NE", "SW"), strict=True))
TASK = "General video QA MCQ"
LETTERS = dict(zip(COMPASS, "ABCDEFGH", strict=True))


@dataclass(frozen=True)
class Drift:
    """One object in every frame, and the direction it was sent in."""

    things: list[Thing]
    direction: str


@dataclass(frozen=True)
class Tracks(RowWorld):
    """Clips of one drifting digit, 48x48 pixels, one frame a second.

    Args:
        frames: number of frames.
        paces: pixels a second, one of which is drawn.
        growths: pixels of size an object gains in a second, one of which is drawn.
        prior: share of training rows in which a colour moves in its usual direction; None: as it falls.
        look: how it is photographed.

    Example:
        >>> row = FOUR.rows(1, "neutral", seed=1)[0]
        >>> len(row["images"]), sorted(row["gt_motion"].values())[0]["dir"] in COMPASS
        (4, True)
    """

    frames: int = 4
    paces: tuple[int, ...] = (2, 5)
    growths: tuple[int, ...] = (-1, 0, 1)
    prior: float | None = None
    look: Look = Look()

    def _row(self, split: Split, seed: int, index: int) -> dict[str, Any]:
        rng = row_seed(seed, split, index)
        drift = accept(
            lambda: self._drift(split.held_out, rng),
            lambda d: d.direction == USUAL[d.things[0].colour],
            split,
            self.prior,
            rng,
        )
        thing = drift.things[0]
        name = statements.label(thing.truth())
        motion = describe([t.box for t in drift.things], range(self.frames), tolerance=0.005 * SIDE)
        usual = USUAL[thing.colour]
        text = f"which way does the {thing.colour} object move: " + " ".join(
            f"({letter}) {way}" for way, letter in LETTERS.items()
        )
        content = [part for f in range(self.frames) for part in ({"type": "text", "text": f"frame {f + 1} "}, IMAGE)]
        objects = [{**t.truth(), "frame": f + 1} for f, t in enumerate(drift.things)]
        return {
            "prompt": [{"role": "user", "content": [*content, {"type": "text", "text": text}]}],
            "images": [draw([t], self.look, rng) for t in drift.things],
            "answer": LETTERS.get(motion.direction, "none"),
            "problem_type": "multiple choice",
            "task": TASK,
            "key_frames": [{"idx": f, "time": float(f)} for f in range(self.frames)],
            "key_items": {str(f): {name: [[side / SIDE for side in t.box]]} for f, t in enumerate(drift.things)},
            "image_size": [SIDE, SIDE],
            "gt_motion": {name: _told(motion)},
            "boxes": [list(t.box) for t in drift.things],
            "labels": [name] * self.frames,
            "category": "",
            "evidence": statements.evidence(objects[:1] + objects[-1:]),
            "captions": statements.captions(objects, rng),
            "truth": {
                "size": [SIDE, SIDE],
                "frames": self.frames,
                "objects": objects,
                "asked": [0, self.frames - 1],
                "prior": LETTERS[usual],
                "motion": _told(motion),
            },
            "world": "tracks",
            "kind": "drift",
            "seed": seed,
            "row": row_number(seed, split, index),
        }

    def _drift(self, held_out: bool, rng: np.random.Generator) -> Drift | None:
        """A digit on its way; None if it would leave the canvas."""
        colour, direction = str(rng.choice(list(COLOURS))), str(rng.choice(COMPASS))
        name, pace, growth = str(rng.integers(10)), int(rng.choice(self.paces)), int(rng.choice(self.growths))
        glyph = int(rng.choice(glyphs_of(name, held_out)))
        angle = np.pi / 4 * COMPASS.index(direction)
        x, y = rng.uniform(8, SIDE - 8, 2)
        things = []
        for f in range(self.frames):
            size = 14 + growth * (f - self.frames // 2)
            height, width = mask_of(name, size, glyph).shape
            centre = x + f * pace * np.cos(angle), y - f * pace * np.sin(angle)
            left, top = round(centre[0] - width / 2), round(centre[1] - height / 2)
            if left < 0 or top < 0 or left + width > SIDE or top + height > SIDE:
                return None
            things.append(Thing(name, colour, (left, top, left + width, top + height), size, glyph))
        return Drift(things, direction)


IMAGE = {"type": "image"}


def _told(motion: Motion) -> dict[str, str]:
    return {"dir": motion.direction, "speed": motion.speed, "scale": motion.scale}


FOUR = Tracks()
PRIOR = Tracks(prior=0.9)
