"""Average precision of labelled boxes by the COCO rules, for a whole batch of small lists at once or for a data set.

Axes: B rows (rollouts or images), N predictions of all rows, K categories, T IoU thresholds. Knows nothing of rewards:
what an empty side is worth is decided by the caller.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import chain, compress, count, pairwise, repeat
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from sightline.core.errors import ShapeError
from sightline.metrics.boxes import Floats, Mask, as_boxes, box_iou
from sightline.metrics.precision_recall import IOU_THRESHOLDS, precision_over_recalls, ranked_hits
from sightline.metrics.ragged import Indices, Ragged, buckets

MAX_DETECTIONS = 100

Lists: TypeAlias = Sequence[Any] | Ragged
Labels: TypeAlias = Sequence[Sequence[Hashable]]
Scores: TypeAlias = Sequence[Sequence[float]]


class AveragePrecision(NamedTuple):
    """AP averaged over the ten IoU thresholds, and AP at IoU 0.50; NaN where there is no gold box."""

    mean: Floats
    at_50: Floats


def average_precision_batch(
    pred: Lists, pred_labels: Labels, gold: Lists, gold_labels: Labels, scores: Scores | None = None
) -> AveragePrecision:
    """COCO average precision of each row on its own, as if each rollout were a data set of one image.

    AP(category, t) = mean over the recalls 0, 0.01, .. 1 of the best precision at that recall or beyond (never: 0)
    value           = mean over the IoU thresholds t = 0.50, 0.55, .. 0.95 and the categories of the row's gold boxes

    Per category the 100 best predictions count, ranked by score (stable). In rank order each takes the free gold box
    with the highest IoU (equal IoU: the later box) if that is >= t; otherwise it is a false positive, like every
    improper box.

    Args:
        pred, gold: B lists of xyxy boxes each (or `Ragged`).
        pred_labels, gold_labels: B lists of labels, compared by equality. Predictions whose label is not among the
            row's gold labels do not count.
        scores: B lists of confidences, NaN last; None: the order of output is the ranking.

    Returns: `mean` and `at_50`, each (B,), range [0, 1]. Not applicable (NaN): a row without gold boxes.

    Raises:
        ShapeError: the sides have different numbers of rows, or a row has not one label (score) for each box.

    Example:
        >>> gold, labels = [[10, 10, 50, 50], [60, 60, 100, 100]], ["cat", "dog"]
        >>> junk, dogs = [[200, 200, 210, 210]] * 6, ["dog"] * 6
        >>> ap = average_precision_batch([gold + junk, junk + gold], [labels + dogs, dogs + labels],
        ...                              [gold] * 2, [labels] * 2)
        >>> ap.mean.round(6), ap.at_50.round(6)
        (array([1.      , 0.571429]), array([1.      , 0.571429]))

    References:
        pycocotools' COCOeval (area range "all" without its upper bound, 100 detections); the `map` rewards of VLM-R1,
        arXiv 2504.07615.
    """
    pred, gold = _sides(pred, pred_labels, gold, gold_labels)
    pred_code, gold_code, categories_B = _codes_in_row(pred_labels, gold_labels)
    first_cell, C = np.cumsum(categories_B) - categories_B, int(categories_B.sum())
    gold_cells, _ = _cells(gold, first_cell[gold.row_of] + gold_code, C, np.arange(len(gold_code)))
    ranking = _ranking(pred, scores)
    ranking = ranking[pred_code[ranking] >= 0]
    pred_cells, _ = _cells(pred, first_cell[pred.row_of] + pred_code, C, ranking, MAX_DETECTIONS)
    ap_CT = np.zeros((C, len(IOU_THRESHOLDS)))
    for cells, hit_CTP in ranked_hits(pred_cells, gold_cells):
        ap_CT[cells] = precision_over_recalls(hit_CTP, gold_cells.counts[cells])
    cells_of = Ragged.from_counts(ap_CT, categories_B)
    with np.errstate(invalid="ignore"):
        mean = cells_of.sum(ap_CT.sum(axis=1)) / (categories_B * len(IOU_THRESHOLDS))
        return AveragePrecision(mean, cells_of.sum(ap_CT[:, 0]) / categories_B)


def average_precision(
    pred: ArrayLike,
    pred_labels: Sequence[Hashable],
    gold: ArrayLike,
    gold_labels: Sequence[Hashable],
    scores: Sequence[float] | None = None,
) -> tuple[float, float]:
    """COCO average precision of one list: (mean over IoU thresholds, at IoU 0.50). See `average_precision_batch`.

    Example:
        >>> average_precision([[14, 10, 54, 50]], ["cat"], [[10, 10, 50, 50]], ["cat"])
        (0.7, 1.0)
    """
    one = None if scores is None else [scores]
    ap = average_precision_batch([as_boxes(pred)], [pred_labels], [as_boxes(gold)], [gold_labels], one)
    return float(ap.mean[0]), float(ap.at_50[0])


def pooled_average_precision(
    pred: Lists, pred_labels: Labels, gold: Lists, gold_labels: Labels, scores: Scores | None = None
) -> tuple[float, float]:
    """COCO average precision of a data set: (mean over IoU thresholds, at IoU 0.50).

    Boxes are matched image by image; then the predictions of all B images are ranked together, category by category.
    Arguments and rules as in `average_precision_batch`; without scores the images count in their order.

    Returns: range [0, 1]; NaN without any gold box.

    Example:
        >>> box = [[0, 0, 10, 10]]
        >>> pooled_average_precision([box, box], [["cat"]] * 2, [box, []], [["cat"], []], [[0.2], [0.9]])
        (0.5, 0.5)
    """
    pred, gold = _sides(pred, pred_labels, gold, gold_labels)
    number = {label: k for k, label in enumerate(dict.fromkeys(chain.from_iterable(gold_labels)))}
    if not number:
        return float("nan"), float("nan")
    pred_code = np.array([number.get(label, -1) for label in chain.from_iterable(pred_labels)], dtype=np.intp)
    gold_code = np.array([number[label] for label in chain.from_iterable(gold_labels)], dtype=np.intp)
    score = np.ones(len(pred.flat)) if scores is None else _flat_scores(pred, scores)
    ranking = np.argsort(-score, kind="stable")
    ap_KT = np.zeros((len(number), len(IOU_THRESHOLDS)))
    for k in range(len(number)):
        gold_cells, _ = _cells(gold, gold.row_of, len(gold), np.flatnonzero(gold_code == k))
        pred_cells, items = _cells(pred, pred.row_of, len(gold), ranking[pred_code[ranking] == k], MAX_DETECTIONS)
        hit_NT = np.zeros((len(items), len(IOU_THRESHOLDS)), dtype=bool)
        for cells, hit_CTP in ranked_hits(pred_cells, gold_cells):
            place, present = pred_cells.slots(cells, hit_CTP.shape[2])
            hit_NT[place[present]] = hit_CTP.transpose(0, 2, 1)[present]
        pooled = np.argsort(-score[items], kind="stable")
        ap_KT[k] = precision_over_recalls(hit_NT[pooled].T, len(gold_cells.flat))
    return float(ap_KT.mean()), float(ap_KT[:, 0].mean())


def nms_keep(pred: Lists, gold: Lists, scores: Scores, above: float = 0.5) -> Mask:
    """Predictions that survive when each gold box keeps only the best of those that cover it, whatever their labels.

    For each gold box, of all predictions of its row with IoU > `above` the one with the highest score (ties: the first)
    is kept; the others go, unless another gold box keeps them. Predictions that cover no gold box stay.

    Args:
        pred, gold: B lists of xyxy boxes each (or `Ragged`).
        scores: B lists of confidences.

    Returns: (N,) over the predictions of all rows.

    Example:
        >>> nms_keep([[[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]]], [[[0, 0, 10, 10]]], [[0.3, 0.9, 0.1]])
        array([False,  True,  True])
    """
    pred, gold = _ragged(pred), _ragged(gold)
    score = _flat_scores(pred, scores)
    keep = np.ones(len(pred.flat), dtype=bool)
    for rows, P, G in buckets(pred.counts, gold.counts):
        items, present = pred.slots(rows, P)
        covers = box_iou(pred.padded(rows, P), gold.padded(rows, G)) > above
        rank = np.argsort(np.argsort(-np.where(present, score[items], -np.inf), axis=1, kind="stable"), axis=1)
        rank_RPG = np.where(covers, rank[:, :, None], P)
        kept = (covers & (rank_RPG == rank_RPG.min(axis=1, keepdims=True))).any(axis=2)
        keep[items[present]] = (kept | ~covers.any(axis=2))[present]
    return keep


def nms_average_precision(
    pred: Lists, pred_labels: Labels, gold: Lists, gold_labels: Labels, scores: Scores
) -> tuple[float, float]:
    """NMS-AP: COCO average precision of a data set after `nms_keep`, so that many labels on one box do not help.

    Arguments and result as in `pooled_average_precision`.

    Example:
        >>> box = [[0, 0, 10, 10]]
        >>> guess = [box * 2], [["cat", "dog"]], [box], [["cat"]], [[0.5, 0.9]]
        >>> pooled_average_precision(*guess), nms_average_precision(*guess)
        ((1.0, 1.0), (0.0, 0.0))

    References:
        The evaluation of OVDEval, arXiv 2308.13177.
    """
    sides = _sides(pred, pred_labels, gold, gold_labels)
    keep = nms_keep(*sides, scores)
    kept = Ragged.from_counts(sides[0].flat[keep], sides[0].sum(keep.astype(np.float64)))
    ends = sides[0].offsets
    masks = [keep[start:end].tolist() for start, end in pairwise(ends)]
    labels = [list(compress(row, mask)) for row, mask in zip(pred_labels, masks, strict=True)]
    left = [list(compress(row, mask)) for row, mask in zip(scores, masks, strict=True)]
    return pooled_average_precision(kept, labels, sides[1], gold_labels, left)


def _sides(pred: Lists, pred_labels: Labels, gold: Lists, gold_labels: Labels) -> tuple[Ragged, Ragged]:
    """Both sides as `Ragged`, checked against their labels and each other."""
    sides = _ragged(pred), _ragged(gold)
    for name, side, labels in (("pred", sides[0], pred_labels), ("gold", sides[1], gold_labels)):
        _check_counts(name, "labels", side, labels)
    if len(sides[0]) != len(sides[1]):
        raise ShapeError(f"average precision: {len(sides[0])} rows of predictions, {len(sides[1])} rows of gold boxes")
    return sides


def _ragged(lists: Lists) -> Ragged:
    return lists if isinstance(lists, Ragged) else Ragged.of_boxes(lists)


def _check_counts(name: str, what: str, boxes: Ragged, given: Sequence[Sequence[Any]]) -> None:
    counts = list(map(len, given))
    if counts != boxes.counts.tolist():
        pairs = enumerate(zip(boxes.counts.tolist(), counts, strict=False))
        bad = next((f"row {row} has {n} boxes, {m} {what}" for row, (n, m) in pairs if n != m), None)
        raise ShapeError(f"average precision, {name}: {bad or f'{len(boxes)} rows of boxes, {len(given)} of {what}'}")


def _codes_in_row(pred_labels: Labels, gold_labels: Labels) -> tuple[Indices, Indices, Indices]:
    """(N,), (M,): place of each label among the distinct gold labels of its row, -1 for none; (B,): their number."""
    pred_code: list[int] = []
    gold_code: list[int] = []
    categories: list[int] = []
    for wanted, given in zip(gold_labels, pred_labels, strict=True):
        code = dict(zip(dict.fromkeys(wanted), count(), strict=False))
        gold_code.extend(map(code.__getitem__, wanted))
        pred_code.extend(map(code.get, given, repeat(-1)))
        categories.append(len(code))
    return np.array(pred_code, np.intp), np.array(gold_code, np.intp), np.array(categories, np.intp)


def _flat_scores(pred: Ragged, scores: Scores) -> Floats:
    _check_counts("pred", "scores", pred, scores)
    return np.fromiter(chain.from_iterable(scores), np.float64, len(pred.flat))


def _ranking(pred: Ragged, scores: Scores | None) -> Indices:
    """(N,) all predictions from most to least confident; stable, NaN last."""
    if scores is None:
        return np.arange(len(pred.flat))
    return np.argsort(-_flat_scores(pred, scores), kind="stable")


def _cells(
    boxes: Ragged, cell_N: Indices, cells: int, ranking: Indices, most: int | None = None
) -> tuple[Ragged, Indices]:
    """The boxes listed in `ranking` by cell, in that order, at most `most` a cell; and their flat indices."""
    items = ranking[np.argsort(cell_N[ranking], kind="stable")]
    counts = np.bincount(cell_N[items], minlength=cells)
    if most is not None and counts.max(initial=0) > most:
        place = np.arange(len(items)) - np.repeat(np.cumsum(counts) - counts, counts)
        items, counts = items[place < most], np.minimum(counts, most)
    return Ragged.from_counts(boxes.flat[items], counts), items
