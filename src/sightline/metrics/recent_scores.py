"""Scores seen lately as a scale for new ones: the buffer, and maps that spread scores crowded into a narrow band.

A model's text similarity gives right and wrong answers nearly the same high value. A map sets a score against the
history H of scores of earlier batches. All maps are monotone for one H, so none changes an order inside a batch; they
change how much the score weighs beside other rewards. The buffer is a value: whoever maps passes it in and keeps what
`remembered` returns. Axes: B new scores, N scores of the history.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ConfigError

Floats = NDArray[np.float64]
History = tuple[float, ...]
TIE = 1e-9


class Rescale(Protocol):
    """New scores (B,) and the history (N,) -> scores (B,)."""

    def __call__(self, values: ArrayLike, history: Sequence[float]) -> Floats: ...


def remembered(history: Sequence[float], values: Iterable[float], size: int = 1024) -> History:
    """The history after a batch: `values` behind it in their order, NaN left out, only the last `size` kept.

    Example:
        >>> remembered((0.1, 0.2), [0.3, float("nan"), 0.4], size=3)
        (0.2, 0.3, 0.4)
    """
    if size < 1:
        raise ConfigError(f"a history holds at least 1 score, not {size}")
    return (*history, *(float(value) for value in values if not math.isnan(value)))[-size:]


@dataclass(frozen=True)
class QuantileSigmoid:
    """The logistic function about the median of the history, as steep as its quantiles are close.

    r = 1 / (1 + exp(-k (s - theta))),  theta = median(H),  k = (logit(high) - logit(low)) / delta
    delta = max(Q_high(H) - Q_low(H), floor); for a symmetric H: Q_low -> low, theta -> .5, Q_high -> high

    Quantiles are interpolated between order statistics. A history of fewer than `least` scores leaves s as it is.

    Args:
        low, high: the quantiles; at .1 and .9, k = 2 ln 9 / delta.
        floor: least spread. Set it to the encoder's noise: a history that is all but constant turns noise into reward.
        least: size of the history from which on scores are mapped.

    Example:
        >>> QuantileSigmoid(least=5)([.81, .85, .89, .95, .75], [.80, .82, .84, .86, .88, .90]).round(6)
        array([0.1     , 0.5     , 0.9     , 0.995902, 0.004098])

    References:
        Breaking Reward Collapse (ARMed), arXiv 2508.12957; the constants are ours.
    """

    low: float = 0.1
    high: float = 0.9
    floor: float = 1e-3
    least: int = 64

    def __post_init__(self) -> None:
        if not 0.0 < self.low < self.high < 1.0 or self.floor <= 0.0:
            raise ConfigError(f"QuantileSigmoid needs 0 < low < high < 1 and a floor above 0, not {self}")

    def __call__(self, values: ArrayLike, history: Sequence[float]) -> Floats:
        values = np.asarray(values, dtype=np.float64)
        if len(history) < max(self.least, 1):
            return values
        low, theta, high = np.quantile(np.asarray(history, dtype=np.float64), (self.low, 0.5, self.high))
        steepness = (_logit(self.high) - _logit(self.low)) / max(high - low, self.floor)
        return _logistic(steepness * (values - theta))


@dataclass(frozen=True)
class StandardSigmoid:
    """The logistic function of the score in standard deviations of the history: sigmoid((s - mean H) / std H).

    Args:
        floor: least standard deviation (population).
        least: size of the history from which on scores are mapped.

    Example:
        >>> StandardSigmoid(least=2)([0.5, 0.6], [0.4, 0.6]).round(6)
        array([0.5     , 0.731059])
    """

    floor: float = 1e-3
    least: int = 64

    def __call__(self, values: ArrayLike, history: Sequence[float]) -> Floats:
        values = np.asarray(values, dtype=np.float64)
        if len(history) < max(self.least, 1):
            return values
        known = np.asarray(history, dtype=np.float64)
        return _logistic((values - known.mean()) / max(float(known.std()), self.floor))


@dataclass(frozen=True)
class RankAmong:
    """Share of the history below the score, ties (within 1e-9) half: the empirical distribution function.

    Args:
        least: size of the history from which on scores are mapped.

    Example:
        >>> RankAmong(least=2)([0.1, 0.2, 0.9], [0.2, 0.2, 0.4, 0.6])
        array([0.  , 0.25, 1.  ])
    """

    least: int = 64

    def __call__(self, values: ArrayLike, history: Sequence[float]) -> Floats:
        values = np.asarray(values, dtype=np.float64)
        if len(history) < max(self.least, 1):
            return values
        known = np.sort(np.asarray(history, dtype=np.float64))
        below = np.searchsorted(known, values - TIE, side="left")
        up_to = np.searchsorted(known, values + TIE, side="right")
        return np.where(np.isnan(values), np.nan, (below + up_to) / (2.0 * len(known)))


def unchanged(values: ArrayLike, history: Sequence[float]) -> Floats:
    """The score as it is, whatever came before."""
    return np.asarray(values, dtype=np.float64)


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))


def _logistic(x: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, small) / (1.0 + small))
