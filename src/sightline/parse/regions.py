"""Regions that a policy is unsure about, and replies made of blocks that all must be readable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sightline.core.missing import Missing
from sightline.parse.boxes import Detections, FoundBoxes, is_number
from sightline.parse.json import JSON_LIST
from sightline.parse.tags import FullMatch

MOST_REGIONS = 256


@dataclass(frozen=True, slots=True)
class Regions:
    """A JSON list of objects with a box, and optionally how unsure each is.

    Args:
        boxes: how an item's box is read; a list with an item without one is Missing.
        unsure: key of the uncertainty, a number in 0..1; anything else is none.

    Returns:
        `FoundBoxes` whose scores are the uncertainties, NaN where there is none. What comes behind the first
        256 is counted, but not read: that many point at everything.

    Example:
        >>> Regions()('[{"bbox_2d": [1, 2, 3, 4], "uncertainty": 0.5}, {"bbox_2d": [1, 2, 3, 4]}]').scores
        [0.5, nan]
        >>> Regions()('[{"label": "cat"}]').why
        'item 0 has no box of 4 finite numbers'
    """

    boxes: Detections = Detections(bad_item="fail", limit=MOST_REGIONS)
    unsure: str = "uncertainty"

    def __call__(self, text: str) -> FoundBoxes | Missing:
        found = self.boxes(text)
        if isinstance(found, Missing):
            return found
        items = JSON_LIST(text)
        read = [] if isinstance(items, Missing) else items[: len(found.valid)]
        return FoundBoxes(found.count, found.xyxy, found.labels, [self._score(item) for item in read], found.valid)

    def _score(self, item: Any) -> float:
        value: Any = item.get(self.unsure) if isinstance(item, dict) else None
        return float(value) if is_number(value) and 0 <= value <= 1 else float("nan")


@dataclass(frozen=True, slots=True)
class ReadableBlocks:
    """A reply that is one block after another, of which some must be readable.

    Args:
        form: the blocks that the whole reply must be.
        inner: parsers of the reply, each of which must find something.

    Example:
        >>> from sightline.parse.tags import Block, Inside
        >>> form = ReadableBlocks(FullMatch(("look", "answer")), (Inside(Block("answer"), JSON_LIST),))
        >>> form("<look>a</look><answer>[]</answer>")
        ([],)
        >>> form("<look>a</look><answer>none</answer>").why
        'not JSON'
    """

    form: FullMatch
    inner: tuple[Callable[[str], Any], ...]

    def __call__(self, text: str) -> tuple[Any, ...] | Missing:
        blocks = self.form(text)
        if isinstance(blocks, Missing):
            return blocks
        found = tuple(parser(text) for parser in self.inner)
        return next((one for one in found if isinstance(one, Missing)), found)
