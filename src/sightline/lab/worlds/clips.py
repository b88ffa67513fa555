"""Short clips as lists of pictures, with questions about direction, order, number of flashes, first and last.

No single frame tells the answer: a moving object's frames are the same set whichever way it moves, and objects that
appear are visible in one frame each. `frozen` makes the control: the clip with one of its frames repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.lab.worlds import statements
from sightline.lab.worlds.canvas import COLOURS, DIGITS, SIDE, Look, Thing, draw, glyphs_of, mask_of, place
from sightline.lab.worlds.splits import RowWorld, Split, accept, row_number, row_seed

WAYS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
LETTERS = dict(zip(WAYS, "ABCD", strict=True))
USUAL_WAY = {"red": "right", "green": "left", "blue": "up", "yellow": "down", "cyan": "right", "magenta": "left"}
USUAL_DIGIT = {"first": "1", "last": "9"}
USUAL_FLASHES = "2"


@dataclass(frozen=True)
class Story:
    """What each frame shows, the question, its answer, and the (frame, thing) sightings it is about."""

    frames: list[list[Thing]]
    text: str
    answer: str
    problem_type: str
    asked: list[tuple[int, Thing]]
    prior: str


@dataclass(frozen=True)
class Clips(RowWorld):
    """Questions on clips of 2 to 8 frames of 48x48 pixels.

    Args:
        kinds: direction, order, flashes, first, last.
        frames: number of frames.
        sizes: least and greatest nominal size in pixels.
        step: pixels a moving object travels between two frames; times frames - 1 it must leave room on the canvas.
        look, prior, shifted_sizes, shifted_look: as in the world of pictures.

    Example:
        >>> row = FOUR.rows(1, split="neutral", seed=1)[0]
        >>> len(row["images"]), len(row["prompt"][0]["content"])
        (4, 9)
    """

    kinds: tuple[str, ...] = ("direction", "order", "flashes", "first", "last")
    frames: int = 4
    sizes: tuple[int, int] = (13, 18)
    step: int = 4
    look: Look = Look()
    prior: float | None = None
    shifted_sizes: tuple[int, int] = (19, 22)
    shifted_look: Look = Look(noise=16.0, background=90, tint=0.25)

    def __post_init__(self) -> None:
        if not 2 <= self.frames <= 8:
            raise ValueError(f"a clip has 2 to 8 frames, got {self.frames}")
        if self.step * (self.frames - 1) + 1 + max(self.sizes[1], self.shifted_sizes[1]) > SIDE:
            raise ValueError(f"{self.frames} frames with step {self.step} leave no room on {SIDE} pixels")

    def _row(self, split: Split, seed: int, index: int) -> dict[str, Any]:
        rng = row_seed(seed, split, index)
        kind = str(rng.choice(self.kinds))
        story = accept(
            lambda: STORIES[kind](self, split.held_out, rng), lambda s: s.answer == s.prior, split, self.prior, rng
        )
        shown = [(f, thing) for f, things in enumerate(story.frames) for thing in things]
        truth: dict[str, Any] = {
            "size": [SIDE, SIDE],
            "frames": self.frames,
            "objects": [{**thing.truth(), "frame": f + 1} for f, thing in shown],
            "asked": [shown.index(sighting) for sighting in story.asked],
            "prior": story.prior,
        }
        asked = [truth["objects"][i] for i in truth["asked"]]
        return {
            "prompt": [{"role": "user", "content": _content(story)}],
            "images": [draw(things, self.look, rng) for things in story.frames],
            "answer": story.answer,
            "problem_type": story.problem_type,
            "boxes": [thing["box"] for thing in asked],
            "labels": [statements.label(thing) for thing in asked],
            "category": "",
            "evidence": statements.evidence(asked),
            "captions": statements.captions(truth["objects"], rng),
            "truth": truth,
            "world": "clips",
            "kind": kind,
            "seed": seed,
            "row": row_number(seed, split, index),
        }


def _content(story: Story) -> list[dict[str, Any]]:
    """Every picture behind its number, then the question."""
    parts: list[dict[str, Any]] = []
    for f in range(len(story.frames)):
        parts += [{"type": "text", "text": f"frame {f + 1} "}, {"type": "image"}]
    return [*parts, {"type": "text", "text": story.text}]


def frozen(row: dict[str, Any], seed: int = 0) -> dict[str, Any]:
    """The repeated-frame control: the row with every picture replaced by one of them, drawn at random.

    A model that reads the order of frames falls to guessing here; one that does not never read it.
    """
    frame = int(np.random.default_rng([seed, row["row"]]).integers(len(row["images"])))
    return {**row, "images": [row["images"][frame]] * len(row["images"])}


def _colours(rng: np.random.Generator) -> list[str]:
    return [str(c) for c in rng.permutation(list(COLOURS))]


def _digit(rng: np.random.Generator) -> str:
    return str(rng.choice(DIGITS))


def direction(clip: Clips, held_out: bool, rng: np.random.Generator) -> Story:
    """Which way an object moves: its path's middle is drawn alike for all ways, so both ends start anywhere."""
    colour, way = _colours(rng)[0], str(rng.choice(list(WAYS)))
    name, size = _digit(rng), int(rng.integers(clip.sizes[0], clip.sizes[1] + 1))
    glyph = int(rng.choice(glyphs_of(name, held_out)))
    height, width = mask_of(name, size, glyph).shape
    margin = (clip.step * (clip.frames - 1) + 1) // 2
    x = int(rng.integers(margin, SIDE - width - margin + 1))
    y = int(rng.integers(margin, SIDE - height - margin + 1))
    frames = []
    for f in range(clip.frames):
        # Rounded down in both senses, so that both show the same set of frames.
        away = (2 * f - clip.frames + 1) * clip.step
        dx, dy = (int(np.floor(away * d / 2)) for d in WAYS[way])
        left, top = x + dx, y + dy
        frames.append([Thing(name, colour, (left, top, left + width, top + height), size, glyph)])
    text = f"which way does the {colour} object move: (A) left (B) right (C) up (D) down"
    asked = [(0, frames[0][0]), (clip.frames - 1, frames[-1][0])]
    return Story(frames, text, LETTERS[way], "multiple choice", asked, LETTERS[USUAL_WAY[colour]])


def _single(clip: Clips, colour: str, held_out: bool, rng: np.random.Generator) -> Thing:
    """One digit somewhere on an empty canvas."""
    size = int(rng.integers(clip.sizes[0], clip.sizes[1] + 1))
    thing = place(rng, _digit(rng), colour, size, [], held_out)
    if thing is None:
        raise ValueError(f"an object of {size} pixels does not fit on an empty canvas")
    return thing


def order(clip: Clips, held_out: bool, rng: np.random.Generator) -> Story:
    """Which of two objects appears first; each is seen in one frame only."""
    a, b = _colours(rng)[:2]
    when = [int(f) for f in rng.permutation(clip.frames)[:2]]
    shown = [_single(clip, colour, held_out, rng) for colour in (a, b)]
    frames: list[list[Thing]] = [[] for _ in range(clip.frames)]
    for f, thing in zip(when, shown, strict=True):
        frames[f].append(thing)
    usual = min(a, b, key=list(COLOURS).index)
    asked = sorted(zip(when, shown, strict=True), key=lambda pair: pair[0])
    return Story(frames, f"which appears first: {a} or {b}?", asked[0][1].colour, "free-form", asked, usual)


def flashes(clip: Clips, held_out: bool, rng: np.random.Generator) -> Story:
    """In how many frames an object lights up (0 to 3), beside another that lights up at random."""
    colour, other = _colours(rng)[:2]
    times = int(rng.integers(0, min(3, clip.frames) + 1))
    lit = {int(f) for f in rng.permutation(clip.frames)[:times]}
    thing = _single(clip, colour, held_out, rng)
    size = int(rng.integers(clip.sizes[0], clip.sizes[1] + 1))
    beside = place(rng, _digit(rng), other, size, [thing], held_out)
    frames = []
    for f in range(clip.frames):
        distraction = [beside] if beside and rng.random() < 0.5 else []
        frames.append(([thing] if f in lit else []) + distraction)
    asked = [(f, thing) for f in sorted(lit)]
    text = f"how many times does the {colour} object flash?"
    return Story(frames, text, str(times), "numerical", asked, USUAL_FLASHES)


def _shown_at(clip: Clips, held_out: bool, rng: np.random.Generator, end: str) -> Story:
    frames = [[_single(clip, _colours(rng)[0], held_out, rng)] for _ in range(clip.frames)]
    at = 0 if end == "first" else clip.frames - 1
    asked = [(at, frames[at][0])]
    return Story(frames, f"which digit is shown {end}?", frames[at][0].name, "numerical", asked, USUAL_DIGIT[end])


def first(clip: Clips, held_out: bool, rng: np.random.Generator) -> Story:
    """Which digit the first frame shows."""
    return _shown_at(clip, held_out, rng, "first")


def last(clip: Clips, held_out: bool, rng: np.random.Generator) -> Story:
    """Which digit the last frame shows."""
    return _shown_at(clip, held_out, rng, "last")


STORIES: dict[str, Callable[[Clips, bool, np.random.Generator], Story]] = {
    "direction": direction,
    "order": order,
    "flashes": flashes,
    "first": first,
    "last": last,
}

FOUR = Clips()
EIGHT = Clips(frames=8, step=3)
PRIOR = Clips(kinds=("direction",), prior=0.9, look=Look(contrast=0.55, noise=27.0))
