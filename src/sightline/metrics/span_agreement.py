"""How well flagged spans agree with reference spans: matched one to one, and as shares of common length.

Spans are [start, end) of tokens or characters. Knows no texts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.metrics.spans import interval_iou

Floats = NDArray[np.float64]


class SpanAgreement(NamedTuple):
    """Precision, recall and F1 of matched spans, and the IoU of all that is covered; each 0..1."""

    precision: float
    recall: float
    f1: float
    iou: float


def span_agreement(predicted: ArrayLike, reference: ArrayLike, least: float = 0.5) -> SpanAgreement:
    """Predicted spans against reference spans.

    A predicted span, in the given order, looks at the one reference span that it overlaps most (the first of several)
    and matches it if IoU >= least and nobody has matched it before.

    Args:
        predicted, reference: (P, 2) and (R, 2) starts and ends; an empty span overlaps nothing, but counts.
        least: IoU of a match.

    Returns: all 1 if both are empty; (1, 0, 0, 0) without predictions; (0, 1, 0, 0) without references.

    Example:
        >>> span_agreement([[12, 20], [35, 40]], [[10, 20], [35, 40]])
        SpanAgreement(precision=1.0, recall=1.0, f1=1.0, iou=0.8666666666666667)
        >>> span_agreement([[0, 8]], [[0, 4], [4, 8]])
        SpanAgreement(precision=1.0, recall=0.5, f1=0.6666666666666666, iou=1.0)

    References:
        Perceval, arXiv 2604.24583, evaluation of the verifier.
    """
    P, R = _intervals(predicted), _intervals(reference)
    if not len(P) or not len(R):
        none, both = float(not len(P)), float(not len(P) and not len(R))
        return SpanAgreement(none, float(not len(R)), both, both)
    hits = _matches(interval_iou(P[:, None], R[None, :]), least)
    precision, recall = hits / len(P), hits / len(R)
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return SpanAgreement(precision, recall, f1, covered_iou(P, R))


def covered_iou(predicted: ArrayLike, reference: ArrayLike) -> float:
    """Length that both sides cover over the length that either covers, what overlaps on one side counted once.

    Returns: 0 if nothing is covered.

    Example:
        >>> covered_iou([[0, 4], [2, 6]], [[4, 8]])
        0.25
    """
    a, b = merged(predicted), merged(reference)
    low, high = np.maximum(a[:, None, 0], b[None, :, 0]), np.minimum(a[:, None, 1], b[None, :, 1])
    shared = float(np.maximum(high - low, 0.0).sum())
    joint = float((a[:, 1] - a[:, 0]).sum() + (b[:, 1] - b[:, 0]).sum()) - shared
    return shared / joint if joint > 0 else 0.0


def merged(spans: ArrayLike) -> Floats:
    """(M, 2) the same places as disjoint spans in order; empty and turned ones are left out.

    Example:
        >>> merged([[5, 9], [0, 2], [2, 3], [6, 7], [4, 4]])
        array([[0., 3.],
               [5., 9.]])
    """
    array = _intervals(spans)
    array = array[array[:, 1] > array[:, 0]]
    array = array[np.argsort(array[:, 0], kind="stable")]
    reach = np.maximum.accumulate(array[:, 1]) if len(array) else array[:, 1]
    first = np.flatnonzero(np.append(True, array[1:, 0] > reach[:-1])) if len(array) else np.zeros(0, np.int64)
    last = np.append(first[1:], len(array)) - 1
    return np.stack([array[first, 0], reach[last]], 1) if len(array) else array


def _matches(iou_PR: Floats, least: float) -> int:
    """How many references are the best of some prediction, closely enough: each can be matched once."""
    return len(set(iou_PR.argmax(1)[iou_PR.max(1) >= least].tolist()))


def _intervals(spans: ArrayLike) -> Floats:
    return np.asarray(spans, dtype=np.float64).reshape(-1, 2)
