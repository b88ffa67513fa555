"""Document pages with fields, spoilt on purpose, and exactly which characters can still be read.

`Codes` are pages of 48x48 pixels for the tiny model: a row of handwritten digits. `Papers` are forms of printed text
for real OCR. On both, single characters are covered partly or wholly; a row's `clear`,
`not_clear` and `final` follow from the shares of their boxes that are hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sightline.lab.worlds.canvas import COLOURS, DIGITS, SIDE, Look, Thing, draw, glyphs_of, mask_of
from sightline.lab.worlds.splits import RowWorld, Split, accept, row_number, row_seed
from sightline.media.degrade import cover, low_contrast, motion_blur, noise, patch_over
from sightline.media.legibility import covered_shares, legible_strings

Box = tuple[int, int, int, int]
# what a reader who knows these codes would complete; the last digit follows from the first two
KNOWN = ("137", "284", "360", "429", "518", "675", "743", "806", "951", "092")
LABELS = ("Name", "Number", "Date", "City", "Total", "Doctor")
NAMES = ("Beatrice Kline", "Omar Haddad", "Ines Moreau", "Tomas Lind", "Ada Novak", "Hugo Stein")
CITIES = ("Lisbon", "Geneva", "Toronto", "Sydney", "Dalian", "Auckland")


@dataclass(frozen=True)
class Damage:
    """What happens to a field.

    Args:
        partly: chance that a character is partly covered.
        wholly: chance that a character is covered so far that nobody can read it.
        intact: share of pages on which nothing is covered.
        contrast, sd, blur: of the whole page: contrast 0..1, noise in grey levels, length of a motion blur in pixels.
    """

    partly: float = 0.2
    wholly: float = 0.3
    intact: float = 0.25
    contrast: float = 1.0
    sd: float = 0.0
    blur: int = 1

    def patches(self, boxes: Sequence[Box], rng: np.random.Generator) -> list[Box]:
        """Patches over some of the characters."""
        if rng.random() < self.intact:
            return []
        drawn = [(box, rng.random()) for box in boxes]
        return [
            patch_over(box, float(rng.uniform(0.8, 1.0) if chance < self.wholly else rng.uniform(0.3, 0.5)), rng)
            for box, chance in drawn
            if chance < self.wholly + self.partly
        ]

    def photographed(self, picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The page as a poor camera sees it."""
        return noise(low_contrast(motion_blur(picture, self.blur), self.contrast), self.sd, rng)


def read_row(text: str, boxes: Sequence[Box], mask: np.ndarray) -> dict[str, str]:
    """The three strings of a text under a mask."""
    return legible_strings(text, covered_shares(mask, boxes))._asdict()


@dataclass(frozen=True)
class Codes(RowWorld):
    """A code of three handwritten digits on a small page.

    Args:
        damage: what happens to the code.
        prior: share of training rows whose code is a known one, which a covered digit can be guessed from.
        look: contrast, noise, background.

    Example:
        >>> row = CODES.rows(1, split="neutral", seed=3)[0]
        >>> row["images"][0].size, len(row["answer"]), sorted(row["truth"])
        ((48, 48), 3, ['asked', 'covered', 'objects', 'prior', 'size', 'text'])
    """

    damage: Damage = field(default_factory=Damage)
    prior: float | None = 0.9
    look: Look = Look()
    shifted_look: Look = Look(noise=16.0, background=70, tint=0.15)

    def _row(self, split: Split, seed: int, index: int) -> dict[str, Any]:
        rng = row_seed(seed, split, index)
        code = accept(lambda: _code(rng), lambda one: one in KNOWN, split, self.prior, rng)
        colour = str(rng.choice(list(COLOURS)))
        things = _line(code, colour, split.held_out, rng)
        boxes = [thing.box for thing in things]
        clean = np.asarray(draw(things, self.look, rng))
        picture, mask = cover(self.damage.photographed(clean, rng), self.damage.patches(boxes, rng))
        covered = covered_shares(mask, boxes)
        text = "what are the digits?"
        return {
            "prompt": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}],
            "images": [Image.fromarray(picture)],
            "answer": code,
            "problem_type": "free-form",
            "boxes": [list(box) for box in boxes],
            "labels": [f"{thing.colour} {thing.name}" for thing in things],
            "category": "digits",
            "evidence": [f"the {colour} digits {code} are covered to {covered.round(2).tolist()}"],
            "captions": ["the page shows a row of digits"],
            **read_row(code, boxes, mask),
            "truth": {
                "size": [SIDE, SIDE],
                "objects": [thing.truth() for thing in things],
                "asked": [0, 1, 2],
                "prior": next((known for known in KNOWN if known[:2] == code[:2]), None),
                "text": code,
                "covered": covered.tolist(),
            },
            "world": "pages",
            "kind": "code",
            "seed": seed,
            "row": row_number(seed, split, index),
        }


def _code(rng: np.random.Generator) -> str:
    """A known code or, as often, any other."""
    return str(rng.choice(KNOWN)) if rng.random() < 0.5 else "".join(rng.choice(DIGITS, 3))


def _line(text: str, colour: str, held_out: bool, rng: np.random.Generator) -> list[Thing]:
    """Three digits side by side, each in a cell 16 pixels wide."""
    things = []
    for cell, name in enumerate(text):
        size = int(rng.integers(13, 16))
        glyph = int(rng.choice(glyphs_of(name, held_out)))
        height, width = mask_of(name, size, glyph).shape
        x = 16 * cell + int(rng.integers(0, max(1, 16 - width)))
        y = int(rng.integers(14, 34 - height))
        things.append(Thing(name, colour, (x, y, min(x + width, SIDE), y + height), size, glyph))
    return things


@dataclass(frozen=True)
class Papers(RowWorld):
    """Forms of printed text: six labelled fields on white paper, of which one is asked for.

    Args:
        damage: what happens to the asked field, and to the page.
        size: width and height in pixels.
        letters: height of the letters in pixels.

    Example:
        >>> row = PAPERS.rows(1, split="neutral", seed=1)[0]
        >>> row["images"][0].size, len(row["truth"]["covered"]) == len(row["answer"])
        ((480, 320), True)
    """

    damage: Damage = field(default_factory=lambda: Damage(partly=0.1, wholly=0.1))
    size: tuple[int, int] = (480, 320)
    letters: int = 22

    def _shifted(self) -> Papers:
        return replace(self, damage=replace(self.damage, contrast=0.4, sd=12.0, blur=3))

    def _row(self, split: Split, seed: int, index: int) -> dict[str, Any]:
        rng = row_seed(seed, split, index)
        fields = {label: _value(label, rng) for label in rng.permutation(LABELS).tolist()}
        asked = str(rng.choice(list(fields)))
        page, characters = self._drawn(fields)
        boxes = characters[asked]
        picture, mask = cover(page, self.damage.patches([box for box in boxes if box[2] > box[0]], rng), grey=60)
        covered = [float(share) for share in covered_shares(mask, boxes)]
        # a blank of the text has no ink that could be hidden
        covered = [0.0 if letter == " " else share for letter, share in zip(fields[asked], covered, strict=True)]
        question = f"What does the field {asked} say?"
        return {
            "prompt": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}],
            "images": [Image.fromarray(self.damage.photographed(picture, rng))],
            "answer": fields[asked],
            "problem_type": "OCR",
            "boxes": [list(box) for box in boxes],
            "labels": list(fields[asked]),
            "category": asked,
            "evidence": [f"{asked}: {fields[asked]}"],
            "captions": ["a form with six fields"],
            **legible_strings(fields[asked], covered)._asdict(),
            "truth": {
                "size": list(self.size),
                "objects": [{"name": label, "text": text} for label, text in fields.items()],
                "asked": [list(fields).index(asked)],
                "prior": None,
                "text": fields[asked],
                "covered": covered,
            },
            "world": "pages",
            "kind": "form",
            "seed": seed,
            "row": row_number(seed, split, index),
        }

    def _drawn(self, fields: dict[str, str]) -> tuple[np.ndarray, dict[str, list[Box]]]:
        """The clean page, and a box for every character of every field."""
        page = Image.new("RGB", self.size, (255, 255, 255))
        pen, font = ImageDraw.Draw(page), ImageFont.load_default(self.letters)
        boxes: dict[str, list[Box]] = {}
        for line, (label, text) in enumerate(fields.items()):
            x, y = 20.0, 16 + line * (self.size[1] - 24) // len(fields)
            pen.text((x, y), f"{label}:", fill=(90, 90, 90), font=font)
            boxes[label] = []
            x = 150.0
            for letter in text:
                left, top, right, bottom = pen.textbbox((x, y), letter, font=font)
                pen.text((x, y), letter, fill=(0, 0, 0), font=font)
                boxes[label].append((int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom))))
                x += pen.textlength(letter, font=font)
        return np.asarray(page), boxes


def _value(label: str, rng: np.random.Generator) -> str:
    """What a field of this label holds."""
    if label in ("Name", "Doctor"):
        return str(rng.choice(NAMES))
    if label == "City":
        return str(rng.choice(CITIES))
    if label == "Date":
        return f"{rng.integers(1, 29):02d}/{rng.integers(1, 13):02d}/{rng.integers(1990, 2030)}"
    return f"{rng.integers(100, 999)}.{rng.integers(10, 99)}" if label == "Total" else f"AB{rng.integers(10**5, 10**6)}"


CODES = Codes()
PAPERS = Papers()
