r"""A reply whose answer block holds a box: its form with fixed newlines, and where its answer stands."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.last_box import LastBox
from sightline.parse.maths import LONGEST
from sightline.parse.tags import Block, Span

_OPENING, _SEAM, _CLOSING, _BOX = "<think>\n", "\n</think>\n<answer>\n", "\n</answer>", "\\boxed{"


@dataclass(frozen=True, slots=True)
class ThinkAnswerBox:
    r"""Whether a text is a think block and an answer block with a box, each tag on a line of its own.

    Accepts what a full match of `<think>\n.*?\n</think>\n<answer>\n.*?\\boxed\{.+?\}.*?\n</answer>` accepts, the dot
    matching newlines.

    Example:
        >>> ThinkAnswerBox()("<think>\na\n</think>\n<answer>\nso \\boxed{2}\n</answer>")
        True
        >>> ThinkAnswerBox()("<think>a</think><answer>\\boxed{2}</answer>").why
        'does not begin with <think> and a newline'
    """

    def __call__(self, text: str) -> bool | Missing:
        if not text.startswith(_OPENING):
            return Missing("does not begin with <think> and a newline")
        if not text.endswith(_CLOSING):
            return Missing("does not end with </answer> on a line of its own")
        last = len(text) - len(_CLOSING)
        seam = text.find(_SEAM, len(_OPENING), last)
        if seam < 0:
            return Missing("no </think> and <answer> on lines of their own")
        box = text.find(_BOX, seam + len(_SEAM), last)
        if box < 0 or text.rfind("}", box, last) <= box + len(_BOX):
            return Missing("no box with something in it in the answer")
        return True


@dataclass(frozen=True, slots=True)
class BoxInBlock:
    r"""The last closed box of the last answer block, or the whole block where it has none.

    Args:
        block: where the answer stands.
        box: what is looked for in it.

    Example:
        >>> BoxInBlock()("<answer>\nso \\boxed{2}\n</answer>"), BoxInBlock()("<answer> 3 </answer>")
        ('2', '3')
        >>> BoxInBlock()("\\boxed{2}").why
        'no closed <answer> block'
    """

    block: Block = Block("answer", which="last")
    box: LastBox = LastBox()

    def __call__(self, text: str) -> str | Missing:
        found = self.span(text)
        return found if isinstance(found, Missing) else found.text

    def span(self, text: str) -> Span | Missing:
        """The answer and its place in `text`, for marks."""
        block = self.block.span(text)
        if isinstance(block, Missing):
            return block
        box = self.box.span(block.text)
        return block if isinstance(box, Missing) else Span(box.text, block.start + box.start, block.start + box.end)


@dataclass(frozen=True, slots=True)
class LineOrEnd:
    r"""The first block that lies on one line, or the end of the text where there is none.

    Args:
        block: where the answer stands.
        most: characters of the end, so that a long reply still has its answer read by parsers that take no longer text.

    Example:
        >>> LineOrEnd()("<answer>2</answer>"), LineOrEnd(most=9)("It is said: \\boxed{2}")
        ('2', '\\boxed{2}')
    """

    block: Block = Block("answer", lines="one")
    most: int = LONGEST

    def __call__(self, text: str) -> str:
        return self.span(text).text

    def span(self, text: str) -> Span:
        """The answer and its place in `text`, for marks."""
        found = self.block.span(text)
        if isinstance(found, Span):
            return found
        start = max(0, len(text) - self.most)
        return Span(text[start:], start, len(text))
