"""Answers that say when, or where, in tags: an interval against the true one, a box against the true one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.metrics.boxes import finite_boxes, paired_iou, proper_boxes
from sightline.metrics.spans import interval_iou
from sightline.parse.boxes import is_box, is_number
from sightline.parse.sightings import XYXY, cited_times, interval, tagged_box
from sightline.parse.tags import ANSWER, THINK, Block, Inside
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.key_frames import image_sizes, in_pixels, sorted_corners
from sightline.rewards.one_box import as_array, one_box_marks, reasons
from sightline.rewards.reward import Reward

CITED = Inside(THINK, cited_times)
Pair = tuple[float, float]


def whole_interval(value: Any) -> Pair | Missing:
    """A true interval: two numbers, or a text like `[3.0, 8.0]` or `From <t>3.0</t>s to <t>8.0</t>s`.

    Example:
        >>> whole_interval("[3.0, 8.0]"), whole_interval((3, 8)), whole_interval("From <t>3</t>s to <t>8</t>s")
        ((3.0, 8.0), (3.0, 8.0), (3.0, 8.0))
    """
    if isinstance(value, str):
        tagged = interval(value)
        if not isinstance(tagged, Missing):
            return tagged
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = None
    numbers = list(value) if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else []
    if len(numbers) != 2 or not all(isinstance(n, int | float | np.number) and is_number(float(n)) for n in numbers):
        return Missing("it needs an interval [start, end] in seconds")
    return float(numbers[0]), float(numbers[1])


def second_line(value: Any) -> Pair | Missing:
    """A true interval in the second line of a text whose first line is an option letter.

    Example:
        >>> second_line("B\\n[3.0, 8.0]"), second_line("B\\nFrom <t>3</t>s to <t>8</t>s")
        ((3.0, 8.0), (3.0, 8.0))
    """
    lines = value.split("\n") if isinstance(value, str) else []
    return whole_interval(lines[1]) if len(lines) > 1 else Missing("it needs a letter and, below, [start, end]")


@dataclass(frozen=True)
class IntervalFit(GoldReward):
    """Temporal IoU of `<t>a</t>s to <t>b</t>s` in the answer with the true interval.

    value = overlap / (last end - first start)

    Args:
        column: the true interval.
        read: value of the column -> (start, end), or `Missing`.
        block: where the answer stands.

    Reads: `column`. Range: 0..1. Low: no such interval, or one that ends before it starts.

    Example:
        >>> said = "<answer>From <t>0</t>s to <t>10</t>s</answer>"
        >>> IntervalFit()(Batch([said], {"answer": [[5, 10]]})).values
        array([0.5])
    """

    column: str = "answer"
    read: Callable[[Any], Pair | Missing] = whole_interval
    block: Block = ANSWER

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("<t>0</t>s to <t>10</t>s", "<t>10</t>s to <t>5</t>s", "5 to 10")
        return cls(), [{"completion": f"<answer>{text}</answer>", "answer": "[5, 10]"} for text in said]

    def right(self, batch: Batch) -> list[Pair]:
        return gold(batch, self.column, type(self).__name__, self.read)

    def score(self, batch: Batch) -> Scores:
        right = np.array(self.right(batch)).reshape(-1, 2)
        found = batch.parse(Inside(self.block, interval))
        said = np.array([(np.nan, np.nan) if isinstance(one, Missing) else one for one in found]).reshape(-1, 2)
        values = interval_iou(said, right)
        return Scores.of(values, reasons(found, values, "temporal IoU"))


@dataclass(frozen=True)
class TimesInside(GoldReward):
    """Share of the times cited in the think block that lie in the true interval, ends included.

    Args:
        column, read: as for `IntervalFit`.

    Reads: `column`. Range: 0..1. Low: no think block, no cited time.

    Example:
        >>> TimesInside()(Batch(["<think><t>5</t>s <t>11</t>s</think>"], {"answer": [[5, 10]]})).values
        array([0.5])
    """

    column: str = "answer"
    read: Callable[[Any], Pair | Missing] = whole_interval

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("<t>5</t>s <t>11</t>s", "<t>7</t>s", "never")
        return cls(), [{"completion": f"<think>{text}</think>", "answer": "[5, 10]"} for text in said]

    def right(self, batch: Batch) -> list[Pair]:
        return gold(batch, self.column, type(self).__name__, self.read)

    def score(self, batch: Batch) -> Scores:
        right = self.right(batch)
        found = batch.parse(CITED)
        values = np.array([_share(times, *truth) for times, truth in zip(found, right, strict=True)])
        why = [times.why if isinstance(times, Missing) else "" if times else "no time is cited" for times in found]
        return Scores.of(values, why)


def _share(times: list[float] | Missing, start: float, end: float) -> float:
    if isinstance(times, Missing) or not times:
        return 0.0
    return sum(start <= time <= end for time in times) / len(times)


@dataclass(frozen=True)
class TaggedBoxFit(Reward):
    """IoU of the box in the answer's first `<box>[..]</box>` with the true box.

    Args:
        column: the true box: four numbers, or a text with `<box>[..]</box>`.
        sort: corners are put in order; without it raw arithmetic on boxes as they are.

    Boxes are pixels, or 0..1 if all four values are. Reads: `column`, `image_size`. Range: 0..1. Marks: the box.

    Example:
        >>> columns = {"answer": [[0.1, 0.1, 0.2, 0.2]], "image_size": [(100, 100)]}
        >>> TaggedBoxFit()(Batch(["<answer><box>[10, 10, 20, 20]</box></answer>"], columns)).values
        array([1.])
    """

    column: str = "answer"
    sort: bool = True
    block: Block = ANSWER
    reads: ClassVar = ("image_size",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("<box>[10, 10, 20, 20]</box>", "<box>[20, 20, 10, 10]</box>", "<box>[10]</box>", "there")
        truth = {"answer": "<box>[0.1, 0.1, 0.2, 0.2]</box>", "image_size": [100, 100]}
        return cls(), [{"completion": f"<answer>{text}</answer>", **truth} for text in said]

    def needs(self) -> tuple[str, ...]:
        return (*self.reads, self.column)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        gold(batch, self.column, type(self).__name__, _true_box)
        image_sizes(batch, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        who = type(self).__name__
        sizes = image_sizes(batch, who)
        right = self._pixels(gold(batch, self.column, who, _true_box), sizes)
        found = batch.parse(Inside(self.block, tagged_box))
        said = self._pixels(found, sizes)
        values = np.clip(paired_iou(said, right, proper_boxes if self.sort else finite_boxes), 0.0, 1.0)
        return Scores(values, reasons(found, values, "IoU"), one_box_marks(found, said, values, Frame.pixels()))

    def _pixels(self, boxes: Sequence[XYXY | Missing], sizes: Sequence[Pair]) -> Values:
        rows = zip(boxes, sizes, strict=True)
        array = as_array([box if isinstance(box, Missing) else in_pixels(box, size) for box, size in rows])
        return sorted_corners(array) if self.sort else array


def _true_box(value: Any) -> XYXY | Missing:
    if isinstance(value, str):
        return tagged_box(value)
    numbers = [float(n) for n in value] if isinstance(value, Sequence | np.ndarray) else []
    if not is_box(numbers):
        return Missing("it needs four numbers, or <box>[x1, y1, x2, y2]</box>")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def written_option(said: str, right: str) -> float:
    """1 for `X`, `X.`, `(X)` or `[X]`, where X is the right option.

    Example:
        >>> [written_option(said, "B") for said in ("B", "(B)", "B)", "b")]
        [1.0, 1.0, 0.0, 0.0]
    """
    right = right.strip()
    return float(bool(right) and said.strip() in (right, f"{right}.", f"({right})", f"[{right}]"))


@dataclass(frozen=True)
class OptionBehind:
    """1 if the right option stands behind a cue; the right one is the first line of the gold text.

    Args:
        cue: words in front of the option.

    Example:
        >>> OptionBehind()("From 3 to 8. Correct Option: (B)", "B\\n[3.0, 8.0]")
        1.0
    """

    cue: str = "Correct Option:"

    def __call__(self, said: str, right: str) -> float | Missing:
        pieces = said.split(self.cue, 2)
        if len(pieces) < 2:
            return Missing(f"no `{self.cue}`")
        return written_option(pieces[1], right.split("\n")[0])
