"""How far a box does better than a shortcut would, and whether it was given in the asked form."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.metrics.boxes import finite_boxes, paired_iou
from sightline.metrics.calibration import calibrated
from sightline.parse.boxes import is_box
from sightline.parse.json import load
from sightline.parse.keyed_box import FindKeyedBox, KeyedBox
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.one_box import one_box_marks
from sightline.rewards.reward import Range, Reward

NOWHERE = (math.nan,) * 4
TOP = 1000.0


class GoldBox(NamedTuple):
    """The right box, and what a shortcut earns in expectation (below 1, or 1)."""

    box: tuple[float, ...]
    expected: float = 0.0


@dataclass(frozen=True)
class BoxAboveShortcut(GoldReward):
    """IoU of the box behind the think block, above what a shortcut would get.

    value = (g(IoU) - E) / (1 - E);  E = 1: 1 if the IoU is 1, else 0

    Args:
        find: text -> the box, see `FindKeyedBox`. Swapped corners are put in order and said to be.
        grade: IoU -> grade in 0..1, for example `metrics.calibration.LateRise`; None: the IoU itself.
        above: subtract E; without it the grade itself is the value, as in one released variant that overwrites it.
        column: the gold box and E: `{"bbox": [x1, y1, x2, y2], "E": 0.5}`, its JSON text, or four numbers.

    Reads: `column`. Range: up to 1; a low IoU is negative where E is positive, as the formula has it.
    Low: as for IoU 0 without a legal box. Marks: the box.

    Raises:
        ColumnError: a gold value holds no box of four numbers in 0..1000 with its corners in order, or its E is not in
            0..1.

    Example:
        >>> said = '<think>t</think>{"bbox": [200, 100, 400, 300]}'
        >>> gold = [{"bbox": [100, 100, 300, 300], "E": e} for e in (0.0, 0.5, 1.0)]
        >>> BoxAboveShortcut()(Batch([said] * 3, {"solution": gold})).values.round(6)
        array([ 0.333333, -0.333333,  0.      ])

    References:
        Asking like Socrates, arXiv 2511.22396, grounding accuracy.
    """

    find: FindKeyedBox = FindKeyedBox()
    grade: Callable[[Values], Values] | None = None
    above: bool = True
    column: str = "solution"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), keyed_rows()

    def bounds(self) -> Range:
        return -math.inf, 1.0

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(self.find)
        right = self.right(batch)
        said = np.array([NOWHERE if isinstance(one.box, Missing) else one.box for one in found]).reshape(-1, 4)
        # an official box may have no area, and a union of 0 is an IoU of 0
        iou = paired_iou(said, np.array([one.box for one in right]).reshape(-1, 4), finite_boxes)
        graded = iou if self.grade is None else self.grade(iou)
        values = calibrated(graded, np.array([one.expected for one in right])) if self.above else graded
        why = [_why(*row) for row in zip(found, iou.tolist(), strict=True)]
        return Scores(values, why, one_box_marks([one.box for one in found], said, values, Frame.thousand()))

    def right(self, batch: Batch) -> list[GoldBox]:
        return gold(batch, self.column, type(self).__name__, gold_box_above)


@dataclass(frozen=True)
class KeyedBoxForm(Reward):
    """Whether a reply thinks, and then gives its box under the asked key.

    value = (c + b) / 2;  c: a closing think tag exists, b: the first keyed box behind it is legal
    halved if b = 0 and a keyed box stands before the tag; halved again if a bare bracket supplied the box
    0 without a closing think tag

    Args:
        find: text -> the box, see `FindKeyedBox`.

    Range: 0..1.

    Example:
        >>> said = ['<think>t</think>{"bbox": [1, 2, 3, 4]}', "<think>t</think>[1, 2, 3, 4]", '{"bbox": [1, 2, 3, 4]}']
        >>> KeyedBoxForm()(Batch(said)).values
        array([1.  , 0.25, 0.  ])

    References:
        Asking like Socrates, arXiv 2511.22396, grounding format.
    """

    find: FindKeyedBox = FindKeyedBox()

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), keyed_rows()

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(self.find)
        return Scores.of(np.array([_form(one) for one in found]), [_form_why(one) for one in found])


def gold_box_above(value: Any) -> GoldBox | Missing:
    """A gold box in 0..1000 with its E.

    Example:
        >>> gold_box_above('{"bbox": [1, 2, 3, 4], "E": 0.5}'), gold_box_above([1, 2, 3, 4]).expected
        (GoldBox(box=(1.0, 2.0, 3.0, 4.0), expected=0.5), 0.0)
    """
    value = load(value) if isinstance(value, str) else value
    expected: Any = 0.0
    if isinstance(value, Mapping):
        given = value.get("E")
        expected, value = 0.0 if given is None else given, value.get("bbox")
    box = value.tolist() if isinstance(value, np.ndarray) else list(value) if isinstance(value, list | tuple) else value
    if not is_box(box):
        return Missing("it needs `bbox`, four finite numbers")
    x1, y1, x2, y2 = map(float, box)
    if not 0 <= x1 <= x2 <= TOP or not 0 <= y1 <= y2 <= TOP:
        return Missing(f"its box needs x1 <= x2 and y1 <= y2 in 0..{TOP:g}, as shares of the picture")
    if isinstance(expected, bool) or not isinstance(expected, int | float | np.number) or not 0 <= expected <= 1:
        return Missing("its E must lie in 0..1")
    return GoldBox((x1, y1, x2, y2), float(expected))


def keyed_rows() -> list[dict[str, Any]]:
    """Rollouts of every kind that the rewards of this file meet."""
    box = [100, 100, 300, 300]
    said = (
        f'<think>t</think>{{"bbox": {box}}}',
        '<think>t</think>{"bbox": [400, 300, 200, 100]}',
        f"<think>t</think>{box}",
        f"bbox: {box} <think>t</think> nothing",
        f"<think>t</think> bbox: {box} Answer: done",
        "",
    )
    return [{"completion": text, "solution": {"bbox": box, "E": e}} for text in said for e in (0.0, 0.5, 1.0)]


def _form(found: KeyedBox) -> float:
    if not found.closed:
        return 0.0
    value = (1.0 + found.keyed) / 2
    if not found.keyed and found.early:
        value /= 2
    return value / 2 if found.fallback else value


def _form_why(found: KeyedBox) -> str:
    if not found.closed:
        return "no closed think block"
    said = [] if found.keyed else ["no legal keyed box behind the think block"]
    said += ["a box before it"] if found.early and not found.keyed else []
    return ", ".join([*said, *(["a bare bracket"] if found.fallback else [])])


def _why(found: KeyedBox, iou: float) -> str:
    if isinstance(found.box, Missing):
        return found.box.why
    notes = ["swapped corners put in order"] * found.swapped + ["from a bare bracket"] * found.fallback
    return ", ".join([f"IoU {iou:.3f}", *notes])
