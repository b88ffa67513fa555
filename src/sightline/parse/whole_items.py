r"""Lists of labelled boxes without tags around them: fenced or bare JSON, and the whole items of a list cut short.

Boxes become integers, as pixel coordinates are; what has no box with ordered corners is left out. Knows no image size.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, compress, islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sightline.core.missing import Missing
from sightline.parse.boxes import MOST_ITEMS, Detections, FoundBoxes, is_box
from sightline.parse.json import JSON_LIST, load

_Items: TypeAlias = "tuple[list[Sequence[float]], list[str | None]]"
_NAN = float("nan")
_OPENING = re.compile(r"```json[ \t\r]*+\n")
_FENCE = "```"
_NUMBER = r"(1000|[0-9]{1,3}+)"
_ITEM = re.compile(
    r'\{"bbox_2d": \[' + ", ".join([_NUMBER] * 4) + r'\], "label": "([^"]++)"\}'
)  # this spacing and this order of keys


def until_fence(text: str) -> str:
    r"""What is read of a text: from behind an opening json fence line, if it begins with one, to the next fence.

    Example:
        >>> until_fence("```json\n[1]\n```\nThat is all."), until_fence("[1]\n```"), until_fence("See:\n```\n[1]")
        ('[1]\n', '[1]\n', 'See:\n')
    """
    text = text.strip()
    opening = _OPENING.match(text)
    return text[opening.end() if opening else 0 :].partition(_FENCE)[0]


def unfenced(text: str) -> str:
    r"""All of a text but the json fence around it.

    Example:
        >>> unfenced("```json\n[1]\n```"), unfenced(" [1] "), unfenced("```json\n[1]\n```\nThat is all.")
        ('[1]', '[1]', '[1]\n```\nThat is all.')
    """
    text = text.strip()
    opening = _OPENING.match(text)
    return text[opening.end() if opening else 0 :].removesuffix(f"\n{_FENCE}").strip()


@dataclass(frozen=True, slots=True)
class WholeItems:
    """The usable items of a JSON list of `bbox_2d` and `label`, or those of a list that does not load.

    1. What stands in the json fence, or before any fence, is loaded; items with a box of four finite numbers are kept,
       truncated to integers, if x1 < x2 and y1 < y2.
    2. If none is left, items are looked for in the raw text, written exactly as
       `{"bbox_2d": [a, b, c, d], "label": "name"}` with integers 0..1000: the complete items of a cut list.

    Args:
        limit: only so many items are read; the others are counted.

    Returns:
        `FoundBoxes` of the usable items alone, or `Missing` if no list loads and no item is found.

    Example:
        >>> found = WholeItems()('[{"bbox_2d": [1, 2, 3.9, 4], "label": "cat"}, {"bbox_2d": [3, 2, 1, 4]}]')
        >>> found.count, found.xyxy, found.labels
        (1, [(1.0, 2.0, 3.0, 4.0)], ['cat'])
        >>> WholeItems()('[{"bbox_2d": [1, 2, 3, 4], "label": "cat"}, {"bbox_2d": [5').count
        1
        >>> WholeItems()("a cat").why
        'not JSON, and no whole item'

    References:
        Zhan et al., Vision-R1, arXiv 2503.18013, released parser.
    """

    limit: int = MOST_ITEMS

    def __call__(self, text: str) -> FoundBoxes | Missing:
        return self.many([text])[0]

    def many(self, texts: Sequence[str]) -> list[FoundBoxes | Missing]:
        """What is found in each text, the numbers of all looked at in one go."""
        lists = [JSON_LIST(until_fence(text)) for text in texts]
        read = Detections(limit=self.limit).read_many(lists)
        return [self._found(*row) for row in zip(texts, read, _usable(read), strict=True)]

    def _found(self, text: str, read: FoundBoxes | Missing, usable: _Items) -> FoundBoxes | Missing:
        boxes, labels = usable
        unread = 0 if isinstance(read, Missing) else read.count - len(read.xyxy)
        if not boxes:
            remains, unread = self._remains(text)
            boxes, labels = [box for box, _ in remains], [label for _, label in remains]
        if not boxes and isinstance(read, Missing):
            return Missing(f"{read.why}, and no whole item")
        size = len(boxes)
        return FoundBoxes(size + unread, boxes, labels, [_NAN] * size, [True] * size)

    def _remains(self, text: str) -> tuple[list[tuple[Sequence[float], str | None]], int]:
        """The usable items of the raw text, and how many more there are beyond the limit."""
        found = _ITEM.finditer(text)
        items = [item.groups() for item in islice(found, self.limit)]
        read = [(tuple(map(float, numbers)), label) for *numbers, label in items]
        usable = [(box, label) for box, label in read if box[0] < box[2] and box[1] < box[3]]
        return list(usable), sum(1 for _ in found) if usable else 0


def _usable(read: Sequence[FoundBoxes | Missing]) -> list[_Items]:
    """Of each list the boxes with ordered corners, as integers, and their labels."""
    lists = [[] if isinstance(one, Missing) else one.xyxy for one in read]
    flat = np.array([*chain.from_iterable(chain.from_iterable(lists))], dtype=np.float64).reshape(-1, 4)
    flat = np.trunc(flat)
    ordered = ((flat[:, 0] < flat[:, 2]) & (flat[:, 1] < flat[:, 3])).tolist()
    whole: list[Sequence[float]] = list(map(tuple, flat.tolist()))
    found: list[_Items] = []
    start = 0
    for one, boxes in zip(read, lists, strict=True):
        end = start + len(boxes)
        labels = [] if isinstance(one, Missing) else one.labels
        keep = ordered[start:end]
        kept = whole[start:end]
        found.append((kept, labels) if all(keep) else (list(compress(kept, keep)), list(compress(labels, keep))))
        start = end
    return found


def box_list(text: str) -> NDArray[np.float64] | Missing:
    """The (N, 4) boxes of a JSON list, fenced or bare and nothing else, in which every item is as it was asked for.

    Every item must have `bbox_2d` and `label`; a box is four finite numbers with x1 < x2 and y1 < y2.

    Example:
        >>> box_list('[{"bbox_2d": [1, 2, 3, 4], "label": "cat"}]'), box_list("[]").shape
        (array([[1., 2., 3., 4.]]), (0, 4))
        >>> box_list("[1, 2]").why, box_list('[{"bbox_2d": [3, 2, 1, 4], "label": "cat"}]').why
        ('item 0 has no box with a label', 'the corners of item 0 are not in order')
    """
    items = JSON_LIST(unfenced(text))
    if isinstance(items, Missing):
        return items
    if len(items) > MOST_ITEMS:
        return Missing(f"{len(items)} items are a flood")
    for number, item in enumerate(items):
        if not isinstance(item, dict) or "label" not in item or not is_box(item.get("bbox_2d")):
            return Missing(f"item {number} has no box with a label")
    boxes = np.array([item["bbox_2d"] for item in items], dtype=np.float64).reshape(-1, 4)
    swapped = (boxes[:, 0] >= boxes[:, 2]) | (boxes[:, 1] >= boxes[:, 3])
    if swapped.any():
        return Missing(f"the corners of item {int(swapped.argmax())} are not in order")
    return boxes


def loads_with_fours(text: str) -> Any:
    """The JSON value of a text, fenced or bare, if no listed object with `bbox_2d` and `label` has other than four
    coordinates: what released code calls well formed.

    Example:
        >>> loads_with_fours("[1, 2]"), loads_with_fours('[{"bbox_2d": [1], "label": "cat"}]').why
        ([1, 2], 'the box of item 0 is not a list of 4')
    """
    value = load(unfenced(text))
    for number, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict) and "bbox_2d" in item and "label" in item:
            box = item["bbox_2d"]
            if not isinstance(box, list) or len(box) != 4:
                return Missing(f"the box of item {number} is not a list of 4")
    return value
