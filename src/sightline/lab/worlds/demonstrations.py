"""What a good pupil would write on a row: completions for supervised cold starts.

`look` reports what is in the picture and answers; `guess` answers from the question's wording; `detections` lists
boxes as an imperfect teacher does. Reads rows of the worlds only.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from sightline.lab.worlds import statements
from sightline.lab.worlds.canvas import COLOURS, DIGITS, SHAPES, SIDE

SILENT = ("detect", "find", "locate")
CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def completion(think: str, answer: str) -> str:
    """A think block and an answer block.

    >>> completion("red usually 3", "3")
    '<think>red usually 3</think> <answer>3</answer>'
    """
    return f"<think>{think}</think> <answer>{answer}</answer>"


def look(row: dict[str, Any]) -> str:
    """True sightings of the asked objects, then the right answer."""
    truth = row["truth"]
    asked = [truth["objects"][i] for i in truth["asked"]]
    if row["kind"] in SILENT:
        return completion("look", row["answer"])
    return completion(" ".join(statements.claim(thing) for thing in asked) or "nothing", row["answer"])


def guess(row: dict[str, Any]) -> str:
    """The answer the question's wording suggests, and no sighting.

    Raises:
        ValueError: the row's question has no prior answer.
    """
    usual = row["truth"]["prior"]
    if usual is None:
        raise ValueError(f"row {row['row']} asks {row['kind']!r}, which has no prior answer to guess")
    text = row["prompt"][0]["content"][-1]["text"]
    colours = re.findall("|".join(COLOURS), text)
    return completion(f"{colours[0] if colours else 'here'} usually {usual}", usual)


def taught_detections(row: dict[str, Any], rng: np.random.Generator, error: float = 0.3) -> str:
    """The list of objects by a teacher who, in a share `error` of the lists, drops one box or adds one.

    Works on kinds `detect` and `find`; confidences are drawn from 0.5..1.0 so that a policy has something to select.
    """
    boxes = [list(box) for box in row["boxes"]]
    labels = list(row["labels"])
    if rng.random() < error:
        if boxes and rng.random() < 0.5:
            gone = int(rng.integers(len(boxes)))
            del boxes[gone], labels[gone]
        else:
            boxes, labels = _with_stray(boxes, labels, rng)
    if row["kind"] == "find":
        said = [(box, float(rng.choice(CONFIDENCES))) for box in boxes]
        return completion("look", statements.confident(said))
    items = [{"bbox_2d": box, "label": name} for box, name in zip(boxes, labels, strict=True)]
    return completion("look", statements.fenced(items))


def _with_stray(
    boxes: list[list[int]], labels: list[str], rng: np.random.Generator
) -> tuple[list[list[int]], list[str]]:
    """One more box: a second, slightly moved one for an object, or one that covers nothing."""
    if boxes:
        i = int(rng.integers(len(boxes)))
        stray, name = [int(v) for v in np.clip(np.array(boxes[i]) + rng.integers(-2, 3, 4), 0, SIDE)], labels[i]
    else:
        x, y = (int(v) for v in rng.integers(0, SIDE - 12, 2))
        stray = [x, y, x + 11, y + 11]
        name = f"{rng.choice(list(COLOURS))} {rng.choice(list(DIGITS + SHAPES))}"
    every, names = [*boxes, stray], [*labels, name]
    order = sorted(range(len(every)), key=lambda i: every[i])
    return [every[i] for i in order], [names[i] for i in order]
