"""Finding every instance of one class in a crowded scene: precision and recall of the answer.

`Crowd` reads predictions and gold boxes once per batch; the rewards for looking share it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.errors import ConfigError
from sightline.core.marks import BoxMarks
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.metrics.boxes import Floats, proper_boxes
from sightline.metrics.matching import hungarian, match_boxes
from sightline.metrics.ragged import Indices, Ragged
from sightline.parse.boxes import Detections, FoundBoxes, box_table
from sightline.parse.tags import ANSWER, Inside
from sightline.rewards.gold import gold, gold_text
from sightline.rewards.picture_sizes import picture_sizes
from sightline.rewards.reward import Reward
from sightline.rewards.target_boxes import target_boxes

FAR = 1e15  # pixels


@dataclass(frozen=True)
class CrowdGold:
    """(M, 4) gold boxes of every row, once per batch.

    Raises:
        ColumnError: one has no area, or a row has no list: a picture without any has an empty one.
    """

    column: str

    def __call__(self, batch: Batch) -> Ragged:
        rows = gold(batch, self.column, "a reward over a crowd", _listed_boxes)
        return Ragged.from_counts(np.concatenate([np.zeros((0, 4)), *rows]), [len(row) for row in rows])


@dataclass(frozen=True)
class Crowd:
    """How the answer and the gold boxes of a crowded scene are read.

    Predictions are rescaled from the model's picture to the gold one. A prediction is valid if its corners are in order
    and its label, trimmed and in lower case, is the query; one without a label passes.

    Args:
        find: text -> boxes of the answer, or `Missing`, which is not an empty list.
        boxes: column of gold boxes [x1, y1, x2, y2] in pixels of the picture; empty: there is none.
        query: column of the class asked for.
    """

    find: Callable[[str], FoundBoxes | Missing] = Inside(ANSWER, Detections(bad_item="fail"))
    boxes: str = "boxes"
    query: str = "query"

    @property
    def needs(self) -> tuple[str, ...]:
        return self.boxes, self.query

    @property
    def gold(self) -> CrowdGold:
        return CrowdGold(self.boxes)

    def check(self, batch: Batch) -> None:
        batch.once(self.gold)
        gold(batch, self.query, "a reward over a crowd", gold_text)
        scales(batch)

    def __call__(self, batch: Batch) -> Read:
        found = batch.parse(self.find)
        table = box_table(found)
        queries = [text.lower() for text in gold(batch, self.query, "a reward over a crowd", gold_text)]
        all_items = Ragged(table.xyxy, table.offsets.astype(np.intp))
        rows = all_items.row_of
        named = [
            label is None or label.strip().lower() == queries[row]
            for label, row in zip(table.labels, rows.tolist(), strict=True)
        ]
        placed = np.clip(table.xyxy, -FAR, FAR) * np.tile(scales(batch), 2)[rows]
        valid = table.valid & proper_boxes(placed) & np.array(named, dtype=bool)
        said = Ragged(np.where(valid[:, None], placed, np.nan), all_items.offsets)
        return Read(said, table.xyxy, table.counts, batch.once(self.gold))


@dataclass(frozen=True, eq=False)
class Read:
    """Predictions and gold boxes of B rollouts.

    Args:
        said: (N, 4) predictions in pixels of the gold picture, NaN where one is not valid.
        written: (N, 4) as they were written.
        counts: (B,) items of the answer, -1 where there is no readable list.
        gold: (M, 4) gold boxes.
    """

    said: Ragged
    written: Floats
    counts: NDArray[np.int64]
    gold: Ragged


@dataclass(frozen=True)
class CrowdFound(Reward):
    """Weighted precision and recall of the predicted boxes.

    value = w_p * TP / |P| + w_r * TP / |GT|,  TP = matched pairs with IoU >= at

    The matching has the largest total IoU, which is not the largest number of hits. Invalid and repeated predictions
    stay in |P|.

    Args:
        crowd: how boxes are read.
        precision, recall: the weights; they add up to 1.
        at: IoU of a hit; equality counts.
        soft: a hit is worth its IoU.
        mask_below: pairs below `at` count as 0 in the matching, so that they cannot take a gold box from a hit.

    Reads: the gold boxes, the query; `image_size` and `model_size` if there (width, height; both or neither).
    Range: 0..1. Nothing said and nothing there: 1. One of both empty, or no readable list: 0. Marks: every box.

    Raises:
        ConfigError: the weights do not add up to 1.

    Example:
        >>> said = '<answer>[{"bbox_2d": [0, 0, 40, 40], "label": "person"}]</answer>'
        >>> columns = {"boxes": [[[0, 0, 40, 40], [50, 50, 90, 90]]], "query": ["person"]}
        >>> CrowdFound()(Batch([said], columns)).values
        array([0.75])

    References:
        DIP-R1, arXiv 2505.23179, weighted precision-recall reward; the formula is ours.
    """

    crowd: Crowd = Crowd()
    precision: float = 0.5
    recall: float = 0.5
    at: float = 0.5
    soft: bool = False
    mask_below: bool = False
    may_read: ClassVar = ("image_size", "model_size")

    def __post_init__(self) -> None:
        if min(self.precision, self.recall) < 0 or abs(self.precision + self.recall - 1) > 1e-9:
            raise ConfigError(f"CrowdFound: weights {self.precision:g} and {self.recall:g} do not add up to 1")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{name: row[name] for name in ("completion", "boxes", "query")} for row in crowd_rows()]

    def needs(self) -> tuple[str, ...]:
        return self.crowd.needs

    def check(self, batch: Batch) -> None:
        super().check(batch)
        self.crowd.check(batch)

    def score(self, batch: Batch) -> Scores:
        found = batch.once(self.crowd)
        matcher = partial(_most_overlap, masked=self.at if self.mask_below else None)
        iou = match_boxes(found.said, found.gold, matcher).similarity
        hit = iou >= self.at
        total = found.said.sum(np.where(hit, iou if self.soft else 1.0, 0.0))
        said, there = found.counts, found.gold.counts
        share = self.precision * total / np.maximum(said, 1) + self.recall * total / np.maximum(there, 1)
        values = np.where((said > 0) & (there > 0), share, np.where((said == 0) & (there == 0), 1.0, 0.0))
        why = self._why(batch, total, said, there)
        return Scores(values, why, BoxMarks(found.said.offsets, found.written, iou, Frame.pixels(), "IoU", "fits none"))

    def _why(self, batch: Batch, total: Values, said: NDArray[np.int64], there: Indices) -> list[str]:
        rows = zip(batch.parse(self.crowd.find), total.tolist(), said.tolist(), there.tolist(), strict=True)
        return [
            one.why if isinstance(one, Missing) else f"{hits:.4g} hits, {n} boxes for {g} gold boxes"
            for one, hits, n, g in rows
        ]


def scales(batch: Batch) -> Values:
    """(B, 2) factors from pixels of the model's picture to those of the gold one; 1 in rows without `model_size`."""
    if not batch.has("model_size"):
        return np.ones((len(batch), 2))
    seen: Sequence[Any] = batch.column("model_size")
    if all(size is None for size in seen):
        return np.ones((len(batch), 2))
    own = picture_sizes(batch, "image_size", "a reward over a crowd")
    return own / picture_sizes(batch, "model_size", "a reward over a crowd", own)


def crowd_rows() -> list[dict[str, Any]]:
    """Groups of rollouts of every kind that these rewards meet."""
    one, two = '{"bbox_2d": [0, 0, 40, 40], "label": "person"}', '{"bbox_2d": [50, 50, 90, 90]}'
    half, other = '{"bbox_2d": [50, 50, 90, 70], "label": "Person "}', '{"bbox_2d": [50, 50, 90, 90], "label": "car"}'
    answers = (
        f"[{one}]",
        f"[{one}, {two}]",
        f"[{one}, {half}]",
        f"[{other}]",
        "[]",
        "none",
        '[{"bbox_2d": [9, 9, 1, 1]}]',
    )
    looks = (
        f"[{two}]",
        f"[{one}]",
        "[]",
        '[{"bbox_2d": [0, 0, 100, 100], "uncertainty": 0.5}]',
        "?",
        f"[{half}]",
        "[7]",
    )
    texts = [f"<think>t</think><look>{a}</look><answer>{b}</answer>" for a, b in zip(looks, answers, strict=True)]
    scenes: tuple[list[list[int]], ...] = ([[0, 0, 40, 40], [50, 50, 90, 90]], [])
    rows: list[dict[str, Any]] = [
        {"completion": text, "boxes": boxes, "query": "person", "image_size": [100, 100], "group": group}
        for group, boxes in enumerate(scenes)
        for text in texts
    ]
    return [*rows, {**rows[0], "group": "alone", "model_size": [50, 50]}]


def _listed_boxes(value: Any) -> Floats | Missing:
    return Missing("it needs a list of boxes, empty if there are none") if value is None else target_boxes(value)


def _most_overlap(iou: Floats, score: Floats, masked: float | None) -> Indices:
    return hungarian(-iou if masked is None else np.where(iou < masked, 0.0, -iou))
