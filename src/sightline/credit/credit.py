"""Scores -> advantages: what a credit rule is, and the group statistics they share.

Advantages are (B,) for a whole completion or (B, T) per token. NaN scores are left out of every statistic and get
advantage 0. Axes: B rollouts, T tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.scores import Scores, Values

Advantages = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tokens:
    """What a credit rule may know about the tokens of a batch.

    Args:
        mask: (B, T) True where a token was written by the policy.
        logp: (B, T) log-probabilities under the policy that sampled, or None.
    """

    mask: NDArray[np.bool_]
    logp: NDArray[np.float64] | None = None


@runtime_checkable
class Credit(Protocol):
    """A rule that turns scores into advantages; `state` carries what it remembers between batches (None at first)."""

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]: ...


def group_sum(values: Values, group: NDArray[np.int64]) -> Values:
    """(B,) the sum of each rollout's group, NaN left out."""
    known = np.where(np.isnan(values), 0.0, values)
    total: Values = np.bincount(group, weights=known).astype(np.float64)[group]
    return total


def group_size(values: Values, group: NDArray[np.int64]) -> Values:
    """(B,) how many rollouts of each rollout's group can be scored.

    Example:
        >>> group_size(np.array([1.0, np.nan, 2.0]), np.array([0, 0, 1]))
        array([1., 1., 1.])
    """
    return group_sum(np.where(np.isnan(values), np.nan, 1.0), group)


def group_mean(values: Values, group: NDArray[np.int64]) -> Values:
    """(B,) the mean of each rollout's group, NaN left out; 0 for a group without a scorable rollout."""
    return group_sum(values, group) / np.maximum(group_size(values, group), 1.0)


def group_spread(values: Values, group: NDArray[np.int64]) -> Values:
    """(B,) largest minus smallest value of each rollout's group; 0 if nothing can be scored."""
    size = int(group.max()) + 1 if len(group) else 0
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    known = ~np.isnan(values)
    np.minimum.at(low, group[known], values[known])
    np.maximum.at(high, group[known], values[known])
    spread: Values = np.where(np.isfinite(low), high - low, 0.0)[group]
    return spread
