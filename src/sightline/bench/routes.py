"""Scores of planned routes against the plans of a map service, and accuracy weighted by difficulty.

Segments and plans arrive parsed; names are compared in one spelling.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sightline.core.errors import ColumnError
from sightline.parse.stations import station_key

MAP_WEIGHTS: Mapping[str, float] = {"easy": 1.0, "middle": 1.5, "hard": 2.0}


@dataclass(frozen=True)
class Leg:
    """A segment with its via stops.

    Args:
        line, departure, arrival: names.
        via: names of the stops in between.
        count: how many there are, if only that was said; None: as many as `via`.
    """

    line: str
    departure: str
    arrival: str
    via: tuple[str, ...] = ()
    count: int | None = None

    @property
    def stops(self) -> int:
        return len(self.via) if self.count is None else self.count


def short_score(said: Sequence[Leg], plans: Sequence[Sequence[Leg]], right: bool) -> float:
    """Map score of a short answer: the best over the reference plans, and 10 more if the route is right.

    0 for a plan whose end points differ; else 1, and for each pair of segments at equal position 2 for the line, 1 for
    the departure, 1 for the arrival; at most 10.

    Args:
        said: the segments of the answer.
        plans: reference plans.
        right: whether the route is right (`rewards.routes.RightRoute`).

    Returns: range 0..20.

    Example:
        >>> plan = [Leg("Line 1", "Alpha", "Gamma"), Leg("Line 2", "Gamma", "Zeta")]
        >>> short_score(plan, [plan], right=True), short_score(plan[:1], [plan], right=False)
        (19.0, 0.0)

    References:
        The scorer of ReasonMap. Departs: lines are compared with the plan's everywhere, and arrivals stay arrivals.
    """
    return max((_base(said, plan) for plan in plans), default=0.0) + (10.0 if right else 0.0)


def count_score(said: Sequence[Leg], plans: Sequence[Sequence[Leg]], right: bool) -> float:
    """Map score of a long answer that tells the number of via stops of each segment.

    For the best plan: the short score, and for each segment 4 if the number is right, else
    max(0, 4 - 4 * error / number), 0 if there is none; these at most 10, all at most 20; and 20 more if the route is
    right.

    Example:
        >>> plan = [Leg("Line 1", "Alpha", "Gamma", count=3)]
        >>> count_score([Leg("Line 1", "Alpha", "Gamma", count=2)], [plan], right=True)
        27.666666666666668
    """
    return max((_long(said, plan, _counts(said, plan)) for plan in plans), default=0.0) + (20.0 if right else 0.0)


def list_score(said: Sequence[Leg], plans: Sequence[Sequence[Leg]], right: bool) -> float:
    """Map score of a long answer that lists the via stops of each segment.

    For the best plan: the short score, and (10 * IoU + min(10, hits)) / 2; all at most 20; and 20 more if the route is
    right. Hits are via stops that the reference segment has; IoU pools intersection and union over the segments whose
    line agrees.

    Example:
        >>> plan = [Leg("Line 1", "Alpha", "Delta", via=("Beta", "Gamma"))]
        >>> list_score([Leg("Line 1", "Alpha", "Delta", via=("Beta",))], [plan], right=True)
        28.0
    """
    return max((_long(said, plan, _lists(said, plan)) for plan in plans), default=0.0) + (20.0 if right else 0.0)


def weighted_accuracy(right: Sequence[float], maps: Sequence[str], weights: Mapping[str, float] = MAP_WEIGHTS) -> float:
    """Accuracy in which harder maps count more: sum(a w) / sum(w).

    Args:
        right: 1 or 0 for each question.
        maps: difficulty of each question's map.

    Returns: range 0..1; NaN without questions.

    Raises:
        ColumnError: a difficulty has no weight.

    Example:
        >>> weighted_accuracy([1, 0], ["hard", "easy"])
        0.6666666666666666
    """
    if unknown := sorted(set(maps) - set(weights)):
        raise ColumnError(f"weighted_accuracy: no weight for {unknown}; there are {sorted(weights)}")
    weight = np.array([weights[one] for one in maps], dtype=np.float64)
    return float(np.dot(right, weight) / weight.sum()) if len(weight) else float("nan")


def _same(a: str, b: str) -> bool:
    return station_key(a) == station_key(b)


def _ends_agree(said: Sequence[Leg], plan: Sequence[Leg]) -> bool:
    if not said or not plan:
        return False
    return _same(said[0].departure, plan[0].departure) and _same(said[-1].arrival, plan[-1].arrival)


def _base(said: Sequence[Leg], plan: Sequence[Leg]) -> float:
    if not _ends_agree(said, plan):
        return 0.0
    points = 1
    for mine, gold in zip(said, plan, strict=False):
        points += 2 * _same(mine.line, gold.line)
        points += _same(mine.departure, gold.departure) + _same(mine.arrival, gold.arrival)
    return float(min(points, 10))


def _long(said: Sequence[Leg], plan: Sequence[Leg], via: float) -> float:
    return min(_base(said, plan) + via, 20.0) if _ends_agree(said, plan) else 0.0


def _counts(said: Sequence[Leg], plan: Sequence[Leg]) -> float:
    return min(10.0, sum(_count(mine.stops, gold.stops) for mine, gold in zip(said, plan, strict=False)))


def _count(said: int, gold: int) -> float:
    return max(0.0, 4.0 - 4.0 * abs(said - gold) / gold) if gold else 0.0


def _lists(said: Sequence[Leg], plan: Sequence[Leg]) -> float:
    hits = shared = united = 0
    for mine, gold in zip(said, plan, strict=False):
        a, b = _keys(mine.via), _keys(gold.via)
        hits += len(a & b)
        if _same(mine.line, gold.line):
            shared, united = shared + len(a & b), united + len(a | b)
    return (10.0 * (shared / united if united else 0.0) + min(10, hits)) / 2


def _keys(names: Collection[str]) -> set[str]:
    return {station_key(name) for name in names}
