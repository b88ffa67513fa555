"""Detection rewards over labelled boxes: average precision, with and without a price for boxes too many.

Every prediction has score 1, so the order of output is the ranking.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.marks import BoxMarks, DeferredMarks
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.metrics.boxes import Floats, box_iou
from sightline.metrics.detection import average_precision_batch
from sightline.metrics.matching import greedy_by_score, match_boxes
from sightline.metrics.ragged import Ragged
from sightline.parse.boxes import Detections, FoundBoxes
from sightline.parse.json import Fence
from sightline.parse.tags import Block, Inside
from sightline.rewards.gold import GoldReward
from sightline.rewards.gold_boxes import GoldBoxes, ReadGoldBoxes
from sightline.rewards.reward import Reward

LAST_ANSWER = Block("answer", which="last")
LAST_ANSWER_OR_TEXT = Block("answer", which="last", otherwise="text")
LAST_FENCE = Fence("json", which="last")
NOTHING = "none"


@dataclass(frozen=True)
class AveragePrecision(GoldReward):
    """Average precision of the predicted boxes of one image, by the COCO rules.

    AP = mean over IoU thresholds 0.50, 0.55, .. 0.95 and over the gold labels of the precision over 101 recalls
    value = AP, or with `price` min(1, gold boxes / predicted items) * AP

    Predictions whose label is not among the gold labels, or without label or box, do not count in AP, but they count in
    the price. Labels are compared as they are.

    Args:
        block: where the fenced list stands; None: anywhere in the text.
        at: `mean` over the IoU thresholds, or `50`: at IoU 0.50 only.
        price: multiply by min(1, gold / predicted), so that flooding the answer with boxes does not pay.
        lax_nothing: with nothing to find, any answer from which no box can be read earns 1, as in released code; else
            only the word None or an empty list does.
        column: the gold list, fenced, in answer tags, bare, or as a list; any other text says that nothing is there.

    Reads: `column`. Range: 0..1. Low: 0 without answer tags or without a fenced JSON list; 0 if just one side is empty.

    Example:
        >>> cat = '{"bbox_2d": [10, 10, 50, 50], "label": "cat"}'
        >>> dog = '{"bbox_2d": [60, 60, 100, 100], "label": "dog"}'
        >>> said = f"<answer>```json\\n[{cat}, {dog}, {dog}, {dog}]\\n```</answer>"
        >>> batch = Batch([said], {"solution": [f"[{cat}, {dog}]"]})
        >>> AveragePrecision()(batch).values, AveragePrecision(price=True)(batch).values
        (array([1.]), array([0.5]))

    References:
        Shen et al., VLM-R1, arXiv 2504.07615, od_ap, od_ap50, map and odLength.
    """

    block: Block | None = LAST_ANSWER
    at: Literal["mean", "50"] = "mean"
    price: bool = False
    lax_nothing: bool = False
    column: str = "solution"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(price=True), labelled_rows()

    def right(self, batch: Batch) -> GoldBoxes:
        return batch.once(ReadGoldBoxes(self.column, gold_list, Detections(), type(self).__name__))

    @property
    def _found(self) -> Callable[[str], FoundBoxes | Missing]:
        fenced = Inside(LAST_FENCE, Detections())
        return fenced if self.block is None else Inside(self.block, fenced)

    def score(self, batch: Batch) -> Scores:
        gold = self.right(batch)
        found = batch.parse(self._found)
        pred, labels, written = usable(found)
        precision = average_precision_batch(pred, labels, gold.boxes, gold.labels)
        values = precision.mean if self.at == "mean" else precision.at_50
        counts = gold.boxes.counts
        if self.price:
            values = values * np.minimum(1.0, counts / np.maximum(written, 1))
        nothing = self._nothing_said(batch, found)
        values = np.where(counts > 0, values, nothing)
        why = [_why(one, g, n) for one, g, n in zip(found, counts.tolist(), written.tolist(), strict=True)]
        return Scores(values, why, DeferredMarks(len(batch), MatchedMarks(pred, labels, gold)))

    def _nothing_said(self, batch: Batch, found: list[FoundBoxes | Missing]) -> Values:
        """(B,) 1 where the policy says that there is nothing to find."""
        answers = batch.parse(self.block or LAST_ANSWER_OR_TEXT)
        said = zip(answers, found, strict=True)
        return np.array([float(self._says_nothing(*one)) for one in said], dtype=np.float64)

    def _says_nothing(self, answer: str | Missing, found: FoundBoxes | Missing) -> bool:
        if isinstance(answer, Missing):
            return False
        if isinstance(found, FoundBoxes) and found.count == 0:
            return True
        if self.lax_nothing:
            return isinstance(found, Missing) or not any(found.valid)
        return answer.strip().lower() == NOTHING


@dataclass(frozen=True, eq=False)
class MatchedMarks:
    """A mark for each labelled box with its IoU with the gold box of its label that it takes, the first box first.

    Args:
        pred, labels: boxes and labels of B rollouts.
        gold: what is right for them.
    """

    pred: Ragged
    labels: list[list[str]]
    gold: GoldBoxes

    def __call__(self) -> BoxMarks:
        said = list(chain.from_iterable(self.labels))
        code = {label: float(number) for number, label in enumerate(dict.fromkeys(said))}
        right = [code.get(label, -1.0) for label in chain.from_iterable(self.gold.labels)]
        boxes = np.column_stack([self.pred.flat, [code[label] for label in said]])
        golds = np.column_stack([self.gold.boxes.flat, right])
        fits = match_boxes(
            Ragged(boxes, self.pred.offsets),
            Ragged(golds, self.gold.boxes.offsets),
            partial(greedy_by_score, above=0.0),
            similarity=_iou_of_label,
        ).similarity
        return BoxMarks(
            self.pred.offsets, self.pred.flat, fits, Frame.pixels(), "IoU", "fits nothing", labels=said, digits=".2f"
        )


def gold_list(text: str) -> str:
    """The list in a gold text: fenced or bare, with or without answer tags.

    Example:
        >>> gold_list("<answer>```json\\n[1]\\n```</answer>"), gold_list("[1]")
        ('[1]', '[1]')
    """
    inner = LAST_ANSWER_OR_TEXT(text)
    fenced = LAST_FENCE(inner if isinstance(inner, str) else text)
    return fenced if isinstance(fenced, str) else inner if isinstance(inner, str) else text


def usable(found: list[FoundBoxes | Missing]) -> tuple[Ragged, list[list[str]], NDArray[np.int64]]:
    """Boxes with a label of each rollout, their labels, and how many items each rollout wrote."""
    boxes: list[list[Any]] = []
    labels: list[list[str]] = []
    written = np.zeros(len(found), dtype=np.int64)
    for row, one in enumerate(found):
        if isinstance(one, Missing):
            boxes.append([])
            labels.append([])
            continue
        written[row] = one.count
        if all(one.valid) and None not in one.labels:
            boxes.append(list(one.xyxy))
            labels.append(one.labels)  # type: ignore[arg-type]  # None was excluded
            continue
        kept = [i for i, (ok, label) in enumerate(zip(one.valid, one.labels, strict=True)) if ok and label is not None]
        boxes.append([one.xyxy[i] for i in kept])
        labels.append([one.labels[i] or "" for i in kept])
    return Ragged.of_boxes(boxes), labels, written


def labelled_rows() -> list[dict[str, Any]]:
    """Rollouts of every kind that a reward over labelled boxes meets."""
    cat, dog = '{"bbox_2d": [10, 10, 50, 50], "label": "cat"}', '{"bbox_2d": [60, 60, 100, 100], "label": "dog"}'
    gold = f"<answer>```json\n[{cat}, {dog}]\n```</answer>"
    said = (f"[{cat}, {dog}]", f"[{dog}]", f"[{cat}, {cat}, {dog}]", '[{"bbox_2d": [50, 50, 10, 10]}, 7]', "[]")
    fenced = [f"<think>t</think><answer>```json\n{text}\n```</answer>" for text in said]
    texts = (*fenced, "<answer>None</answer>", "<answer>no objects</answer>", "none")
    return [{"completion": text, "solution": right} for text in texts for right in (gold, "<answer>None</answer>")]


def _iou_of_label(a: Floats, b: Floats) -> Floats:
    """IoU of every pair of padded (R, P, 5) and (R, G, 5) with equal labels; NaN for the others."""
    iou = box_iou(a[..., :4], b[..., :4])
    return np.where(a[..., :, None, 4] == b[..., None, :, 4], iou, np.nan)


def _why(found: FoundBoxes | Missing, gold: int, written: int) -> str:
    return found.why if isinstance(found, Missing) else f"{written} items for {gold} gold boxes"
