"""Whether the reasoning finds the objects that the question hinges on, those that matter most above all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.boxes import Frame
from sightline.core.errors import ColumnError
from sightline.core.marks import BoxMarks
from sightline.core.missing import Missing
from sightline.core.scores import Scores, Values
from sightline.metrics.boxes import Floats, box_iou, proper_boxes
from sightline.metrics.matching import hungarian, match_boxes
from sightline.metrics.ragged import Indices, Ragged, buckets
from sightline.parse.boxes import is_box
from sightline.parse.tagged_boxes import FoundMentions, TaggedBoxes
from sightline.rewards.gold import gold
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class ReadTargets:
    """Target boxes of every row with their salience, (M, 5), once per batch.

    Args:
        column: boxes [x1, y1, x2, y2] in absolute pixels; empty or None: the question hinges on none.
        salience: column of numbers in (0, 1], one a target; None or missing: all 1.

    Raises:
        ColumnError: a target has no area, or saliences do not fit.
    """

    column: str = "targets"
    salience: str = "salience"

    def __call__(self, batch: Batch) -> Ragged:
        rows = gold(batch, self.column, "a reward over target boxes", target_boxes)
        given = batch.column(self.salience) if batch.has(self.salience) else [None] * len(batch)
        weights = [self._weights(given[row], len(boxes), row) for row, boxes in enumerate(rows)]
        flat = np.concatenate([np.zeros((0, 4)), *rows])
        return Ragged.from_counts(
            np.column_stack([flat, np.concatenate([np.zeros(0), *weights])]), [len(boxes) for boxes in rows]
        )

    def _weights(self, value: Any, size: int, row: int) -> Values:
        if value is None:
            return np.ones(size)
        listed = value.tolist() if isinstance(value, np.ndarray) else value
        numbers = [1.0 if n is None else n for n in listed] if isinstance(listed, list | tuple) else ["not a list"]
        right = all(isinstance(n, int | float | np.number) and not isinstance(n, bool) and 0 < n <= 1 for n in numbers)
        if len(numbers) != size or not right:
            raise ColumnError(
                f"column `{self.salience}` of row {row} is {value!r:.80}; it needs {size} numbers above 0 and at most 1"
            )
        return np.array(numbers, dtype=np.float64)


@dataclass(frozen=True)
class _OverTargets(Reward):
    """Mentioned boxes held against the targets of their row."""

    find: Callable[[str], FoundMentions] = TaggedBoxes()
    targets: ReadTargets = ReadTargets()

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), target_rows()

    def needs(self) -> tuple[str, ...]:
        return (self.targets.column,)

    def uses(self) -> tuple[str, ...]:
        return (self.targets.salience,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        batch.once(self.targets)


@dataclass(frozen=True)
class SalientBoxes(_OverTargets):
    """How well the mentioned boxes fit the targets, each weighted by how much the question hinges on it.

    value = min(1, |G| / |P|) * sum_k s_k IoU_k / sum_k s_k

    IoU_k is that of the box assigned to target k, one to one, so that sum_k s_k IoU_k is largest; 0 for none. P are the
    distinct mentions, swapped and unreadable ones included, so that flooding does not pay.

    Args:
        find: text -> mentioned boxes.
        targets: how targets and their salience are read.

    Reads: `targets`; `salience` if there. Range: 0..1. No target: 1 without a mention, else 0. Marks: every valid box.

    Example:
        >>> said = ["<box>[0, 0, 40, 40]</box>", "<box>[50, 50, 90, 90]</box>"]
        >>> columns = {"targets": [[[0, 0, 40, 40], [50, 50, 90, 90]]] * 2, "salience": [[1.0, 0.1]] * 2}
        >>> SalientBoxes()(Batch(said, columns)).values.round(6)
        array([0.909091, 0.090909])

    References:
        GRiP, arXiv 2511.22172, salience-weighted IoU reward. The formula is ours: only the abstract is public.
    """

    def score(self, batch: Batch) -> Scores:
        right, found = batch.once(self.targets), batch.parse(self.find)
        pred = mentioned(found)
        worth = match_boxes(pred, right, _most_worth, similarity=_weighted_iou).similarity
        said = np.array([one.count for one in found])
        wanted, weight = right.counts, right.sum(right.flat[:, 4])
        share = np.minimum(1.0, wanted / np.maximum(said, 1))
        values = np.clip(share * pred.sum(worth) / np.where(weight > 0, weight, 1.0), 0.0, 1.0)
        values = np.where(wanted > 0, values, np.where(said == 0, 1.0, 0.0))
        why = [f"{p} boxes for {g} targets" for p, g in zip(said.tolist(), wanted.tolist(), strict=True)]
        return Scores(values, why, BoxMarks(pred.offsets, pred.flat, worth, Frame.pixels(), "worth", "fits no target"))


@dataclass(frozen=True)
class HasBox(_OverTargets):
    """Whether at least one box with ordered corners is mentioned, where the question hinges on any.

    Args:
        find, targets: as in `SalientBoxes`.

    Reads: `targets`. Range: 0 or 1; 1 where there is no target.

    Example:
        >>> said = ["<box>[0, 0, 4, 4]</box>", "<box>[4, 4, 0, 0]</box>"]
        >>> HasBox()(Batch(said, {"targets": [[[0, 0, 9, 9]]] * 2})).values
        array([1., 0.])
    """

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{k: v for k, v in row.items() if k != "salience"} for row in target_rows()]

    def score(self, batch: Batch) -> Scores:
        some = mentioned(batch.parse(self.find)).counts > 0
        has = some | (batch.once(self.targets).counts == 0)
        return Scores.of(has.astype(np.float64), ["" if ok else "no box with ordered corners" for ok in has.tolist()])


@dataclass(frozen=True)
class DualOverlap(_OverTargets):
    """Mean of two best overlaps: of each target with any mentioned box, and of each mentioned box with any target.

    value = (mean_k max_i IoU(p_i, g_k) + mean_i max_k IoU(p_i, g_k)) / 2, over valid boxes

    A box may serve several targets. For comparison with `SalientBoxes`.

    Args:
        find, targets: as in `SalientBoxes`; salience plays no part.

    Reads: `targets`. Range: 0..1. Low: 0 for no target or no valid box.

    Example:
        >>> said = "<box>[0, 0, 40, 40]</box> <box>[60, 0, 70, 10]</box>"
        >>> DualOverlap()(Batch([said], {"targets": [[[0, 0, 40, 40]]]})).values
        array([0.75])

    References:
        Wang et al., TreeVGR, arXiv 2507.07999, dual IoU reward.
    """

    def score(self, batch: Batch) -> Scores:
        right, pred = batch.once(self.targets), mentioned(batch.parse(self.find))
        of_targets, of_boxes = best_overlaps(pred, right)
        recall = right.sum(of_targets) / np.maximum(right.counts, 1)
        precision = pred.sum(of_boxes) / np.maximum(pred.counts, 1)
        why = [f"recall part {r:.3f}, precision part {p:.3f}" for r, p in zip(recall, precision, strict=True)]
        return Scores.of((recall + precision) / 2, why)


def mentioned(found: Sequence[FoundMentions]) -> Ragged:
    """The valid boxes of B texts."""
    boxes = Ragged.of_boxes([one.boxes for one in found])
    keep = proper_boxes(boxes.flat)
    counts = np.bincount(boxes.row_of[keep], minlength=len(boxes))
    return Ragged.from_counts(boxes.flat[keep], counts)


def best_overlaps(pred: Ragged, right: Ragged) -> tuple[Values, Values]:
    """Best IoU of each target with any box of its row, (M,), and of each box with any target, (N,); 0 for none."""
    of_targets, of_boxes = np.zeros(len(right.flat)), np.zeros(len(pred.flat))
    for rows, P, G in buckets(pred.counts, right.counts):
        items, has_item = pred.slots(rows, P)
        goals, has_goal = right.slots(rows, G)
        iou = box_iou(pred.padded(rows, P), right.padded(rows, G)[..., :4])  # padding is NaN: IoU 0
        of_boxes[items[has_item]] = iou.max(axis=2)[has_item]
        of_targets[goals[has_goal]] = iou.max(axis=1)[has_goal]
    return of_targets, of_boxes


def target_boxes(value: Any) -> Floats | Missing:
    """(n, 4) target boxes of one row.

    Example:
        >>> target_boxes([[0, 0, 4, 4]]), target_boxes([[4, 4, 0, 0]]).why
        (array([[0., 0., 4., 4.]]), 'target 0 needs [x1, y1, x2, y2] with x1 < x2 and y1 < y2')
    """
    items = value.tolist() if isinstance(value, np.ndarray) else [] if value is None else value
    if isinstance(items, str) or not isinstance(items, Sequence):
        return Missing("it needs a list of boxes")
    boxes = [list(item) if isinstance(item, tuple | np.ndarray) else item for item in items]
    boxes = [[n.item() if isinstance(n, np.generic) else n for n in b] if isinstance(b, list) else b for b in boxes]
    for number, box in enumerate(boxes):
        if not is_box(box) or not proper_boxes(np.array(box, dtype=np.float64)):
            return Missing(f"target {number} needs [x1, y1, x2, y2] with x1 < x2 and y1 < y2")
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def target_rows() -> list[dict[str, Any]]:
    """Rollouts of every kind that a reward over mentioned boxes meets."""
    one, two = "<box>[0, 0, 40, 40]</box>", "<box>[50,50,90,90]</box>"
    said = (
        one,
        f"{two} {one} {one}",
        f"{one}<box>there</box><box>[9, 9, 1, 1]</box>",
        "none",
        "<box>[9, 9, 1, 1]</box>",
    )
    targets = [[0, 0, 40, 40], [50, 50, 90, 90]]
    rows: list[dict[str, Any]] = [{"completion": text, "targets": targets, "salience": [1.0, 0.1]} for text in said]
    return [*rows, *({"completion": text, "targets": []} for text in said)]


def _weighted_iou(a: Floats, b: Floats) -> Floats:
    return np.asarray(box_iou(a, b[..., :4]) * b[..., None, :, 4])


def _most_worth(worth: Floats, score: Floats) -> Indices:
    return hungarian(-worth)
