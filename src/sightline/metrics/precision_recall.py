"""From boxes to hits at each IoU threshold, and from ranked hits to precision averaged over 101 recalls (COCO rules).

Axes: C cells (one list of predictions against one list of gold boxes of the same category), T IoU thresholds, P ranks,
G gold boxes. Knows nothing of categories or images: a cell is whatever the caller put together.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from sightline.metrics.boxes import Floats, Mask, box_iou
from sightline.metrics.ragged import Indices, Ragged, buckets

IOU_THRESHOLDS: Floats = np.linspace(0.5, 0.95, 10)
RECALLS: Floats = np.linspace(0.0, 1.0, 101)


def ranked_hits(pred: Ragged, gold: Ragged) -> Iterator[tuple[Indices, Mask]]:
    """Which predictions are hits at each IoU threshold.

    In rank order each prediction takes the free gold box with the highest IoU (equal IoU: the later box) if that is >=
    the threshold. Thresholds do not know each other.

    Args:
        pred, gold: C cells of xyxy boxes, predictions in rank order.

    Yields: (cells, hit_CTP) for cells with boxes on both sides; ranks beyond the end of a list are no hits.

    Example:
        >>> cell = Ragged.of_boxes([[[0, 0, 10, 10], [0, 0, 10, 9]]])
        >>> [hit[0, :2].tolist() for _, hit in ranked_hits(cell, Ragged.of_boxes([[[0, 0, 10, 10]]]))]
        [[[True, False], [True, False]]]
    """
    for cells, P, G in buckets(pred.counts, gold.counts):
        iou_CPG = box_iou(pred.padded(cells, P), gold.padded(cells, G))
        near = iou_CPG >= IOU_THRESHOLDS[0]
        contested = (near.sum(axis=2) > 1).any(axis=1)
        hit_CTP = _hits_of_one_candidate(np.where(near, iou_CPG, 0.0))
        if contested.any():
            hit_CTP[contested] = _hits_in_rank_order(iou_CPG[contested])
        yield cells, hit_CTP


def precision_over_recalls(hit_TP: Mask, gold_count: int | Indices) -> Floats:
    """Mean over the recalls 0, 0.01, .. 1 of the best precision at that recall or at a higher one.

    precision(rank) = hits up to rank / rank; a recall that is never reached counts 0.

    Args:
        hit_TP: (..., T, P) hits in rank order.
        gold_count: gold boxes, at least 1; one number, or (C,) for hits (C, T, P).

    Returns: (..., T), range [0, 1].

    Example:
        >>> precision_over_recalls(np.array([[True, False, True], [False, True, False]]), 2).round(4)
        array([0.835 , 0.2525])
    """
    found = hit_TP.cumsum(axis=-1)
    precision = found / np.arange(1, hit_TP.shape[-1] + 1)
    best = np.maximum.accumulate(precision[..., ::-1], axis=-1)[..., ::-1]
    if isinstance(gold_count, int):
        recalls = recalls_reached(gold_count)[np.minimum(found, gold_count)]
    else:
        table = np.zeros((int(gold_count.max()) + 1, int(gold_count.max()) + 1))
        for n in np.unique(gold_count):
            table[n, : n + 1] = recalls_reached(int(n))
        recalls = table[gold_count[:, None, None], found]
    return np.asarray(np.einsum("...p,...p->...", best, np.where(hit_TP, recalls, 0.0)) / len(RECALLS))


@lru_cache(maxsize=512)
def recalls_reached(gold_count: int) -> Floats:
    """(gold_count + 1,) how many of the 101 recalls are first reached by the k-th hit, k = 0 .. gold_count.

    Example:
        >>> recalls_reached(2)
        array([ 0., 51., 50.])
    """
    first = np.searchsorted(np.arange(1, gold_count + 1) / gold_count, RECALLS)
    return np.bincount(first + 1, minlength=gold_count + 1).astype(np.float64)


def _hits_of_one_candidate(near_CPG: Floats) -> Mask:
    """Hits where every prediction has at most one gold box within reach (others are 0 in `near_CPG`).

    It then gets that box at threshold t unless an earlier prediction reached the same box at t.
    """
    iou_CP = near_CPG.max(axis=2)
    earlier_CPG = np.zeros_like(near_CPG)
    np.maximum.accumulate(near_CPG[:, :-1], axis=1, out=earlier_CPG[:, 1:])
    earlier_CP = np.where(near_CPG > 0, earlier_CPG, 0.0).max(axis=2)
    threshold = IOU_THRESHOLDS[:, None]
    return np.asarray((iou_CP[:, None] >= threshold) & (earlier_CP[:, None] < threshold))


def _hits_in_rank_order(iou_CPG: Floats) -> Mask:
    """Hits by the rule itself, one rank after the other."""
    C, P, G = iou_CPG.shape
    T = len(IOU_THRESHOLDS)
    hit_CTP, taken_CTG = np.zeros((C, T, P), dtype=bool), np.zeros((C, T, G), dtype=bool)
    backwards_CPG = iou_CPG[:, :, ::-1]  # argmax finds the first of equals, the rule wants the last
    for rank in range(P):
        open_CTG = np.where(taken_CTG, -1.0, backwards_CPG[:, None, rank])
        best_CT1 = open_CTG.argmax(axis=2)[..., None]
        hit_CT1 = np.take_along_axis(open_CTG, best_CT1, axis=2) >= IOU_THRESHOLDS[:, None]
        hit_CTP[:, :, rank] = hit_CT1[..., 0]
        np.put_along_axis(taken_CTG, best_CT1, hit_CT1 | np.take_along_axis(taken_CTG, best_CT1, axis=2), axis=2)
    return hit_CTP
