"""Procedural, seeded worlds whose truth is exact. A world makes rows; a row is a plain dict.

    prompt        chat messages with image parts
    images        PIL pictures, in the order of the image parts
    answer        the right answer as text
    problem_type  numerical, multiple choice, free-form, grounding (one box) or detection (a list of boxes)
    boxes, labels the objects the question is about: xyxy in pixels of their picture, "colour name"
    category      what is counted or searched for, or nothing
    evidence      minimal checkable statements that support the answer
    captions      statements of the scene made without the question
    truth         size, objects (name, colour, box, in clips frame), asked (indices), prior (answer by wording alone)
    world, kind, seed, row

Splits: train, biased (held-out scans, same language prior), neutral (held-out scans, no prior), reversed (held-out
scans, the prior's answer is always wrong), shifted (held-out scans, other sizes and look, no prior).
"""

from __future__ import annotations

from typing import Any, Protocol

from sightline.lab.worlds.clips import Clips, frozen
from sightline.lab.worlds.digits import Digits
from sightline.lab.worlds.splits import SPLITS

__all__ = ["SPLITS", "Clips", "Digits", "World", "frozen"]


class World(Protocol):
    """What every world offers."""

    def rows(self, n: int, split: str = "train", seed: int = 0) -> list[dict[str, Any]]:
        """The first `n` rows of a split."""
        ...
