"""Classes of phrases by what their facts are worth: not applicable, clean, hallucinated.

Class 0: the phrase states no fact of the kind; 1: all its facts hold; 2: some fact does not. Files of labels hold
class - 1.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from sightline.core.errors import ShapeError

NOT_APPLICABLE, CLEAN, HALLUCINATED = 0, 1, 2
CLASSES = ("not applicable", "clean", "hallucinated")
VALUES = (0.0, 1.0, -1.0)
IGNORED = -100


def fact_class(holds: Iterable[bool]) -> int:
    """The class of a phrase from whether each of its facts holds: one that does not is enough.

    Example:
        >>> fact_class([]), fact_class([True, True]), fact_class([True, False])
        (0, 1, 2)
    """
    known = list(holds)
    return NOT_APPLICABLE if not known else CLEAN if all(known) else HALLUCINATED


def by_class(probabilities: ArrayLike) -> float:
    """What the likeliest class earns: 1 if clean, -1 if hallucinated, 0 if not applicable; of equals the first.

    Example:
        >>> by_class([0.1, 0.5, 0.4]), by_class([0.0, 0.4, 0.6]), by_class([0.4, 0.3, 0.3])
        (1.0, -1.0, 0.0)
    """
    return VALUES[int(np.argmax(np.asarray(probabilities, np.float64)))]


def by_probability(probabilities: ArrayLike) -> float:
    """p(clean) - p(hallucinated): the soft form.

    Example:
        >>> round(by_probability([0.1, 0.5, 0.4]), 6)
        0.1
    """
    p = np.asarray(probabilities, np.float64)
    return float(p[CLEAN] - p[HALLUCINATED])


def separator_loss(logits: ArrayLike, labels: ArrayLike) -> float:
    """Mean cross-entropy over the positions that have a label.

    Args:
        logits: (N, C).
        labels: (N,) classes, -100 where there is none.

    Returns: NaN without any label.

    Example:
        >>> round(separator_loss([[2, 0, 0], [0, 1, 3], [9, 9, 9]], [0, 2, -100]), 7)
        0.2046954
    """
    given, wanted = np.asarray(logits, np.float64), np.asarray(labels, np.int64)
    if given.ndim != 2 or wanted.shape != given.shape[:1]:
        raise ShapeError(f"separator_loss needs logits (N, C) and labels (N,); got {given.shape} and {wanted.shape}")
    some = wanted != IGNORED
    if not some.any():
        return float("nan")
    raised = given[some] - given[some].max(1, keepdims=True)
    logp = raised - np.log(np.exp(raised).sum(1, keepdims=True))
    return float(-logp[np.arange(some.sum()), wanted[some]].mean())


def alignment_fault(subs: Iterable[str], labels: Iterable[object], separator: str) -> str:
    """Why phrases cannot be trained on: empty if every one has a label and none holds the separator.

    Example:
        >>> alignment_fault(["A dog", "runs"], [[0, 0, -1]], "</s>")
        '2 phrases, 1 labels'
        >>> alignment_fault(["A </s> dog"], [[0, 0, -1]], "</s>")
        'phrase 0 holds the separator </s>'
    """
    listed, count = list(subs), len(list(labels))
    if len(listed) != count:
        return f"{len(listed)} phrases, {count} labels"
    return next((f"phrase {i} holds the separator {separator}" for i, sub in enumerate(listed) if separator in sub), "")
