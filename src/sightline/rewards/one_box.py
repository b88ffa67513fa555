"""Rewards for a single box: the one a phrase refers to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.errors import ColumnError
from sightline.core.marks import BoxMarks
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.metrics.boxes import Validity, paired_giou, paired_iou, proper_boxes
from sightline.parse.boxes import IntBox, first_int_box, first_point_pair, is_box
from sightline.parse.json import load
from sightline.parse.tags import ANSWER, Block, Inside
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.reward import Range, Reward

NOWHERE = (float("nan"),) * 4


@dataclass(frozen=True)
class ReferredBox(GoldReward):
    """IoU of the box that the answer gives with the gold box.

    value = IoU(pred scaled by (W / W_in, H / H_in), gold)

    The policy writes pixels of the picture as the model sees it, the gold box is in pixels of the original.

    Args:
        block: where the box stands.
        find: text -> box.
        overlap_above: an overlap counts only if it is wider and higher than this; 1 pixel in released code.
        column: the gold box: four numbers, or a text that holds them in brackets.

    Reads: `column`; `image_size` (W, H) and `model_size` (W_in, H_in), in pixels: a row has both or neither; without
    them both boxes are taken to be in one frame.
    Range: 0..1. Low: 0 if no box of four non-negative integers is found. Marks: the box.

    Example:
        >>> said = '<answer>{"bbox_2d": [322, 238, 644, 476]}</answer>'
        >>> columns = {"solution": [[320, 240, 640, 480]], "image_size": [(640, 480)], "model_size": [(644, 476)]}
        >>> ReferredBox()(Batch([said], columns)).values
        array([1.])

    References:
        Shen et al., VLM-R1, arXiv 2504.07615, R_acc of REC.
    """

    block: Block = ANSWER
    find: Callable[[str], IntBox | Missing] = first_int_box
    overlap_above: float = 0.0
    column: str = "solution"
    may_read: ClassVar = ("image_size", "model_size")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("[322, 238, 644, 476]", "[644, 476, 322, 238]", "[1.5, 2, 3, 4]", "none", "[0, 0, 643, 476]")
        sizes = {"solution": [320, 240, 640, 480], "image_size": [640, 480], "model_size": [644, 476]}
        return cls(), [{"completion": f"<answer>{text}</answer>", **sizes} for text in said]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        self._scales(batch)

    def right(self, batch: Batch) -> list[tuple[float, ...]]:
        return gold(batch, self.column, type(self).__name__, gold_box)

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(Inside(self.block, self.find))
        said = as_array(found)
        right = np.array(self.right(batch)).reshape(-1, 4)
        scaled = said * self._scales(batch)
        values = paired_iou(scaled, right, overlap_above=self.overlap_above)
        return Scores(values, reasons(found, values, "IoU"), one_box_marks(found, scaled, values, Frame.pixels()))

    def _scales(self, batch: Batch) -> Values:
        """(B, 4) factors from what the model sees to the original."""
        if not (batch.has("image_size") or batch.has("model_size")):
            return np.ones((len(batch), 4))
        who = type(self).__name__
        image, model = (batch.column(name, who) for name in ("image_size", "model_size"))
        neither = [i is None and m is None for i, m in zip(image, model, strict=True)]
        return np.tile(_sizes(image, neither, "image_size", who) / _sizes(model, neither, "model_size", who), 2)


@dataclass(frozen=True)
class GeneralisedFit(GoldReward):
    """Generalised IoU of the box that the answer gives with the gold box, plus one.

    value = GIoU(pred, gold) + 1;  GIoU = IoU - (area(C) - union) / area(C), C the smallest box around both

    Args:
        block: where the box stands.
        find: text -> box.
        validity: a predicted box that fails it earns 0; released code checks nothing, and swapped corners earn 2.
        equal_text: an answer that equals the gold text earns 2, as in released code.
        column: the gold box, in the form of the answer, or four numbers.

    Reads: `column`. Range: 0..2. Low: 0 if no box is found. Marks: the box.

    Example:
        >>> said = "<answer>(100,100),(500,500)</answer>"
        >>> GeneralisedFit()(Batch([said], {"solution": ["(300,300),(700,700)"]})).values.round(6)
        array([0.920635])

    References:
        Liu et al., Visual-RFT, arXiv 2503.01785, grounding. Rezatofighi et al., GIoU, arXiv 1902.09630.
    """

    block: Block = ANSWER
    find: Callable[[str], IntBox | Missing] = first_point_pair
    validity: Validity = proper_boxes
    equal_text: bool = False
    column: str = "solution"
    range: ClassVar[Range] = (0.0, 2.0)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("(300,300),(700,700)", "(700, 700), (300, 300)", "(100,100),(500,500)", "nowhere", "")
        return cls(), [{"completion": f"<answer>{text}</answer>", "solution": "(300,300),(700,700)"} for text in said]

    def right(self, batch: Batch) -> list[tuple[float, ...]]:
        return gold(batch, self.column, type(self).__name__, gold_box)

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(Inside(self.block, self.find))
        said = as_array(found)
        right = np.array(self.right(batch)).reshape(-1, 4)
        fits = np.isfinite(said).all(axis=1) & self.validity(said)
        giou = paired_giou(np.where(fits[:, None], said, 0.0), right, self.validity)
        values = np.where(fits, np.clip(giou + 1.0, 0.0, 2.0), 0.0)
        if self.equal_text:
            answers, golds = batch.parse(self.block), batch.column(self.column)
            same = [isinstance(g, str) and a == _bare(g) for a, g in zip(answers, golds, strict=True)]
            values = np.where(same, 2.0, values)
        why = reasons(found, values, "GIoU + 1 =")
        return Scores(values, why, one_box_marks(found, said, values, Frame.thousand()))


def two_first_corners(text: str) -> IntBox | Missing:
    """The box that released code reads: of two boxes it takes the top-left corners.

    Example:
        >>> two_first_corners("(1,2),(3,4)"), two_first_corners("(1,2),(3,4) (5,6),(7,8)")
        ((1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 5.0, 6.0))
    """
    from sightline.parse.boxes import point_pairs

    boxes = point_pairs(text)
    if isinstance(boxes, Missing):
        return boxes
    return boxes[0] if len(boxes) == 1 else (*boxes[0][:2], *boxes[1][:2])


def gold_box(value: Any) -> tuple[float, ...] | Missing:
    """A gold box: four numbers, or a text that holds `[x1, y1, x2, y2]` or `(x1,y1),(x2,y2)`.

    Example:
        >>> gold_box("<answer>[29.12, 56, 270, 473]</answer>"), gold_box("(1,2),(3,4)")
        ((29.12, 56.0, 270.0, 473.0), (1.0, 2.0, 3.0, 4.0))
    """
    if isinstance(value, str):
        start, end = value.find("["), value.find("]")
        listed = load(value[start : end + 1]) if 0 <= start < end else first_point_pair(value)
        if isinstance(listed, Missing):
            return Missing("it needs a box: four numbers in brackets")
        value = listed
    numbers = value.tolist() if isinstance(value, np.ndarray) else value
    numbers = [float(n) if isinstance(n, int | float | np.number) else n for n in numbers] if _is_list(numbers) else []
    return tuple(numbers) if is_box(numbers) else Missing("it needs a box of four finite numbers")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def as_array(found: Sequence[IntBox | Missing]) -> Values:
    """(B, 4) boxes, NaN where none was found."""
    return np.array([NOWHERE if isinstance(box, Missing) else box for box in found]).reshape(-1, 4)


def reasons(found: Sequence[Any], values: Values, name: str) -> list[str]:
    """Why each single box earned what it did."""
    rows = zip(found, values.tolist(), strict=True)
    return [box.why if isinstance(box, Missing) else f"{name} {value:.3f}" for box, value in rows]


def one_box_marks(found: Sequence[Any], boxes: Values, values: Values, frame: Frame) -> BoxMarks:
    """A mark on the box of each rollout that has one."""
    has = np.array([not isinstance(box, Missing) for box in found], dtype=bool)
    offsets = np.concatenate([[0], np.cumsum(has)]).astype(np.int64)
    return BoxMarks(offsets, boxes[has], values[has], frame, "fits", "does not fit")


def _bare(text: str) -> str:
    found = Block("answer", otherwise="text")(text)
    return text if isinstance(found, Missing) else found


def _sizes(values: Sequence[Any], without: Sequence[bool], column: str, who: str) -> Values:
    """(B, 2) width and height of each row, 1 x 1 in rows without sizes."""
    sizes: list[tuple[float, ...]] = []
    for row, (value, none) in enumerate(zip(values, without, strict=True)):
        sides = (1.0, 1.0) if none else tuple(value) if isinstance(value, Sequence | np.ndarray) else ()
        if len(sides) != 2 or not all(
            isinstance(side, int | float | np.number) and 0 < side < np.inf for side in sides
        ):
            raise ColumnError(f"{who}: column `{column}` of row {row} is {value!r}; it needs (width, height) in pixels")
        sizes.append(sides)
    return np.array(sizes, dtype=np.float64).reshape(-1, 2)
