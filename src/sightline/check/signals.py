"""What rewards of given rollouts can teach: groups without a difference, rewards at the ends, and drift between files.

Knows arrays of rewards and groups, not how they came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sightline.bench.drift import drift_report
from sightline.core.errors import ShapeError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Signal:
    """How much of a file can teach. Shares are NaN where there is nothing to count.

    Args:
        rollouts: scorable ones.
        groups: groups with at least two of them.
        dead: share of those groups in which all earn the same: no advantage, no gradient.
        top, floor: share of rollouts that earn the highest and the lowest value of the file.
        mean: mean reward.
    """

    rollouts: int
    groups: int
    dead: float
    top: float
    floor: float
    mean: float


def signal(values: Floats, group: NDArray[np.int64]) -> Signal:
    """Dead groups and saturation.

    Args:
        values: (N,) rewards; NaN is left out.
        group: (N,) which rollouts are of one prompt.

    Raises:
        ShapeError: the arrays differ in length.

    Example:
        >>> signal(np.array([1.0, 1, 0, 1]), np.array([0, 0, 1, 1]))
        Signal(rollouts=4, groups=2, dead=0.5, top=0.75, floor=0.25, mean=0.75)
    """
    if len(values) != len(group):
        raise ShapeError(f"signal: {len(values)} values for {len(group)} groups")
    known = np.isfinite(values)
    value, of = values[known], group[known]
    if not len(value):
        return Signal(0, 0, *[float("nan")] * 4)
    order = np.argsort(of, kind="stable")
    parts = np.split(value[order], np.flatnonzero(np.diff(of[order])) + 1)
    several = [part for part in parts if len(part) > 1]
    dead = float(np.mean([np.ptp(part) == 0 for part in several])) if several else float("nan")
    top, floor = float((value == value.max()).mean()), float((value == value.min()).mean())
    return Signal(len(value), len(several), dead, top, floor, float(value.mean()))


@dataclass(frozen=True)
class Moved:
    """What became of one part from one file of rollouts to the next.

    Args:
        before, after: means.
        error: standard error of their difference, as of independent rollouts.
        rescued, overridden: of a part that is 0 or 1, on rollouts in the same order: share that was wrong and became
            right, was right and became wrong; NaN elsewhere.
    """

    before: float
    after: float
    error: float
    rescued: float = float("nan")
    overridden: float = float("nan")

    @property
    def drifts(self) -> bool:
        """Whether the means lie further apart than chance explains (two standard errors)."""
        return abs(self.after - self.before) > 2 * self.error


def drift(before: Mapping[str, Floats], after: Mapping[str, Floats]) -> dict[str, Moved]:
    """Drift of every part that both files have.

    Args:
        before, after: name of a part -> (N,) and (M,) values, NaN where there was nothing to judge.

    Example:
        >>> found = drift({"accuracy": np.array([1.0, 0, 0, 1])}, {"accuracy": np.array([1.0, 1, 1, 0])})
        >>> found["accuracy"].after, found["accuracy"].rescued, found["accuracy"].overridden
        (0.75, 0.5, 0.25)
    """
    return {name: _moved(before[name], after[name]) for name in before if name in after}


def _moved(before: Floats, after: Floats) -> Moved:
    a, b = before[np.isfinite(before)], after[np.isfinite(after)]
    if not len(a) or not len(b):
        return Moved(*[float("nan")] * 3)
    error = float(np.sqrt(a.var() / len(a) + b.var() / len(b)))
    found = Moved(float(a.mean()), float(b.mean()), error)
    if len(before) != len(after) or not (np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all()):
        return found
    items = drift_report(before.tolist(), after.tolist()).overall
    return Moved(found.before, found.after, error, items.rescued, items.overridden)
