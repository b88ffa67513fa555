"""From the scores of a solution's steps to one number in [0, 1], and the gate of unreliable premises.

Scores s are (n,): -1 for a wrong step, 1 for a right one, between 0 and 1 for a right one that rests on a premise of
doubtful reliability. An empty solution is worth 0. Indices count from 1 in the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ConfigError

Floats = NDArray[np.float64]
Aggregate = Callable[[ArrayLike], float]
Gate = Callable[[float, float], float]
PASSES = 0.5


def mean_correctness(scores: ArrayLike) -> float:
    """mean (s_i + 1) / 2.

    Example:
        >>> round(mean_correctness([0.3, -1, 1, 0.3]), 6), mean_correctness([])
        (0.575, 0.0)
    """
    s = _steps(scores)
    return float((s + 1).mean() / 2) if len(s) else 0.0


def exact_correctness(scores: ArrayLike) -> float:
    """#(s_i = 1) / n: a gated step counts as wrong."""
    s = _steps(scores)
    return float((s == 1).mean()) if len(s) else 0.0


def weighted_correctness(scores: ArrayLike) -> float:
    """(sum i s_i + W) / 2W, W = n(n + 1)/2: later steps weigh more.

    Example:
        >>> weighted_correctness([1, -1, 1, 1])
        0.8
    """
    s = _steps(scores)
    weights = np.arange(1, len(s) + 1)
    total = float(weights.sum())
    return (float(weights @ s) + total) / (2 * total) if len(s) else 0.0


def exact_streak(scores: ArrayLike) -> float:
    """(sum over the walk + n) / (W + n): the k-th right step in a row adds k, any other takes 1.

    Example:
        >>> exact_streak([1, -1, 1, 1])
        0.5
    """
    run, total, n = 0, 0, 0
    for right in (_steps(scores) == 1).tolist():
        run, n = (run + 1 if right else 0), n + 1
        total += run if right else -1
    return (total + n) / (n * (n + 1) / 2 + n) if n else 0.0


def exact_geometric(scores: ArrayLike) -> float:
    """Geometric mean of 1 for s_i = 1 and 0.1 for all else.

    Example:
        >>> round(exact_geometric([1, -1, 1, 1]), 6)
        0.562341
    """
    s = _steps(scores)
    return float(0.1 ** float((s != 1).mean())) if len(s) else 0.0


def exact_first_error(scores: ArrayLike) -> float:
    """(index of the first -1, from 0) / n; 1 if there is none.

    Example:
        >>> exact_first_error([1, 1, 1, -1]), exact_first_error([1, 1])
        (0.75, 1.0)
    """
    s = _steps(scores)
    wrong = np.flatnonzero(s == -1)
    return float(wrong[0] / len(s)) if len(wrong) else float(len(s) > 0)


def streak(scores: ArrayLike) -> float:
    """`exact_streak` where a score of 0.5 or more is 1 and any other -1."""
    return exact_streak(passed(scores))


def geometric(scores: ArrayLike) -> float:
    """`exact_geometric` where a score of 0.5 or more is 1 and any other -1."""
    return exact_geometric(passed(scores))


def first_error(scores: ArrayLike) -> float:
    """`exact_first_error` where a score of 0.5 or more is 1 and any other -1."""
    return exact_first_error(passed(scores))


def passed(scores: ArrayLike) -> Floats:
    """1 where a score is 0.5 or more, else -1.

    Example:
        >>> passed([0.3, -1, 1, 0.5]).tolist()
        [-1.0, -1.0, 1.0, 1.0]
    """
    return np.where(_steps(scores) >= PASSES, 1.0, -1.0)


def scaled(score: float, p: float) -> float:
    """s p for a score in [0, 1]."""
    return score * p


def kept_if_wrong(score: float, p: float) -> float:
    """s p, but -1 stays -1: a wrong step is wrong whatever it saw.

    Example:
        >>> kept_if_wrong(1, 0.3), kept_if_wrong(-1, 0.3)
        (0.3, -1)
    """
    return score if score == -1 else score * p


@dataclass(frozen=True, slots=True)
class SoftGate:
    """s sigmoid((p - tau) / T), but -1 stays -1.

    Raises:
        ConfigError: T is not above 0.

    Example:
        >>> SoftGate()(1.0, 0.5), SoftGate()(-1.0, 0.5)
        (0.5, -1.0)
    """

    tau: float = 0.5
    temperature: float = 0.1

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ConfigError(f"SoftGate: the temperature is {self.temperature}; it must be above 0")

    def __call__(self, score: float, p: float) -> float:
        return kept_if_wrong(score, 0.5 + 0.5 * math.tanh((p - self.tau) / (2 * self.temperature)))


def gated(scores: ArrayLike, p: float | None, visual: Collection[int], gate: Gate = kept_if_wrong) -> list[float]:
    """Scores after the gate.

    Args:
        scores: (n,) raw scores.
        p: reliability of the premises in [0, 1]; None: not known, nothing is gated.
        visual: indices, from 0, of the steps that rest on a premise; those outside 0..n-1 are ignored.
        gate: (score, p) -> score.

    Example:
        >>> gated([1, -1, 1, 1], 0.3, {0, 1, 3, 9})
        [0.3, -1.0, 1.0, 0.3]
    """
    raw: list[float] = _steps(scores).tolist()
    if p is None:
        return raw
    return [gate(score, p) if index in visual else score for index, score in enumerate(raw)]


def _steps(scores: ArrayLike) -> Floats:
    return np.asarray(scores, dtype=np.float64).reshape(-1)
