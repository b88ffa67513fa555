r"""A reply that describes, thinks and then boxes its answer, as a form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from sightline.core.missing import Missing


class _Form(NamedTuple):
    """The pieces of the expression, in order."""

    opening: re.Pattern[str]
    seam: re.Pattern[str]
    box: re.Pattern[str]


_TIGHT = _Form(
    re.compile(r"<description>"),
    re.compile(r"</description>\s*+<think>"),
    re.compile(r"</think>\s*+\\boxed\{"),
)
# what the tight form finds once white space around < > and / is taken out, found without taking it out
_LOOSE = _Form(
    re.compile(r"\s*+<\s*+description\s*+>"),
    re.compile(r"<\s*+/\s*+description\s*+>\s*+<\s*+think\s*+>"),
    re.compile(r"<\s*+/\s*+think\s*+>\s*+\\boxed\{"),
)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DescribedBox:
    r"""Whether a text is a description block, a think block and `\boxed{...}`, white space between them at most.

    Accepts what a full match of `<description>.*?</description>\s*<think>.*?</think>\s*\\boxed\{.*?\}` accepts, the
    dot matching newlines; a second block of a kind is text of the first.

    Args:
        balanced: the last box that stands behind a think block must end the text with its own brace; otherwise any
            closing brace at the end will do, as for the expression.
        squeeze: white space around `<`, `>` and `/` does not count.

    Example:
        >>> DescribedBox()("<description>a</description>\n<think>b</think> \\boxed{2}")
        True
        >>> DescribedBox()("<description>a</description><think>b</think>\\boxed{2}.").why
        'text behind the box'
    """

    balanced: bool = True
    squeeze: bool = False

    def __call__(self, text: str) -> bool | Missing:
        form = _LOOSE if self.squeeze else _TIGHT
        opening = form.opening.match(text)
        if opening is None:
            return Missing("does not begin with <description>")
        seam = form.seam.search(text, opening.end())
        if seam is None:
            return Missing("no </description> followed by <think>")
        boxes = [found.end() for found in form.box.finditer(text, seam.end())]
        if not boxes:
            return Missing("no </think> followed by a box")
        end = _closing(text, boxes[-1]) if self.balanced else text.rfind("}", boxes[0])
        if end < 0:
            return Missing("the box is not closed")
        return True if end == len(text) - 1 else Missing("text behind the box")


def _closing(text: str, start: int) -> int:
    """Where the brace stands that closes the box whose content begins at `start`; escaped ones do not. -1: none."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return brace.start()
    return -1
