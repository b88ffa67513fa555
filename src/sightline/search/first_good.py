"""Look again until it is good enough: the first perception above a bar, else the best of a few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from sightline.core.errors import ConfigError

T = TypeVar("T")


class Look(NamedTuple, Generic[T]):
    """What was accepted: the draw, its place from 0, all scores, and whether the bar was reached."""

    value: T
    place: int
    scores: tuple[float, ...]
    reached: bool


def first_good(scores: Sequence[float], bar: float) -> int:
    """Place of the first score that is at least the bar, else of the best; ties go to the earliest, NaN is the worst.

    Raises:
        ConfigError: there is no score.

    Example:
        >>> [first_good(scores, 0.6) for scores in ([0.4, 0.7, 0.9], [0.4, 0.5, 0.3], [0.6, 0.8], [0.5, 0.5])]
        [1, 1, 0, 0]
    """
    if not len(scores):
        raise ConfigError("first_good needs at least one score")
    known = np.where(np.isnan(scores), -np.inf, np.asarray(scores, dtype=np.float64))
    good = np.flatnonzero(known >= bar)
    return int(good[0]) if len(good) else int(known.argmax())


def bar_at(scores: Sequence[float], quantile: float) -> float:
    """A bar that a share of 1 - `quantile` of earlier scores reaches.

    Raises:
        ConfigError: there is no score, or the quantile is not in [0, 1].

    Example:
        >>> bar_at([0.2, 0.4, 0.6, 0.8, 1.0], 0.5)
        0.6
    """
    known = [score for score in scores if not np.isnan(score)]
    if not known or not 0 <= quantile <= 1:
        raise ConfigError(f"bar_at needs scores and a quantile in [0, 1]; got {len(known)} scores and {quantile}")
    return float(np.quantile(known, quantile))


@dataclass(frozen=True)
class VisualGate(Generic[T]):
    """Draws perceptions one by one and keeps the first good one; nothing is drawn after it.

    Args:
        draw: number of the draw -> a perception.
        score: perception -> how well it shows what is there; NaN where that cannot be told.
        bar: 1.2 for VPR + VSR (0..2) in training, 0.6 for VSR (0..1) at inference.
        most: draws.

    Raises:
        ConfigError: `most` is below 1.

    Example:
        >>> VisualGate(lambda n: "abc"[n], {"a": 0.5, "b": 1.3, "c": 1.9}.get)()
        Look(value='b', place=1, scores=(0.5, 1.3), reached=True)

    References:
        CogFlow, arXiv 2601.01874, visual-gated policy optimisation; it prints no bar, 1.2 and 0.6 are ours.
    """

    draw: Callable[[int], T]
    score: Callable[[T], float]
    bar: float = 1.2
    most: int = 3

    def __post_init__(self) -> None:
        if self.most < 1:
            raise ConfigError(f"VisualGate draws at most {self.most}; it must be at least 1")

    def __call__(self) -> Look[T]:
        draws: list[T] = []
        scores: list[float] = []
        while len(draws) < self.most and not (scores and scores[-1] >= self.bar):
            draws.append(self.draw(len(draws)))
            scores.append(float(self.score(draws[-1])))
        place = first_good(scores, self.bar)
        return Look(draws[place], place, tuple(scores), scores[place] >= self.bar)
