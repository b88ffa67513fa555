r"""A reply that describes, thinks and then boxes its answer, as a form."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sightline.core.missing import Missing

_SEAM = re.compile(r"</description>\s*<think>")
_BOX = re.compile(r"</think>\s*\\boxed\{")
_BRACE = re.compile(r"[{}]")
_BLANKS = re.compile(r"(?:(?<!\s)\s+)?([<>/])\s*")
_OPENING = "<description>"


@dataclass(frozen=True, slots=True)
class DescribedBox:
    r"""Whether a text is a description block, a think block and `\boxed{...}`, white space between them at most.

    Accepts what a full match of `<description>.*?</description>\s*<think>.*?</think>\s*\\boxed\{.*?\}` accepts, the
    dot matching newlines; a second block of a kind is text of the first.

    Args:
        balanced: the last box that stands behind a think block must end the text with its own brace; otherwise any
            closing brace at the end will do, as for the expression.
        squeeze: white space around `<`, `>` and `/` is taken out first.

    Example:
        >>> DescribedBox()("<description>a</description>\n<think>b</think> \\boxed{2}")
        True
        >>> DescribedBox()("<description>a</description><think>b</think>\\boxed{2}.").why
        'text behind the box'
    """

    balanced: bool = True
    squeeze: bool = False

    def __call__(self, text: str) -> bool | Missing:
        if self.squeeze:
            text = _BLANKS.sub(r"\1", text)
        if not text.startswith(_OPENING):
            return Missing(f"does not begin with {_OPENING}")
        seam = _SEAM.search(text, len(_OPENING))
        if seam is None:
            return Missing("no </description> followed by <think>")
        boxes = [found.end() for found in _BOX.finditer(text, seam.end())]
        if not boxes:
            return Missing("no </think> followed by a box")
        end = _closing(text, boxes[-1]) if self.balanced else text.rfind("}", boxes[0])
        if end < 0:
            return Missing("the box is not closed")
        return True if end == len(text) - 1 else Missing("text behind the box")


def _closing(text: str, start: int) -> int:
    """Where the brace stands that closes the box whose content begins at `start`; -1 if none does."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return -1
