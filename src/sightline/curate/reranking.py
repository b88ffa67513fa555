"""Training data for rerankers: which candidates a question is shown with, their gold order, and a draw over page sizes.

Works on scores, labels and sizes; knows no retriever and no picture.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike

from sightline.core.errors import ConfigError


def top_candidates(scores: Sequence[float], right: Collection[int], k: int = 5) -> list[int]:
    """Numbers of the k pages with the highest scores, best first; empty if none of them is right.

    Args:
        scores: a retriever's score of every page.
        right: numbers of the right pages, counted from 0.
        k: how many candidates a training row has. Equal scores keep the order of the pages.

    Example:
        >>> top_candidates([0.1, 0.9, 0.5, 0.7], right={2}, k=3), top_candidates([0.1, 0.9], right={0}, k=1)
        ([1, 3, 2], [])
    """
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")[:k].tolist()
    return order if any(page in right for page in order) else []


def gold_order(scores: Sequence[float], right: Collection[int], rng: np.random.Generator | None = None) -> list[int]:
    """The order to imitate: right candidates first, then the others, each class by retriever score.

    Args:
        scores: a retriever's score of every candidate.
        right: numbers of the right candidates, counted from 0.
        rng: shuffles inside both classes instead, so that the retriever's order cannot be copied.

    Example:
        >>> gold_order([0.9, 0.2, 0.5, 0.7], right={1, 2})
        [2, 1, 0, 3]
    """
    keys = -np.asarray(scores, dtype=np.float64) if rng is None else rng.random(len(scores))
    order = np.argsort(keys, kind="stable").tolist()
    return [i for i in order if i in right] + [i for i in order if i not in right]


def balanced_by_size(sizes: ArrayLike, total: int, bins: int = 10, seed: int = 0) -> list[int]:
    """A draw without replacement that takes its share from every bin of image size.

    Rows are sorted by size and cut into `bins` bins whose numbers of rows differ by one at most; each bin gives
    its proportional share, the first bins one more where the division leaves a rest.

    Args:
        sizes: one size a row, for example pixels.
        total: rows to draw.

    Returns: row numbers in ascending order.

    Raises:
        ConfigError: more rows are asked for than there are, or there is no bin.

    Example:
        >>> drawn = balanced_by_size(range(100), total=20)
        >>> [sum(10 * b <= i < 10 * b + 10 for i in drawn) for b in range(10)]
        [2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    """
    order = np.argsort(np.asarray(sizes), kind="stable")
    if not 0 <= total <= len(order) or bins < 1:
        raise ConfigError(f"cannot draw {total} of {len(order)} rows from {bins} bins")
    rng = np.random.default_rng(seed)
    drawn: list[int] = []
    for rows, below in zip(np.array_split(order, bins), range(bins), strict=True):
        # shares are differences of rounded totals, so that they add up
        share = total * _until(below + 1, len(order), bins) // len(order) if len(order) else 0
        share -= total * _until(below, len(order), bins) // len(order) if len(order) else 0
        drawn += rng.choice(rows, share, replace=False).tolist()
    return sorted(drawn)


def _until(bin_number: int, rows: int, bins: int) -> int:
    """Rows in the bins before this one, as numpy splits them: the first bins get the rest."""
    return bin_number * (rows // bins) + min(bin_number, rows % bins)
