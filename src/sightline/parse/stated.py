r"""The short answer that a text states: in `\boxed{}`, behind a phrase such as "the answer is", or as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sightline.core.missing import Missing
from sightline.parse.last_box import LastBox
from sightline.parse.tags import Span

PHRASES = ("final answer is", "answer is", "correct answer is", "answer should be")
_COUNT = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"([-+]?[0-9]{1,18})\.0*")
_LETTER = re.compile(r"([a-d])(?:[.):].*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class StatedAnswer:
    r"""The content of the last closed `\boxed{}`; without one, what a phrase announces; else the whole text.

    For each phrase in turn, with `the` or `The` before it: what follows its last occurrence, up to the first newline
    and the first ". ".

    Example:
        >>> read = StatedAnswer()
        >>> read(r"\boxed{yes}"), read("So the answer is 7. Bye"), read("7")
        ('yes', ' 7', '7')
    """

    phrases: tuple[str, ...] = PHRASES
    box: LastBox = LastBox()

    def __call__(self, text: str) -> str:
        return self.span(text).text

    def span(self, text: str) -> Span:
        """The answer and its place in `text`, for marks."""
        boxed = self.box.span(text)
        if not isinstance(boxed, Missing):
            return boxed
        start, end = 0, len(text)
        for phrase in self.phrases:
            at = max(text.rfind(f"{the} {phrase}", start, end) for the in ("the", "The"))
            if at < 0:
                continue
            start = at + len(f"the {phrase}")
            for stop in ("\n", ". "):
                cut = text.find(stop, start, end)
                end = cut if cut >= 0 else end
        return Span(text[start:end], start, end)


def bare_answer(text: str) -> str:
    """An answer as it is compared: what follows the last `=`, lower case, without spaces, final dots, leading colons.

    Example:
        >>> bare_answer(": n = 7."), bare_answer(" Yes.")
        ('7', 'yes')
    """
    return text.rpartition("=")[2].lower().replace(" ", "").strip().rstrip(".").lstrip(":")


def whole_number(text: str, point_zero: bool = False) -> int | Missing:
    """The integer that a text is.

    Args:
        point_zero: `7.0` is one too.

    Example:
        >>> whole_number("7"), whole_number("7.0", point_zero=True), whole_number("7.0").why
        (7, 7, 'not a whole number')
    """
    if _COUNT.fullmatch(text):
        return int(text)
    found = _DECIMAL.fullmatch(text) if point_zero else None
    return int(found[1]) if found else Missing("not a whole number")


def letter_place(text: str, with_text: bool = False) -> int | Missing:
    """The place 0..3 of an option letter a..d that a text is.

    Args:
        with_text: a dot, closing bracket or colon may follow the letter, and any text behind it.

    Example:
        >>> letter_place("b"), letter_place("c)dog", with_text=True), letter_place("c)dog").why
        (1, 2, 'not one letter a to d')
    """
    found = _LETTER.fullmatch(text)
    if found is None or (len(text) > 1 and not with_text):
        return Missing("not one letter a to d")
    return "abcd".index(found[1])
