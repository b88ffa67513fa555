r"""Boxes that reasoning mentions, each in a tag of its own: `<box>[x1,y1,x2,y2]</box>`.

Boxes are returned as they were written, swapped corners included, in whatever frame the prompt asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from sightline.core.missing import Missing
from sightline.parse.boxes import MOST_ITEMS, IntBox
from sightline.parse.tags import Block, Span

_DECIMAL = r"(-?+[0-9]++(?:\.[0-9]++)?+)"
_LOOSE = re.compile(r"\[\s*+" + r"\s*+,\s*+".join([_DECIMAL] * 4) + r"\s*+\]")
_TIGHT = re.compile(r"\[" + ",".join([r"(-?+[0-9]++)"] * 4) + r"\]")


@dataclass(frozen=True, slots=True, eq=False)
class FoundMentions:
    """The boxes of one text.

    Args:
        count: distinct boxes and unreadable contents.
        boxes: the distinct boxes, in order of first mention; corners may be swapped.
        mentions: every readable content in its place, with the number of its box.
    """

    count: int
    boxes: list[IntBox]
    mentions: list[tuple[Span, int]]


@dataclass(frozen=True, slots=True)
class TaggedBoxes:
    """Every box of a text that stands in a tag.

    Args:
        style: `loose` reads `[a, b, c, d]`, integers or decimals, blanks allowed; boxes with four equal numbers are one
            box, and every content that cannot be read counts as one more. `tight` reads contents that begin with
            `[int,int,int,int]` without blanks and leaves everything else out, invalid boxes too, as a public scorer
            does; repeats stay.
        tag: the tag of a box.
        limit: only so many contents are read; the others count as unreadable (`loose`) or not at all.

    Example:
        >>> said = "<box>[0, 0, 4, 4]</box> again <box>[0,0,4,4]</box>, <box>[4,4,0,0]</box> and <box>there</box>"
        >>> loose, tight = TaggedBoxes()(said), TaggedBoxes("tight")(said)
        >>> loose.count, loose.boxes, tight.count, tight.boxes
        (3, [(0.0, 0.0, 4.0, 4.0), (4.0, 4.0, 0.0, 0.0)], 1, [(0.0, 0.0, 4.0, 4.0)])

    References:
        Box syntax and scorer of TreeBench, Wang et al., TreeVGR, arXiv 2507.07999.
    """

    style: Literal["loose", "tight"] = "loose"
    tag: str = "box"
    limit: int = MOST_ITEMS

    def __call__(self, text: str) -> FoundMentions:
        spans, count = Block(self.tag).first(text, self.limit)
        read = [(span, self._box(span.text)) for span in spans]
        mentioned = [(span, box) for span, box in read if not isinstance(box, Missing)]
        if self.style == "tight":
            boxes = [box for _, box in mentioned]
            return FoundMentions(len(boxes), boxes, [(span, i) for i, (span, _) in enumerate(mentioned)])
        number = {box: i for i, box in enumerate(dict.fromkeys(box for _, box in mentioned))}
        unread = count - len(mentioned)
        return FoundMentions(len(number) + unread, list(number), [(span, number[box]) for span, box in mentioned])

    def _box(self, text: str) -> IntBox | Missing:
        found = _LOOSE.fullmatch(text) if self.style == "loose" else _TIGHT.match(text)
        if found is None:
            return Missing("no box in the tag")
        a, b, c, d = map(float, found.groups())
        if not isfinite(max(map(abs, (a, b, c, d)))):
            return Missing("a coordinate is not finite")
        if self.style == "tight" and not (a < c and b < d):
            return Missing("the corners are not in order")
        return a, b, c, d
