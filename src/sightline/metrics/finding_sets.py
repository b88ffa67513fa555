"""Sets of names against each other: F1, and how well findings bear out a conclusion.

Sets only: repeats never count twice. Knows nothing of texts.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class Support(NamedTuple):
    """How well asserted findings bear out a conclusion.

    Args:
        coverage: share of the required findings that is asserted.
        precision: share of the asserted findings that speaks for the conclusion.
        value: their harmonic mean.
    """

    coverage: float
    precision: float
    value: float


def set_f1(said: Collection[str], right: Collection[str]) -> float:
    """F1 of two sets: 2 |both| / (|said| + |right|); 1 if both are empty, 0 if one is.

    Example:
        >>> set_f1(["a", "b"], ["b", "c", "b"]), set_f1([], []), set_f1(["a"], [])
        (0.5, 1.0, 0.0)
    """
    mine, gold = set(said), set(right)
    return 2.0 * len(mine & gold) / (len(mine) + len(gold)) if mine or gold else 1.0


def finding_support(found: Collection[str], required: Collection[str], supportive: Collection[str]) -> Support:
    """How well findings F bear out a conclusion with required findings Req and supportive ones Sup.

    cov = |F & Req| / |Req|, 1 if Req is empty;  prec = |F & (Req | Sup)| / |F|, if F is empty: 1 if Req is, else 0
    value = 2 cov prec / (cov + prec), 0 if both are 0

    Example:
        >>> seen, required = {"microaneurysm", "hard exudate"}, {"microaneurysm", "hemorrhage"}
        >>> round(finding_support(seen, required, {"hard exudate"}).value, 6)
        0.666667
        >>> finding_support((), (), ()).value, finding_support({"drusen"}, (), ()).value
        (1.0, 0.0)

    References:
        Fundus-R1, arXiv 2604.08322; the formula is ours.
    """
    said, needed = set(found), set(required)
    helpful = needed | set(supportive)
    coverage = len(said & needed) / len(needed) if needed else 1.0
    precision = len(said & helpful) / len(said) if said else float(not needed)
    both = coverage + precision
    return Support(coverage, precision, 2.0 * coverage * precision / both if both else 0.0)
