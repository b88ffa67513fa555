"""Which prediction is paired with which gold item: greedy by score, greedy over all pairs, least total cost.

Every matcher takes a matrix (..., P, G) and returns (..., P): the gold item of each prediction, -1 for none. Axes in
front are a batch. NaN stands for "no such pair", so padding never matches. Knows nothing of boxes, except
`match_boxes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ShapeError
from sightline.metrics.boxes import Floats, Mask, box_iou
from sightline.metrics.ragged import Indices, Ragged, buckets

Matcher: TypeAlias = Callable[[Floats, Floats], Indices]
"""(R, P, G) similarities and (R, P) scores -> (R, P) gold item of each prediction, -1 for none."""


def greedy_by_score(similarity_PG: ArrayLike, score_P: ArrayLike | None = None, above: float = 0.5) -> Indices:
    """The most confident prediction chooses first.

    In descending order of score (equal scores in the given order, NaN last) each prediction takes the free gold item it
    is most similar to, ties to the first; it is matched only if the similarity is > `above`, and only a match takes the
    item.

    Args:
        similarity_PG: (..., P, G), for instance IoU; NaN pairs never match.
        score_P: (..., P) confidences; None means the given order.
        above: strict lower bound.

    Returns: (..., P) gold index or -1.

    Example:
        >>> iou = [[0.9, 0.6], [0.8, 0.0], [0.5, 0.7]]
        >>> greedy_by_score(iou, [0.1, 0.9, 0.9])
        array([-1,  0,  1])
        >>> greedy_by_score(iou)
        array([ 0, -1,  1])

    References:
        Matching of the detection rewards of Visual-RFT, arXiv 2503.01785.
    """
    similarity, shape = _batch(similarity_PG)
    B, P, G = similarity.shape
    matched = np.full((B, P), -1, dtype=np.intp)
    if similarity.size:
        similarity = np.fmax(similarity, -np.inf)  # argmax would choose a NaN
        order = _descending(score_P, (B, P), shape)
        rows, taken = np.arange(B), np.zeros((B, G), dtype=bool)
        for rank in range(P):
            prediction = order[:, rank]
            open_BG = np.where(taken, -np.inf, similarity[rows, prediction])
            best = open_BG.argmax(axis=1)
            hit = open_BG[rows, best] > above
            matched[rows[hit], prediction[hit]] = best[hit]
            taken[rows[hit], best[hit]] = True
    return matched.reshape(shape)


def greedy_global(similarity_PG: ArrayLike, at_least: float = 0.5) -> Indices:
    """The most similar pair of all goes first, then the most similar of what is left, down to `at_least`.

    Ties go to the earlier prediction, then to the earlier gold item.

    Args:
        similarity_PG: (..., P, G), for instance IoU; NaN pairs never match.
        at_least: a pair below it is not matched, equality is.

    Returns: (..., P) gold index or -1.

    Example:
        >>> greedy_global([[0.8, 0.7], [0.9, 0.7], [0.5, 0.5]])
        array([ 1,  0, -1])

    References:
        Matching of the weighted detection score of VLM-R1, arXiv 2504.07615.
    """
    similarity, shape = _batch(similarity_PG)
    B, P, G = similarity.shape
    matched = np.full((B, P), -1, dtype=np.intp)
    if not similarity.size:
        return matched.reshape(shape)
    left, rows = np.where(similarity >= at_least, similarity, -np.inf), np.arange(B)
    for _ in range(min(P, G)):
        flat = left.reshape(len(rows), P * G)
        best = flat.argmax(axis=1)
        hit = flat[np.arange(len(rows)), best] > -np.inf
        if not hit.all():
            left, rows, best = left[hit], rows[hit], best[hit]
        if not rows.size:
            break
        prediction, gold = np.divmod(best, G)
        matched[rows, prediction] = gold
        left[np.arange(len(rows)), prediction, :] = -np.inf
        left[np.arange(len(rows)), :, gold] = -np.inf
    return matched.reshape(shape)


def hungarian(cost_PG: ArrayLike) -> Indices:
    """The assignment of least total cost among those with the most pairs.

    Any cost matrix will do: `-iou`, `1 - iou`, L1 distance minus label agreement, ...

    Args:
        cost_PG: (..., P, G); NaN or +inf forbids a pair.

    Returns: (..., P) gold index or -1.

    Raises:
        ShapeError: a cost is -inf.

    Example:
        >>> hungarian([[1.0, 2.0], [1.0, 9.0], [3.0, 9.0]])
        array([ 1,  0, -1])
        >>> hungarian([[0.0, np.nan], [1.0, np.nan]])
        array([ 0, -1])
    """
    cost, shape = _batch(cost_PG)
    if np.isneginf(cost).any():
        raise ShapeError("hungarian: a cost of -inf; use a finite cost, or NaN for a pair that cannot be")
    allowed = np.isfinite(cost)
    some_P, some_G = allowed.any(axis=2), allowed.any(axis=1)
    p, g = some_P.sum(axis=1), some_G.sum(axis=1)
    # a full block in the corner, the rest padding: the usual case needs no care
    full = (
        allowed
        == (np.arange(cost.shape[1]) < p[:, None])[:, :, None] & (np.arange(cost.shape[2]) < g[:, None])[:, None]
    )
    matched = np.full(cost.shape[:2], -1, dtype=np.intp)
    easy = full.all(axis=(1, 2))
    few = np.minimum(p, g)
    _assign_one(cost, np.flatnonzero(easy & (few == 1)), matched)
    blocks = np.flatnonzero(easy & (few > 1))
    _assign_blocks(cost, blocks, p[blocks].tolist(), g[blocks].tolist(), matched)
    for row in np.flatnonzero(~easy).tolist():
        _assign_allowed(cost[row], allowed[row], matched[row])
    return matched.reshape(shape)


def _assign_one(cost: Floats, rows: Indices, matched: Indices) -> None:
    """Rows with one prediction or one gold item: the cheapest pair."""
    if len(rows):
        finite = np.where(np.isfinite(cost[rows]), cost[rows], np.inf).reshape(len(rows), -1)
        prediction, gold = np.divmod(finite.argmin(axis=1), cost.shape[2])
        matched[rows, prediction] = gold


def _assign_blocks(cost: Floats, rows: Indices, p: list[int], g: list[int], matched: Indices) -> None:
    """Rows whose first `p` predictions and first `g` gold items may all be paired."""
    from scipy.optimize import linear_sum_assignment

    pairs = [linear_sum_assignment(one[:most, :many]) for one, most, many in zip(cost[rows], p, g, strict=True)]
    if pairs:
        prediction, gold = (np.concatenate(side) for side in zip(*pairs, strict=True))
        matched[np.repeat(rows, np.minimum(p, g)), prediction] = gold


def _assign_allowed(cost_PG: Floats, allowed_PG: Mask, matched_P: Indices) -> None:
    """One row with forbidden pairs: one of them costs more than any difference that all allowed ones can make."""
    from scipy.optimize import linear_sum_assignment

    if not allowed_PG.any():
        return
    lowest, highest = cost_PG[allowed_PG].min(), cost_PG[allowed_PG].max()
    forbidden = (highest - lowest + 1) * (min(cost_PG.shape) + 1)
    prediction, gold = linear_sum_assignment(np.where(allowed_PG, cost_PG - lowest, forbidden))
    kept = allowed_PG[prediction, gold]
    matched_P[prediction[kept]] = gold[kept]


class Matches(NamedTuple):
    """What became of the N predictions of a batch, in their flat order."""

    gold: Indices
    """(N,) index of the matched gold item within its row, -1 for none."""
    similarity: Floats
    """(N,) similarity to it, 0 for none."""

    @property
    def hit(self) -> Mask:
        """(N,) whether the prediction is matched."""
        return self.gold >= 0


def match_boxes(
    pred: Ragged,
    gold: Ragged,
    matcher: Matcher = greedy_by_score,
    score_N: ArrayLike | None = None,
    similarity: Callable[[Floats, Floats], Floats] = box_iou,
) -> Matches:
    """Pair the predicted with the gold boxes of every row of a batch, at the price of a few array operations.

    Args:
        pred, gold: B rows of xyxy boxes each; flat (N, 4) and (M, 4).
        matcher: `greedy_by_score`, or any function of (R, P, G) similarities and (R, P) scores.
        score_N: (N,) confidences of the flat predictions; None: all 1.
        similarity: of padded boxes (R, P, 4) and (R, G, 4); NaN boxes are padding.

    Returns: gold item and similarity of each flat prediction.

    Raises:
        ShapeError: the two sides have different numbers of rows.

    Example:
        >>> pred = Ragged.of_boxes([[[0, 0, 4, 4], [0, 0, 4, 3]], [[5, 5, 6, 6]]])
        >>> gold = Ragged.of_boxes([[[0, 0, 4, 4]], []])
        >>> match_boxes(pred, gold)
        Matches(gold=array([ 0, -1, -1]), similarity=array([1., 0., 0.]))
        >>> match_boxes(pred, gold, matcher=lambda iou, score: greedy_global(iou, at_least=0.7)).hit
        array([ True, False, False])
    """
    if len(pred) != len(gold):
        raise ShapeError(f"match_boxes: {len(pred)} rows of predictions, {len(gold)} rows of gold boxes")
    N = len(pred.flat)
    score = np.ones(N) if score_N is None else np.asarray(score_N, dtype=np.float64)
    matches = Matches(np.full(N, -1, dtype=np.intp), np.zeros(N))
    for rows, P, G in buckets(pred.counts, gold.counts):
        items, present = pred.slots(rows, P)
        pairs = similarity(pred.padded(rows, P), gold.padded(rows, G))
        pairs = np.where(present[:, :, None] & gold.slots(rows, G)[1][:, None, :], pairs, np.nan)
        matched = matcher(pairs, np.where(present, score[items], np.nan))
        row, place = np.nonzero(matched >= 0)
        item, partner = items[row, place], matched[row, place]
        matches.gold[item] = partner
        matches.similarity[item] = pairs[row, place, partner]
    return matches


def _batch(matrix: ArrayLike) -> tuple[Floats, tuple[int, ...]]:
    """(..., P, G) as (B, P, G) with NaN where it was, and the shape (..., P) of the answer."""
    array = np.asarray(matrix, dtype=np.float64)
    if array.ndim == 1 and not array.size:
        array = array.reshape(0, 0)
    if array.ndim < 2:
        raise ShapeError(f"matching: needs a matrix (..., P, G), got shape {array.shape}")
    lead, (P, G) = array.shape[:-2], array.shape[-2:]
    return array.reshape(int(np.prod(lead)), P, G), (*lead, P)


def _descending(score: ArrayLike | None, size: tuple[int, int], shape: tuple[int, ...]) -> NDArray[np.intp]:
    """(B, P) predictions from most to least confident, stable, NaN last."""
    if score is None:
        return np.broadcast_to(np.arange(size[1]), size)
    array = np.asarray(score, dtype=np.float64)
    if array.shape != shape:
        raise ShapeError(f"matching: needs one score per prediction, shape {shape}, got {array.shape}")
    return np.argsort(-array.reshape(size), axis=1, kind="stable")
