"""Scores of a solution's steps turned into step rewards that more steps cannot add up.

One solution is (K,) scores in [0, 1], in the order of its steps. Knows neither texts nor tokens.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ConfigError

Floats = NDArray[np.float64]
StepScores: TypeAlias = "Sequence[float | None] | Floats"
Change: TypeAlias = Callable[[ArrayLike], Floats]


def unchanged(steps: ArrayLike) -> Floats:
    """Every step earns its own score: a trajectory earns more the more steps it has.

    Example:
        >>> unchanged([0.9, 0.4])
        array([0.9, 0.4])
    """
    return np.asarray(steps, dtype=np.float64).reshape(-1)


def averaged(steps: ArrayLike) -> Floats:
    """r_k / K: the sum is the mean score.

    Example:
        >>> averaged([0.9, 0.4]), averaged([])
        (array([0.45, 0.2 ]), array([], dtype=float64))
    """
    array = unchanged(steps)
    return array / float(max(len(array), 1))


def differences(steps: ArrayLike) -> Floats:
    """What a step scores above the next one (Delta): r_k - r_{k+1}; r_{K-1} for the last but one; 0 for the last.

    The sum from step k on is r_k for k < K and 0 for k = K: it does not grow with the number of steps.

    Example:
        >>> differences([0.9, 0.4, 0.7, 0.8]).round(9), differences([0.9])
        (array([ 0.5, -0.3,  0.7,  0. ]), array([0.]))
    """
    array = unchanged(steps).copy()
    array[-1:] = 0.0
    following: Floats = np.append(array[1:], 0.0)[: len(array)]
    return array - following


def clipped(steps: ArrayLike, eta: float) -> Floats:
    """min(r_k - eta, 0): only steps below the threshold count, as a penalty (Clip).

    Example:
        >>> clipped([0.9, 0.4, 0.7, 0.8], 0.5).round(9)
        array([ 0. , -0.1,  0. ,  0. ])
    """
    return np.minimum(unchanged(steps) - eta, 0.0)


def repaired(scores: StepScores, eta: float = 0.0) -> Floats:
    """Scores of one solution without gaps: brought into [0, 1] with a warning, then missing ones filled.

    Args:
        scores: (K,); None or NaN where a score is missing: it takes the one before it, filled or not.
        eta: what a missing first score takes.

    Example:
        >>> repaired([None, 0.9, None, 0.2], eta=0.5)
        array([0.5, 0.9, 0.9, 0.2])
    """
    array = bounded(scores)
    known = np.where(np.isnan(array), -1, np.arange(len(array)))
    last = np.maximum.accumulate(known) if len(array) else known
    return np.where(last >= 0, array[last], eta)


def bounded(scores: StepScores) -> Floats:
    """(K,) scores brought into [0, 1], NaN where one is missing. Warns if one lay outside."""
    array = np.array([np.nan if score is None else score for score in scores], dtype=np.float64)
    inside: Floats = np.clip(array, 0.0, 1.0)
    if bool(np.any(inside != array, where=~np.isnan(array))):
        warnings.warn("step scores outside [0, 1] are brought to the nearer end", RuntimeWarning, stacklevel=3)
    return inside


@dataclass(frozen=True)
class BatchMean:
    """The mean score of all steps of the batch, every step counted once and missing ones left out; 0 without any.

    Example:
        >>> BatchMean()([[0.2, 0.4], [None, 0.9]])[0]
        0.5
    """

    def __call__(self, several: Sequence[StepScores], state: float | None = None) -> tuple[float, float | None]:
        """The threshold, and what is remembered."""
        return _mean(several, 0.0), state


@dataclass(frozen=True)
class RunningMean:
    """An exponential mean of the batches' mean scores; the first batch sets it.

    m = decay * m + (1 - decay) * mean(batch)

    Args:
        decay: in [0, 1).

    Raises:
        ConfigError: it is not.
    """

    decay: float = 0.99

    def __post_init__(self) -> None:
        if not 0 <= self.decay < 1:
            raise ConfigError(f"RunningMean: decay {self.decay} is not in [0, 1)")

    def __call__(self, several: Sequence[StepScores], state: float | None = None) -> tuple[float, float | None]:
        """The threshold, and what is remembered: the same number. A batch without scores leaves it as it was."""
        now = _mean(several, float("nan"))
        if np.isnan(now):
            return (0.0 if state is None else state), state
        mean = now if state is None else self.decay * state + (1 - self.decay) * now
        return mean, mean


def _mean(several: Sequence[StepScores], otherwise: float) -> float:
    pooled = np.concatenate([bounded(scores) for scores in several]) if several else np.zeros(0)
    known = pooled[~np.isnan(pooled)]
    return float(known.mean()) if len(known) else otherwise


Threshold: TypeAlias = float | BatchMean | RunningMean


@dataclass(frozen=True)
class StepShaping:
    """What is done with step scores before they are paid: first clipped at a threshold, then changed.

    The order is fixed: clipping differences would leave a step without a lower bound.

    Args:
        clip: the threshold eta, a number or how it follows from the batch; None: not clipped.
        change: (K,) -> (K,) `unchanged`, `averaged` or `differences`.

    Example:
        >>> scores = [[0.2, 0.95, 0.6, 0.6, 0.1]]
        >>> shaped, eta, _ = StepShaping(BatchMean(), differences).of_batch(scores)
        >>> round(eta, 9), shaped[0].round(9) + 0.0
        (0.49, array([-0.29,  0.  ,  0.  ,  0.  ,  0.  ]))

    References:
        Gao et al., On designing effective RL reward at training time for LLM reasoning, arXiv 2410.15115.
    """

    clip: Threshold | None = None
    change: Change = unchanged

    def of_batch(
        self, several: Sequence[StepScores], state: float | None = None
    ) -> tuple[list[Floats], float, float | None]:
        """Step rewards of every solution, the threshold that was used (0 if none is), and what is remembered."""
        eta, state = self._eta(several, state)
        return [self._shaped(scores, eta) for scores in several], eta, state

    def __call__(self, scores: StepScores) -> Floats:
        """Step rewards of one solution.

        Raises:
            ConfigError: the threshold follows from a batch.
        """
        if isinstance(self.clip, (BatchMean, RunningMean)):
            raise ConfigError(f"{self.clip} needs a batch: use `of_batch`, or a number as threshold")
        return self._shaped(scores, self.clip or 0.0)

    def _eta(self, several: Sequence[StepScores], state: float | None) -> tuple[float, float | None]:
        if isinstance(self.clip, (BatchMean, RunningMean)):
            return self.clip(several, state)
        return self.clip or 0.0, state

    def _shaped(self, scores: StepScores, eta: float) -> Floats:
        whole = repaired(scores, eta)
        return self.change(whole if self.clip is None else clipped(whole, eta))
