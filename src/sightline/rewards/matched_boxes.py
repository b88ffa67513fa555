"""Detection rewards over boxes with confidences: how well they fit, and how honest the confidences are.

Both rewards share one matching per batch. Predictions go by confidence; each takes the free gold box that it overlaps
most, if by more than the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.marks import BoxMarks
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.metrics.matching import greedy_by_score, match_boxes
from sightline.metrics.ragged import Ragged
from sightline.parse.boxes import BoxTable, Detections, FoundBoxes, box_table
from sightline.parse.json import JsonList, close_list, collapse_brackets, double_quotes, drop_newlines
from sightline.parse.tags import Block, Inside
from sightline.rewards.gold_boxes import GoldBoxes, ReadGoldBoxes
from sightline.rewards.reward import Reward

POSITIONS = Detections(
    box="Position",
    label=None,
    score="Confidence",
    items=JsonList(rewrite=(collapse_brackets, drop_newlines, double_quotes), repair=(close_list,)),
)
ANSWER_OR_TEXT = Block("answer", otherwise="text")
NO_OBJECTS = ("no objects", "none", "")


@dataclass(frozen=True)
class ConfidentBoxes:
    """How predictions and gold boxes are read and matched.

    Args:
        block: where the list stands.
        items: text -> boxes with confidences.
        column: the gold list, in the same form as the answer; confidences there are not used.
        frame: the coordinates of both.
        above: a match needs an IoU above this.
        nothing: what an answer says, in any case, when there is no object; None: nothing can be said right then.
        clip: confidences outside 0..1 count as 0 or 1 when they are judged; the matching takes them as they are.
    """

    block: Block = ANSWER_OR_TEXT
    items: Detections = POSITIONS
    column: str = "solution"
    frame: Frame = Frame.thousand()
    above: float = 0.5
    nothing: str | None = NO_OBJECTS[0]
    clip: bool = True

    @property
    def gold(self) -> ReadGoldBoxes:
        items = Detections(self.items.box, None, None, self.items.items)
        return ReadGoldBoxes(self.column, ANSWER_OR_TEXT, items, "BoxFit", NO_OBJECTS)

    def __call__(self, batch: Batch) -> Matched:
        """The matching of a batch; `batch.once` keeps it for all rewards that ask."""
        gold: GoldBoxes = batch.once(self.gold)
        found = batch.parse(Inside(self.block, self.items))
        table = _without_repeats(box_table(found))
        boxes = np.where(table.valid[:, None], table.xyxy, np.nan)
        pred = Ragged(boxes, table.offsets.astype(np.intp))
        matches = match_boxes(pred, gold.boxes, partial(greedy_by_score, above=self.above), table.scores)
        confidence = np.clip(table.scores, 0.0, 1.0) if self.clip else table.scores
        empty = (gold.boxes.counts == 0).tolist()
        silent = np.zeros(len(batch), dtype=bool)
        if self.nothing is not None and any(empty):
            answers = batch.parse(self.block)
            silent[:] = [self._says_nothing(*row) for row in zip(answers, found, empty, strict=True)]
        return Matched(pred, gold.boxes.counts, matches.similarity, confidence, table.valid, silent, table.xyxy)

    def _says_nothing(self, answer: str | Missing, found: FoundBoxes | Missing, empty: bool) -> bool:
        """Whether the gold answer is that there is nothing, and the policy says so."""
        if not empty or self.nothing is None or isinstance(answer, Missing):
            return False
        return answer.strip().lower() == self.nothing or (isinstance(found, FoundBoxes) and found.count == 0)


@dataclass(frozen=True, eq=False)
class Matched:
    """What became of the N predictions of B rollouts.

    Args:
        pred: (N, 4) boxes without repeats, NaN where an item cannot be read.
        gold: (B,) how many gold boxes there are.
        iou: (N,) IoU with the matched gold box, 0 for none.
        confidence: (N,) as read, NaN where there is none.
        valid: (N,) whether an item has a box and a confidence.
        silent: (B,) the policy rightly says that there is nothing.
        written: (N, 4) boxes as they were written.
    """

    pred: Ragged
    gold: NDArray[np.intp]
    iou: Values
    confidence: Values
    valid: NDArray[np.bool_]
    silent: NDArray[np.bool_]
    written: Values

    def marks(self, values: Values, frame: Frame, found: str, lost: str) -> BoxMarks:
        """A mark for every box, with what it earned."""
        return BoxMarks(self.pred.offsets, self.written, values, frame, found, lost)


@dataclass(frozen=True)
class _OfMatching(Reward):
    """What the one matching of a batch is worth."""

    matching: ConfidentBoxes = ConfidentBoxes()

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), box_rows()

    def needs(self) -> tuple[str, ...]:
        return (self.matching.column,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        batch.once(self.matching.gold)


@dataclass(frozen=True)
class BoxFit(_OfMatching):
    """How well the predicted boxes fit the gold boxes.

    R = sum of the IoU of matched boxes / max(gold boxes, predicted boxes), at most 1

    Args:
        matching: how boxes are read and matched.
        over: divide by the larger of both counts, or by the predicted boxes only (the paper's mean, which does not
            punish missed objects).

    Reads: the gold column. Range: 0..1. Low: 0 for no list, an empty list, or boxes where there is no object.
    Repeats of a box count once. Marks: every box with its IoU.

    Raises:
        ColumnError: a gold value is neither a list of boxes nor `No Objects`.

    Example:
        >>> said = "<answer>[{'Position': [14, 10, 54, 50], 'Confidence': 0.9}]</answer>"
        >>> right = "[{'Position': [10, 10, 50, 50]}, {'Position': [60, 60, 100, 100]}]"
        >>> BoxFit()(Batch([said], {"solution": [right]})).values.round(6)
        array([0.409091])

    References:
        Liu et al., Visual-RFT, arXiv 2503.01785, IoU reward.
    """

    over: Literal["larger", "predicted"] = "larger"

    def score(self, batch: Batch) -> Scores:
        found = batch.once(self.matching)
        counts = found.pred.counts
        total = np.maximum(counts, found.gold) if self.over == "larger" else counts
        values = np.minimum(found.pred.sum(found.iou) / np.maximum(total, 1), 1.0)
        hits = found.pred.sum((found.iou > 0).astype(np.float64))
        why = [
            f"{h:.0f} of {g} gold boxes found with {p} boxes"
            for h, g, p in zip(hits.tolist(), found.gold.tolist(), counts.tolist(), strict=True)
        ]
        values = np.where(found.silent, 1.0, values)
        return Scores(values, why, found.marks(found.iou, self.matching.frame, "IoU", "no gold box fits"))


@dataclass(frozen=True)
class BoxConfidence(_OfMatching):
    """How honest the confidences are: high for boxes that fit, low for those that do not.

    R = mean over predicted boxes of q_i, in 0..1;  q_i = c_i if box i is matched, 1 - c_i if not, 0 if it has no c_i
    R = 0 for any box where there is no object, however unsure

    Args:
        matching: how boxes are read and matched.

    Reads: the gold column. Range: 0..1. Low: 0 for no list, an empty list, or boxes where there is no object.

    Example:
        >>> said = "<answer>[{'Position': [10, 10, 50, 30], 'Confidence': 0.6}]</answer>"
        >>> BoxConfidence()(Batch([said], {"solution": ["[{'Position': [10, 10, 50, 50]}]"]})).values
        array([0.4])

    References:
        Liu et al., Visual-RFT, arXiv 2503.01785, confidence reward.
    """

    def score(self, batch: Batch) -> Scores:
        found = batch.once(self.matching)
        honest = np.where(found.iou > 0, found.confidence, 1.0 - found.confidence)
        honest = np.where(found.valid & (found.gold[found.pred.row_of] > 0), honest, 0.0)
        counts = found.pred.counts
        values = np.clip(found.pred.sum(honest) / np.maximum(counts, 1), 0.0, 1.0)
        values = np.where(found.silent, 1.0, values)
        why = [f"{n} boxes, {g} gold" for n, g in zip(counts.tolist(), found.gold.tolist(), strict=True)]
        marks = found.marks(honest, self.matching.frame, "honest by", "a confidence that misleads, or none")
        return Scores(values, why, marks)


def box_rows() -> list[dict[str, Any]]:
    """Rollouts of every kind that a box reward with confidences meets."""
    gold = "<answer>[{'Position': [10, 10, 50, 50], 'Confidence': 1}, {'Position': [60, 60, 100, 100]}]</answer>"
    said = (
        "[{'Position': [10, 10, 50, 50], 'Confidence': 0.9}, {'Position': [60, 60, 100, 100], 'Confidence': 0.8}]",
        "[{'Position': [50, 50, 10, 10], 'Confidence': 3}, {'Position': [10, 10, 50, 50]}]",
        "[{'Position': [10, 10, 50, 50], 'Confidence': 0.9}, {'Position': [10, 10, 50, 50], 'Confidence': 0.1}]",
        "[]",
        "No Objects",
    )
    rows: list[dict[str, Any]] = [
        {"completion": f"<think>t</think><answer>{text}</answer>", "solution": right}
        for text in said
        for right in (gold, "<answer>No Objects</answer>")
    ]
    return rows


def _without_repeats(table: BoxTable) -> BoxTable:
    """The table without boxes that equal an earlier box of the same rollout; items without a box all stay."""
    count = len(table.valid)
    rows = np.repeat(np.arange(len(table.offsets) - 1), np.diff(table.offsets))
    # equal boxes have equal keys; the reverse is checked, and only in rows where keys collide
    with np.errstate(over="ignore", invalid="ignore"):
        key = (table.xyxy * [1.0, 1e3 + 0.7, 1e6 + 0.11, 1e9 + 0.13]).sum(axis=1)
    order = np.argsort(key, kind="stable")
    near = (key[order][1:] == key[order][:-1]) & (rows[order][1:] == rows[order][:-1])
    suspects = np.flatnonzero(near)
    if not len(suspects):
        return table
    keep = np.ones(count, dtype=bool)
    for row in np.unique(rows[order[suspects]]).tolist():
        seen: set[tuple[float, ...]] = set()
        for item in range(int(table.offsets[row]), int(table.offsets[row + 1])):
            box = tuple(table.xyxy[item].tolist())
            keep[item] = box not in seen
            seen.add(box)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows[keep], minlength=len(table.offsets) - 1))])
    labels = [label for label, kept in zip(table.labels, keep.tolist(), strict=True) if kept]
    kept_boxes, kept_scores = table.xyxy[keep], table.scores[keep]
    return BoxTable(offsets.astype(np.int64), kept_boxes, kept_scores, table.valid[keep], labels, table.counts)
