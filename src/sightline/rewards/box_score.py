"""A weighted detection score: where the boxes are, what they are called, and whether all are there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.marks import BoxMarks
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.metrics.boxes import box_iou
from sightline.metrics.matching import Matches, greedy_global, match_boxes
from sightline.metrics.ragged import Ragged
from sightline.parse.boxes import BoxTable, Detections, FoundBoxes, box_table
from sightline.parse.json import Fence
from sightline.parse.tags import Block
from sightline.parse.text import one_line_lower
from sightline.rewards.gold import GoldReward
from sightline.rewards.gold_boxes import GoldBoxes, ReadGoldBoxes
from sightline.rewards.labelled_boxes import gold_list, labelled_rows
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class FirstFence:
    """The first fenced list of the last answer block (whole text if there is none), in lower case.

    Example:
        >>> FirstFence()('<answer>```json\\n[{"label": "Cat"}]\\n```</answer>')
        '[{"label": "cat"}]'
    """

    block: Block = Block("answer", which="last", otherwise="text")

    def answer(self, text: str) -> str:
        """The trimmed answer in lower case."""
        found = self.block(text)
        return one_line_lower(text if isinstance(found, Missing) else found).strip()

    def __call__(self, text: str) -> str | Missing:
        return Fence("json")(self.answer(text))


@dataclass(frozen=True)
class FencedBoxes:
    """Boxes of the first fenced list. See `FirstFence`."""

    find: FirstFence = FirstFence()
    items: Detections = Detections()

    def __call__(self, text: str) -> FoundBoxes | Missing:
        fenced = self.find(text)
        return fenced if isinstance(fenced, Missing) else self.items(fenced)


@dataclass(frozen=True)
class BoxScore(GoldReward):
    """Position, label and completeness of labelled boxes, weighted.

    position     = sum of the IoU of matched boxes with the right label / gold boxes
    label        = matched boxes with the right label / gold boxes
    completeness = 1 - (unmatched gold / gold + unmatched predictions / predictions) / 2
    value        = (wp * position + wl * label + wc * completeness) / (wp + wl + wc)

    Matching is greedy over all pairs, the highest IoU first, down to `at_least`. Labels are compared in lower case; a
    missing label matches none.

    Args:
        weights: wp, wl, wc.
        at_least: lowest IoU of a match, included.
        overlap_above: an overlap counts only if it is wider and higher than this; 1 in released code.
        column: the gold list; the word none says that nothing is there.

    Reads: `column`. Range: 0..1. Low: 0 for no list; with nothing to find, 0 for anything but the word none or no
    boxes. Marks: every box with its IoU.

    Example:
        >>> cat = '{"bbox_2d": [10, 10, 50, 50], "label": "cat"}'
        >>> dog = '{"bbox_2d": [60, 60, 100, 100], "label": "dog"}'
        >>> said = f"<answer>```json\\n[{cat}]\\n```</answer>"
        >>> BoxScore()(Batch([said], {"solution": [f"[{cat}, {dog}]"]})).values
        array([0.575])

    References:
        Shen et al., VLM-R1, arXiv 2504.07615, weighted_sum.
    """

    weights: tuple[float, float, float] = (0.7, 0.0, 0.3)
    at_least: float = 0.5
    overlap_above: float = 0.0
    column: str = "solution"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), labelled_rows()

    def right(self, batch: Batch) -> GoldBoxes:
        return batch.once(ReadGoldBoxes(self.column, gold_list, Detections(), type(self).__name__))

    def score(self, batch: Batch) -> Scores:
        gold = self.right(batch)
        found = batch.parse(FencedBoxes())
        table = box_table(found)
        pred = Ragged(np.where(table.valid[:, None], table.xyxy, np.nan), table.offsets.astype(np.intp))
        matches = match_boxes(
            pred,
            gold.boxes,
            partial(_globally, at_least=self.at_least),
            similarity=partial(box_iou, overlap_above=self.overlap_above),
        )
        right = self._right_labels(table, pred, gold, matches)
        values = self._weighted(pred, gold.boxes.counts, matches, right)
        empty = gold.boxes.counts == 0
        values = np.where(empty, self._nothing_said(batch, found), values)
        hits = pred.sum(matches.hit.astype(np.float64)).tolist()
        rows = zip(hits, gold.boxes.counts.tolist(), pred.counts.tolist(), strict=True)
        why = [f"{h:.0f} of {g} gold boxes matched with {p} boxes" for h, g, p in rows]
        return Scores(
            values, why, BoxMarks(pred.offsets, table.xyxy, matches.similarity * right, Frame.pixels(), "IoU")
        )

    def _right_labels(self, table: BoxTable, pred: Ragged, gold: GoldBoxes, matches: Matches) -> Values:
        """(N,) 1 where a prediction is matched to a gold box of its label."""
        right = np.zeros(len(pred.flat))
        hits = np.flatnonzero(matches.hit)
        for item, row, partner in zip(
            hits.tolist(), pred.row_of[hits].tolist(), matches.gold[hits].tolist(), strict=True
        ):
            label = table.labels[item]
            right[item] = bool(label) and label == gold.labels[row][partner].lower()
        return right

    def _weighted(self, pred: Ragged, gold_B: Any, matches: Matches, right: Values) -> Values:
        golds, preds = np.maximum(gold_B, 1), np.maximum(pred.counts, 1)
        hits = pred.sum(matches.hit.astype(np.float64))
        position = pred.sum(matches.similarity * right) / golds
        label = pred.sum(right) / golds
        completeness = 1.0 - ((gold_B - hits) / golds + (pred.counts - hits) / preds) / 2
        parts = np.stack([position, label, completeness])
        value: Values = np.array(self.weights) @ parts / sum(self.weights)
        return np.where(pred.counts > 0, value, 0.0)

    def _nothing_said(self, batch: Batch, found: list[FoundBoxes | Missing]) -> Values:
        """(B,) with nothing to find: 1 for the word none, or for no boxes where the gold value is an empty list."""
        said = [FirstFence().answer(text) == "none" for text in batch.texts]
        given = batch.column(self.column)
        quiet = [isinstance(one, Missing) or one.count == 0 for one in found]
        words = [_is_none(value) for value in given]
        rows = zip(said, quiet, words, strict=True)
        return np.array([float(s if w else q) for s, q, w in rows], dtype=np.float64)


def _is_none(value: Any) -> bool:
    return value is None or (isinstance(value, str) and FirstFence().answer(value) == "none")


def _globally(similarity: Values, score: Values, at_least: float) -> Any:
    return greedy_global(similarity, at_least)
