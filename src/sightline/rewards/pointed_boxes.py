"""Rewards for lists of boxes with a point inside, as prompts for a segmenter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.marks import BoxMarks
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.metrics.pointed_boxes import matched_tests
from sightline.metrics.ragged import Ragged
from sightline.parse.boxes import is_box, is_number
from sightline.parse.json import load
from sightline.parse.tags import ANSWER, Block, Inside
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.reward import Range, Reward

MOST = 120  # items that are looked at


@dataclass(frozen=True)
class PointedBoxes:
    """One list of items.

    Args:
        keys: mean over all items of (box is a list of 4) + (point is a list of 2), 0..2; 2 for an empty list.
        count: items looked at, at most 120.
        items: (count, 6) boxes with points; None if some item lacks either.
    """

    keys: float
    count: int
    items: list[tuple[float, ...]] | None


def pointed_boxes(text: str) -> PointedBoxes | Missing:
    """The JSON list of `{"bbox_2d": [x1, y1, x2, y2], "point_2d": [x, y]}` that a text is.

    Example:
        >>> pointed_boxes('[{"bbox_2d": [1, 2, 3, 4], "point_2d": [2, 3]}]').items, pointed_boxes("[{}]").items
        ([(1.0, 2.0, 3.0, 4.0, 2.0, 3.0)], None)
        >>> pointed_boxes("none").why, pointed_boxes("{}").why
        ('not JSON', 'JSON, but not a list')
    """
    value = load(text)
    if isinstance(value, Missing):
        return value
    return listed_boxes(value) if isinstance(value, list) else Missing("JSON, but not a list")


def listed_boxes(value: list[Any]) -> PointedBoxes:
    """The same from a list that is loaded already."""
    shaped = [_shape(item) for item in value]
    keys = sum(shaped) / len(shaped) if shaped else 2.0
    looked = value[:MOST]
    whole = all(size == 2 for size in shaped) and all(
        is_box(item["bbox_2d"]) and is_number(item["point_2d"][0]) and is_number(item["point_2d"][1]) for item in looked
    )
    items = [tuple(map(float, (*item["bbox_2d"], *item["point_2d"]))) for item in looked] if whole else None
    return PointedBoxes(keys, len(looked), items)


def _shape(item: Any) -> int:
    if not isinstance(item, dict):
        return 0
    box, point = item.get("bbox_2d"), item.get("point_2d")
    return int(isinstance(box, list) and len(box) == 4) + int(isinstance(point, list) and len(point) == 2)


@dataclass(frozen=True)
class PointedBoxForm(Reward):
    """Whether the answer is a list of items with a box and a point.

    value = mean over items of [bbox_2d is a list of 4] + [point_2d is a list of 2]

    Args:
        block: where the list stands.
        empty: what an empty list earns: 2, for it says that there is nothing; 0 in released code.

    Range: 0..2. Low: 0 without an answer block, or if it is no JSON list.

    Example:
        >>> said = ['<answer>[{"bbox_2d": [1, 2, 3, 4]}]</answer>', "<answer>[]</answer>", "[]"]
        >>> PointedBoxForm()(Batch(said)).values
        array([1., 2., 0.])
    """

    block: Block = ANSWER
    empty: float = 2.0
    range: ClassVar[Range] = (0.0, 2.0)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), pointed_rows()

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(Inside(self.block, pointed_boxes))
        return Scores.of(
            np.array([self._one(one) for one in found]),
            [one.why if isinstance(one, Missing) else f"{one.count} items" for one in found],
        )

    def _one(self, found: PointedBoxes | Missing) -> float:
        if isinstance(found, Missing):
            return 0.0
        return found.keys if found.count else self.empty


@dataclass(frozen=True)
class PointedBoxFit(GoldReward):
    """How many gold items are found with box and point, by three tests a pair.

    value = sum over matched pairs of [IoU > 0.5] + [mean |coordinate difference| < 10] + [point < 30 away and in its
    own box], divided by max(predicted, gold items); the matching that passes most tests; lists are cut to 120 items

    Args:
        block: where the list stands.
        nothing: what an empty answer to an empty gold list earns: 3, for it is right; 0 in released code.
        column: the gold list, or its JSON text, with or without answer tags; pixels as the model sees them.

    Reads: `column`. Range: 0..3. Low: 0 for no list, an item without four and two finite numbers, boxes where there is
    nothing. Marks: every box with its tests.

    Raises:
        ColumnError: a gold value is no list of items with box and point.

    Example:
        >>> item = '{"bbox_2d": [14, 10, 54, 50], "point_2d": [30, 61]}'
        >>> right = [{"bbox_2d": [10, 10, 50, 50], "point_2d": [30, 30]}]
        >>> PointedBoxFit()(Batch([f"<answer>[{item}]</answer>"], {"solution": [right]})).values
        array([2.])

    References:
        Liu et al., VisionReasoner, arXiv 2505.12081; ViSurf, arXiv 2510.10606.
    """

    block: Block = ANSWER
    nothing: float = 3.0
    column: str = "solution"
    range: ClassVar[Range] = (0.0, 3.0)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), pointed_rows()

    def right(self, batch: Batch) -> list[list[tuple[float, ...]]]:
        return gold(batch, self.column, type(self).__name__, gold_items)

    def score(self, batch: Batch) -> Scores:
        right = self.right(batch)
        found = batch.parse(Inside(self.block, pointed_boxes))
        said = [[] if isinstance(one, Missing) or one.items is None else one.items for one in found]
        pred, target = _ragged(said), _ragged(right)
        tests = matched_tests(pred, target)
        values: Values = pred.sum(tests) / np.maximum(np.maximum(pred.counts, target.counts), 1)
        none = np.array([not isinstance(one, Missing) and one.count == 0 for one in found], dtype=bool)
        values = np.where(none & (target.counts == 0), self.nothing, values)
        why = [_why(*row) for row in zip(found, pred.sum(tests).tolist(), target.counts.tolist(), strict=True)]
        boxes = pred.flat[:, :4]
        return Scores(values, why, BoxMarks(pred.offsets, boxes, tests, Frame.pixels(), "tests passed", "unmatched"))


def gold_items(value: Any) -> list[tuple[float, ...]] | Missing:
    """The items of a gold list, at most 120: a list, or JSON text with or without answer tags."""
    if isinstance(value, str):
        text = Block("answer", otherwise="text")(value)
        value = load(text) if isinstance(text, str) else text
    if isinstance(value, Missing) or not isinstance(value, Sequence | np.ndarray):
        return Missing("it needs a list of items with `bbox_2d` and `point_2d`")
    found = listed_boxes([_plain(item) for item in value])
    return Missing("an item lacks `bbox_2d` or `point_2d`") if found.items is None else found.items


def pointed_rows() -> list[dict[str, Any]]:
    """Rollouts of every kind that the rewards of this file meet."""
    right = [{"bbox_2d": [10, 10, 50, 50], "point_2d": [30, 30]}, {"bbox_2d": [60, 60, 90, 90], "point_2d": [75, 75]}]
    said = (
        '[{"bbox_2d": [10, 10, 50, 50], "point_2d": [30, 30]}]',
        '[{"bbox_2d": [60, 60, 90, 90], "point_2d": [75, 75]}, {"bbox_2d": [14, 10, 54, 50], "point_2d": [30, 61]}]',
        '[{"bbox_2d": [50, 50, 10, 10], "point_2d": [30, 30]}, {"bbox_2d": [10, 10, 50, 50]}, 7]',
        '[{"bbox_2d": [50, 50, 10, 10], "point_2d": [30, 30]}]',
        "[]",
        "nothing",
    )
    return [
        {"completion": f"<think>t</think><answer>{text}</answer>", "solution": solution}
        for text in said
        for solution in (right, [])
    ]


def _ragged(rows: Sequence[Sequence[tuple[float, ...]]]) -> Ragged:
    flat: NDArray[np.float64] = np.array([item for row in rows for item in row], dtype=np.float64).reshape(-1, 6)
    return Ragged.from_counts(flat, [len(row) for row in rows])


def _plain(item: Any) -> Any:
    if not isinstance(item, Mapping):
        return item
    return {key: np.asarray(value).tolist() if value is not None else None for key, value in item.items()}


def _why(found: PointedBoxes | Missing, tests: float, right: int) -> str:
    if isinstance(found, Missing):
        return found.why
    if found.items is None:
        return "an item lacks its box or its point"
    return f"{tests:.0f} of {3 * max(found.count, right)} tests passed"
