"""A case that is attacked, and what can be done to a reply: another answer, more reasoning, other boxes.

Knows the form of replies only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sightline.check.anatomy import ITEM, answer_span, box_of, quads, reasoning_span, with_boxes, written
from sightline.core.rollout import policy_text

SLOT = "\0"
BLOCK = re.compile(r"<(\w+)>[^<>]*</\1>")  # without another inside
_CONFIDENCE = re.compile(r"""(["']\w*(?:conf|uncert|score)\w*["']\s*:\s*)[-+\w.]+""", re.IGNORECASE)


@dataclass(frozen=True)
class Case:
    """One row of data and honest replies to it.

    Args:
        row: the columns, as they were given.
        right: the reply that earns most.
        wrong: a reply of the same form that says something else.
        other: the same with another mistake; empty: there is none.
    """

    row: Mapping[str, Any]
    right: str
    wrong: str
    other: str = ""


Reply: TypeAlias = "str | list[dict[str, str]]"
Way: TypeAlias = "Reply | tuple[Reply, ...]"
Made: TypeAlias = Sequence[Way]


def answer_of(text: str) -> str:
    """What a reply answers."""
    start, end = answer_span(text)
    return text[start:end]


def answered(text: str, answer: str) -> str:
    """The reply with another answer in its place."""
    start, end = answer_span(text)
    return text[:start] + answer + text[end:]


def reasoned(text: str, words: str) -> str:
    """The reply with more words at the beginning of its reasoning; without a place for it, before everything."""
    span = reasoning_span(text)
    at = 0 if span is None else span[0]
    return text[:at] + words + text[at:]


def holds_answer(case: Case, written: str) -> bool:
    """Whether a fixed text says the right answer by luck, or a column that it holds: what it earns then says nothing.

    Example:
        >>> case = Case({}, "<answer>Yes</answer>", "<answer>No</answer>")
        >>> holds_answer(case, "I cannot tell."), holds_answer(case, "Correct: yes.")
        (False, True)
    """
    right = _bare(answer_of(case.right))
    truths = {_bare(value) for value in case.row.values() if isinstance(value, str)}
    known = {right, *(truth for truth in truths if _says(right, truth))}
    return any(_says(written.lower(), one) for one in known)


def _bare(text: str) -> str:
    return text.strip(" \n()[]{}.,:;'\"").lower()


def _says(text: str, words: str) -> bool:
    return bool(words) and re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def silent(case: Case) -> bool:
    """Whether saying nothing is right: the right answer is empty or says `none`, or a column of the truth is empty."""
    answer = answer_of(case.right).strip(" \n[]{}")
    if not answer or re.match(r"(no\s+\w+|none|nothing)\W*$", answer, re.IGNORECASE):
        return True
    return any(isinstance(value, list | tuple) and not value for value in case.row.values())


def hedged(case: Case, text: str, glue: str) -> Made:
    right, wrong = answer_of(case.right), answer_of(text)
    if right == wrong or not right.strip() or quads(right) or "{" in right or wrong == text:
        return []
    return [tuple(answered(text, glue.join(pair)) for pair in ((wrong, right), (right, wrong)))]


@dataclass(frozen=True)
class Always:
    """The same box, whatever was there."""

    box: Sequence[float | str]

    def __call__(self, box: Sequence[float]) -> Sequence[float | str]:
        return self.box


@dataclass(frozen=True)
class Around:
    """A box moved by shares of its width and height, cut at the borders of the picture."""

    across: float
    down: float
    size: tuple[float, float]

    def __call__(self, box: Sequence[float]) -> Sequence[float | str]:
        x1, y1, x2, y2 = box
        x, y = (x2 - x1) * self.across, (y2 - y1) * self.down
        moved = zip((x1 + x, y1 + y, x2 + x, y2 + y), (*self.size, *self.size), strict=True)
        return [round(min(max(side, 0.0), most), 6) for side, most in moved]


@dataclass(frozen=True)
class Beside:
    """A box some small steps to the right and down: another box, and nearly the same."""

    steps: int

    def __call__(self, box: Sequence[float]) -> Sequence[float | str]:
        x1, y1, x2, y2 = box
        whole = x2 > 4 and all(float(side).is_integer() for side in box)
        across, down = (1.0, 1.0) if whole else ((x2 - x1) / 100, (y2 - y1) / 100)
        x, y = across * (self.steps % 5), down * (self.steps // 5)
        return [x1 + x, y1 + y, x2 + x, y2 + y]


def with_each(text: str, boxes: Iterable[Sequence[float]]) -> str:
    """The text with other boxes, one after the other."""
    new = iter(boxes)
    return with_boxes(text, lambda _: next(new))


def cell(width: float, height: float, n: int, i: int, j: int) -> tuple[float, float, float, float]:
    x, y = width / n, height / n
    return round(i * x, 3), round(j * y, 3), round((i + 1) * x, 3), round((j + 1) * y, 3)


def multiplied(text: str, change: Callable[[str], Iterable[str]]) -> Made:
    """The text with several items for each of its items."""
    items = [found[0] for found in ITEM.finditer(text) if found[0].startswith("{") or box_of(found[0])]
    if not items:
        return []

    def changed(found: re.Match[str]) -> str:
        if found[0] not in items:
            return found[0]
        return (" " if found[0].startswith("<") else ", ").join(change(found[0]))

    return [ITEM.sub(changed, text)]


def confident(text: str, *numbers: str) -> Made:
    """The text with other numbers for every confidence."""
    if not _CONFIDENCE.search(text):
        return []
    return [_CONFIDENCE.sub(rf"\g<1>{number}", text) for number in numbers]


def flooded(text: str, boxes: Sequence[Always | Around | Beside]) -> Made:
    """The text with many boxes beside each of its own."""

    def beside(item: str) -> list[str]:
        own = quads(item)
        pieces = with_boxes(item, Always((SLOT,) * 4)).split(SLOT)
        if len(own) != 1 or len(pieces) != 5:
            return [item]
        return [item, *("".join(filled_in(pieces, box(own[0]))) for box in boxes)]

    return multiplied(text, beside)


def filled_in(pieces: Sequence[str], box: Sequence[float | str]) -> list[str]:
    """A text in pieces with the sides of a box between them."""
    sides = [*(written(side) for side in box), ""]
    return [one for pair in zip(pieces, sides, strict=True) for one in pair]


def block(text: str) -> str:
    """The answer with the marks around it."""
    start, end = answer_span(text)
    for opens, closes in (("<answer>", "</answer>"), ("<ANSWER>", "</ANSWER>"), ("\\boxed{", "}")):
        before, after = text.rfind(opens, 0, start + 1), text.find(closes, end)
        if before >= 0 and after >= 0:
            return text[before : after + len(closes)]
    return text


def flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key}. {flat(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and value and isinstance(value[0], Mapping) and "role" in value[0]:
        return "\n".join(policy_text([{**turn, "role": "assistant"}]) for turn in value)
    return ", ".join(map(flat, value)) if isinstance(value, Sequence) else str(value)


def words_of(value: Any) -> list[str]:
    """Words of a column; addresses and data of pictures are none."""
    if isinstance(value, str):
        return [] if value.startswith(("data:", "http", "/")) else re.findall(r"[^\W\d_]{2,}", value)
    if isinstance(value, Mapping):
        return [word for item in value.values() for word in words_of(item)]
    return [word for item in value for word in words_of(item)] if isinstance(value, list | tuple) else []
