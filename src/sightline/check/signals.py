"""What rewards of given rollouts can teach: groups without a difference, rewards at the ends, and drift between files.

Knows arrays of rewards and groups, not how they came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sightline.bench.drift import drift_report
from sightline.core.errors import ShapeError

Floats = NDArray[np.float64]
Group = NDArray[np.int64]
CHANCE = 0.01


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


def signal(values: Floats, group: Group) -> Signal:
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
    value = values[known]
    if not len(value):
        return Signal(0, 0, *[float("nan")] * 4)
    within = spreads(values, group)
    dead = float((within == 0).mean()) if len(within) else float("nan")
    top, floor = float((value == value.max()).mean()), float((value == value.min()).mean())
    return Signal(len(value), len(within), dead, top, floor, float(value.mean()))


def spreads(values: Floats, group: Group) -> Floats:
    """(G,) standard deviation inside each group of at least two scorable rollouts; 0 teaches nothing.

    Example:
        >>> spreads(np.array([1.0, 1, 0, 1, 5]), np.array([0, 0, 1, 1, 2]))
        array([0. , 0.5])
    """
    known = np.isfinite(values)
    value, of = values[known], group[known]
    if not len(value):
        return np.zeros(0)
    order = np.argsort(of, kind="stable")
    parts = np.split(value[order], np.flatnonzero(np.diff(of[order])) + 1)
    # equal numbers can have a standard deviation of rounding noise
    return np.array([0.0 if np.ptp(part) == 0 else float(part.std()) for part in parts if len(part) > 1])


@dataclass(frozen=True)
class Moved:
    """What became of one part from one file of rollouts to the next.

    Args:
        before, after: means.
        error: standard error of their difference, from how far groups lie apart: rollouts of one prompt depend on
            each other.
        p: probability of such a difference by chance (t-test), NaN where a file has one group only.
        distance: largest difference of the two distribution functions (Kolmogorov-Smirnov), 0..1; it sees what means
            do not.
        rescued, overridden: of a part that is 0 or 1, on rollouts in the same order: share that was wrong and became
            right, was right and became wrong; NaN elsewhere.
        was, now: (N,) and (M,) the values that could be scored.
    """

    before: float
    after: float
    error: float
    p: float = float("nan")
    distance: float = float("nan")
    rescued: float = float("nan")
    overridden: float = float("nan")
    was: Floats = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)
    now: Floats = field(default_factory=lambda: np.zeros(0), repr=False, compare=False)

    @property
    def drifts(self) -> bool:
        """Whether the means lie further apart than chance explains (p < 0.01)."""
        return self.p < CHANCE


def drift(
    before: Mapping[str, Floats], after: Mapping[str, Floats], groups: tuple[Group, Group] | None = None
) -> dict[str, Moved]:
    """Drift of every part that both files have and one of them could score.

    z = (mean_after - mean_before) / sqrt(e_before^2 + e_after^2)
    e^2 = G / (G - 1) * sum over groups g of (sum_{i in g} (x_i - mean))^2 / N^2

    Args:
        before, after: name of a part -> (N,) and (M,) values, NaN where there was nothing to judge.
        groups: (N,) and (M,) which rollouts are of one prompt; None: each is of its own.

    Example:
        >>> found = drift({"accuracy": np.array([1.0, 0, 0, 1])}, {"accuracy": np.array([1.0, 1, 1, 0])})["accuracy"]
        >>> found.after, found.distance, found.rescued, found.overridden
        (0.75, 0.25, 0.5, 0.25)
    """
    both = [name for name in before if name in after and any(np.isfinite(x[name]).any() for x in (before, after))]
    return {name: _moved(before[name], after[name], groups) for name in both}


def _moved(before: Floats, after: Floats, groups: tuple[Group, Group] | None) -> Moved:
    from scipy.stats import t as student

    group = (np.arange(len(before)), np.arange(len(after))) if groups is None else groups
    kept = [np.isfinite(values) for values in (before, after)]
    a, b = before[kept[0]], after[kept[1]]
    if not len(a) or not len(b):
        return Moved(float("nan"), float("nan"), float("nan"))
    error = float(np.hypot(_error(a, group[0][kept[0]]), _error(b, group[1][kept[1]])))
    gap = float(b.mean() - a.mean())
    freedom = sum(len(np.unique(of[keep])) - 1 for of, keep in zip(group, kept, strict=True))
    p = float("nan")
    if not np.isnan(error):
        p = float(2 * student.sf(abs(gap) / error, freedom)) if error else float(gap == 0)
    rescued = overridden = float("nan")
    if len(before) == len(after) and np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all():
        items = drift_report(before.tolist(), after.tolist()).overall
        rescued, overridden = items.rescued, items.overridden
    return Moved(float(a.mean()), float(b.mean()), error, p, _distance(a, b), rescued, overridden, a, b)


def _error(values: Floats, group: Group) -> float:
    """Standard error of a mean over groups of values that belong together."""
    _, of = np.unique(group, return_inverse=True)
    count = int(of.max()) + 1
    if count < 2:
        return float("nan")
    apart = np.bincount(of, weights=values - values.mean())
    return float(np.sqrt(count / (count - 1) * (apart**2).sum()) / len(values))


def _distance(a: Floats, b: Floats) -> float:
    places = np.unique(np.concatenate([a, b]))
    shares = [np.searchsorted(np.sort(values), places, side="right") / len(values) for values in (a, b)]
    return float(np.abs(shares[0] - shares[1]).max())
