"""Thinking drift: where reasoning before the answer helps, and where it overrides a right intuition.

`failure_bound` is the model of it, `drift_report` the measurement on items that were answered both directly and after
reasoning. Nothing here runs a policy or knows what an answer is: right and wrong arrive as 1 and 0.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ColumnError, ConfigError, ShapeError

Floats = NDArray[np.float64]


class FailureBound(NamedTuple):
    """Probability that a chain of reasoning steps holds at least one error: exactly, and as its linear bound."""

    exact: Floats
    linear: Floats


def failure_bound(steps: ArrayLike, error: ArrayLike) -> FailureBound:
    """How likely a chain of T steps fails if each step errs with probability eps and no error is ever revisited.

    exact  = 1 - (1 - eps)^T
    linear = min(1, T * eps), never below the exact value

    Args:
        steps: T, whole numbers >= 0; any shape, broadcast with `error`.
        error: eps in [0, 1].

    Returns: both of the broadcast shape, range [0, 1].

    Raises:
        ConfigError: a number of steps is negative or broken, or an error probability lies outside [0, 1].

    Example:
        >>> bound = failure_bound([10, 100], 0.01)
        >>> bound.exact.round(4), bound.linear
        (array([0.0956, 0.634 ]), array([0.1, 1. ]))

    References:
        Luo et al., When Thinking Drifts, arXiv 2510.06077.
    """
    T, eps = np.broadcast_arrays(np.asarray(steps, dtype=np.float64), np.asarray(error, dtype=np.float64))
    if not ((T >= 0) & np.isfinite(T) & (np.mod(T, 1) == 0)).all():
        raise ConfigError(f"failure_bound: steps are whole numbers >= 0, got {steps!r:.80}")
    if not ((eps >= 0) & (eps <= 1)).all():
        raise ConfigError(f"failure_bound: an error probability lies in [0, 1], got {error!r:.80}")
    certain = (eps == 1) & (T > 0)
    # expm1 and log1p keep the digits that 1 - (1 - eps)^T loses for small eps
    exact = np.where(certain, 1.0, -np.expm1(T * np.log1p(-np.where(eps == 1, 0.0, eps))))
    return FailureBound(exact + 0.0, np.minimum(1.0, T * eps))


@dataclass(frozen=True)
class CategoryDrift:
    """What reasoning did to the items of one category.

    Args:
        items: how many items could be compared.
        direct: accuracy of the direct answers (acc_DA).
        reasoned: accuracy of the answers after reasoning (acc_CoT).
        delta: reasoned - direct; negative where reasoning hurts.
        overridden: share of items that were right directly and wrong after reasoning.
        rescued: share of items that were wrong directly and right after reasoning.

    All shares are of `items`, and delta = rescued - overridden. Without items they are NaN.
    """

    items: int
    direct: float
    reasoned: float
    delta: float
    overridden: float
    rescued: float


@dataclass(frozen=True)
class DriftReport:
    """Drift over all items, and per category in order of first appearance."""

    overall: CategoryDrift
    categories: dict[Hashable, CategoryDrift] = field(default_factory=dict)


def drift_report(
    direct: Sequence[float | None], reasoned: Sequence[float | None], categories: Sequence[Hashable] | None = None
) -> DriftReport:
    """Accuracy with and without reasoning, item by item and category by category.

    Args:
        direct: 1 where the direct answer is right, 0 where it is wrong, None or NaN where it could not be judged.
        reasoned: the same for the answers after reasoning; same items, same order.
        categories: the category of each item.

    Not applicable: an item that could not be judged on both sides is left out.

    Raises:
        ShapeError: the lists differ in length.
        ColumnError: an entry is neither 0 nor 1.

    Example:
        >>> report = drift_report([1, 1, 0, 0], [1, 0, 1, 1], ["scene", "scene", "count", "count"])
        >>> report.overall
        CategoryDrift(items=4, direct=0.5, reasoned=0.75, delta=0.25, overridden=0.25, rescued=0.5)
        >>> report.categories["scene"].delta, report.categories["count"].delta
        (-0.5, 1.0)

    References:
        Luo et al., When Thinking Drifts, arXiv 2510.06077, the comparison on MVBench.
    """
    for name, given in (("reasoned", reasoned), ("categories", categories)):
        if given is not None and len(given) != len(direct):
            raise ShapeError(f"drift_report: {len(given)} values of `{name}` for {len(direct)} of `direct`")
    before, after = _right("direct", direct), _right("reasoned", reasoned)
    of = [None] * len(before) if categories is None else list(categories)
    kinds = [] if categories is None else dict.fromkeys(of)
    everything = np.ones(len(before), dtype=bool)
    rows = {kind: np.array([kind == one for one in of], dtype=bool) for kind in kinds}
    return DriftReport(
        _drift(before, after, everything), {kind: _drift(before, after, mine) for kind, mine in rows.items()}
    )


def _right(name: str, given: Sequence[float | None]) -> Floats:
    """(N,) 1 for right, 0 for wrong, NaN for not judged."""
    values = np.array([np.nan if one is None else one for one in given], dtype=np.float64)
    for row in np.flatnonzero(~np.isnan(values) & (values != 0) & (values != 1)).tolist():
        raise ColumnError(f"drift_report: item {row} of `{name}` is {given[row]!r}; right is 1 and wrong is 0")
    return values


def _drift(before: Floats, after: Floats, rows: NDArray[np.bool_]) -> CategoryDrift:
    known = rows & ~np.isnan(before) & ~np.isnan(after)
    was, now = before[known] == 1, after[known] == 1
    size = len(was)
    counts = was.sum(), now.sum(), now.sum() - was.sum(), (was & ~now).sum(), (~was & now).sum()
    return CategoryDrift(size, *(int(n) / size if size else float("nan") for n in counts))
