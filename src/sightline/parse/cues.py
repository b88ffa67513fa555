r"""Visual cues in a text: places inside `<cue>..</cue>`, and whether cues, think and answer blocks are well formed.

Cues are returned as they were written, swapped corners and indices beyond the grid included.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sightline.core.missing import Missing
from sightline.parse.boxes import MOST_ITEMS
from sightline.parse.tags import Block, FullMatch, Span

Place: TypeAlias = tuple[float, ...]
FARTHEST = 1e15  # an index beyond it is as far outside

_WHOLE, _DECIMAL = r"([0-9]++)", r"([0-9]++(?:\.[0-9]++)?+)"


def _listed(number: str, count: int) -> re.Pattern[str]:
    return re.compile(r"\[\s*+" + r"\s*+,\s*+".join([number] * count) + r"\s*+\]")


def _point(number: str) -> str:
    return rf"\(\s*+{number}\s*+,\s*+{number}\s*+\)"


_PATCH_FORMS = (_listed(_WHOLE, 4), re.compile(rf"{_point(_WHOLE)}\s*+,\s*+{_point(_WHOLE)}"))
_PIXEL_FORMS = (_listed(_DECIMAL, 4), re.compile(rf"{_point(_DECIMAL)}\s*+,\s*+{_point(_DECIMAL)}"))
_PATCH_POINTS = (_listed(_WHOLE, 2), re.compile(_point(_WHOLE)))
_PIXEL_POINTS = (_listed(_DECIMAL, 2), re.compile(_point(_DECIMAL)))


def patch_box(text: str) -> Place | Missing:
    """The patch box that the text is: `[r1, c1, r2, c2]` or `(r1,c1),(r2,c2)`, non-negative integers, blanks allowed.

    Example:
        >>> patch_box("[2, 1, 4, 3]"), patch_box(" (2,1), (4,3)"), patch_box("[2, 1, 4]").why
        ((2.0, 1.0, 4.0, 3.0), (2.0, 1.0, 4.0, 3.0), 'not a place: [2, 1, 4]')
    """
    return _place(text, _PATCH_FORMS)


def pixel_box(text: str) -> Place | Missing:
    """The box that the text is, integers or decimals: `[x1, y1, x2, y2]` or `(x1,y1),(x2,y2)`."""
    return _place(text, _PIXEL_FORMS)


def patch_point(text: str) -> Place | Missing:
    """The patch that the text is: `[r, c]` or `(r,c)`."""
    return _place(text, _PATCH_POINTS)


def pixel_point(text: str) -> Place | Missing:
    """The point that the text is, integers or decimals: `[x, y]` or `(x,y)`."""
    return _place(text, _PIXEL_POINTS)


def _place(text: str, forms: tuple[re.Pattern[str], ...]) -> Place | Missing:
    text = text.strip()
    for form in forms:
        found = form.fullmatch(text)
        if found:
            return tuple(min(float(number), FARTHEST) for number in found.groups())
    return Missing(f"not a place: {text[:40]}")


@dataclass(frozen=True, slots=True, eq=False)
class FoundCues:
    """The cues of one text, in its order.

    Args:
        count: how many there are, unreadable ones included.
        places: the place of each; None where it cannot be read.
        spans: where each stands. Both lists hold at most the parser's limit.
    """

    count: int
    places: list[Place | None]
    spans: list[Span]


@dataclass(frozen=True, slots=True)
class Cues:
    """Every cue of a text.

    Args:
        read: text of a cue -> place.
        tag: the tag of a cue.
        limit: only so many are read; the others are counted.

    Example:
        >>> found = Cues()("<cue>[1, 1, 2, 2]</cue> beside <cue>there</cue>")
        >>> found.count, found.places
        (2, [(1.0, 1.0, 2.0, 2.0), None])
    """

    read: Callable[[str], Place | Missing] = patch_box
    tag: str = "cue"
    limit: int = MOST_ITEMS

    def __call__(self, text: str) -> FoundCues:
        spans, count = Block(self.tag).first(text, self.limit)
        read = [self.read(span.text) for span in spans]
        places = [None if isinstance(place, Missing) else place for place in read]
        return FoundCues(count, places, spans)


@dataclass(frozen=True, slots=True)
class CueForm:
    """One think block, one answer block, nothing around them, and every cue closed, readable and in the think block.

    Zero cues are well formed.

    Args:
        cues: how cues are found and read.

    Example:
        >>> CueForm()("<think>see <cue>[1, 1, 2, 2]</cue></think><answer>B</answer>").count
        1
        >>> CueForm()("<think>see <cue>[1, 1, 2, 2]</think><answer>B</answer>").why
        'a <cue> that is not closed, or closed twice'
    """

    cues: Cues = Cues()
    form: FullMatch = FullMatch(once=True)

    def __call__(self, text: str) -> FoundCues | Missing:
        blocks = self.form(text)
        if isinstance(blocks, Missing):
            return blocks
        found, tag = self.cues(text), self.cues.tag
        if not text.count(f"<{tag}>") == text.count(f"</{tag}>") == found.count:
            return Missing(f"a <{tag}> that is not closed, or closed twice")
        if None in found.places or found.count > len(found.places):
            return Missing("a cue that cannot be read")
        think = blocks[0]
        if not all(think.start <= span.start and span.end <= think.end for span in found.spans):
            return Missing("a cue outside the think block")
        return found
