"""Advantages relative to the other rollouts of the same prompt: GRPO, Dr.GRPO, RLOO, GDPO, and batch scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.scores import Scores, Values
from sightline.credit.credit import Advantages, Tokens, group_mean, group_size, group_spread, group_sum


class Scale(Protocol):
    """What centred rewards are divided by: (B,) values and groups -> (B,)."""

    def __call__(self, values: Values, group: NDArray[np.int64]) -> Values: ...


@dataclass(frozen=True)
class GroupStd:
    """Standard deviation of each rollout's group.

    Args:
        ddof: 1 for the sample estimate (GRPO as trainers compute it), 0 for the population.
    """

    ddof: int = 1

    def __call__(self, values: Values, group: NDArray[np.int64]) -> Values:
        centred = values - group_mean(values, group)
        freedom = np.maximum(group_size(values, group) - self.ddof, 1.0)
        return np.sqrt(group_sum(centred**2, group) / freedom)


@dataclass(frozen=True)
class BatchStd:
    """Standard deviation of all raw rewards of the batch, the same for every rollout."""

    ddof: int = 1

    def __call__(self, values: Values, group: NDArray[np.int64]) -> Values:
        known = values[~np.isnan(values)]
        spread = float(np.std(known, ddof=self.ddof)) if len(known) > self.ddof else 0.0
        return np.full(len(values), spread)


@dataclass(frozen=True)
class GroupRelative:
    """How much better a rollout did than the others of its prompt, in standard deviations.

    A_i = (r_i - mean(r)) / (std(r) + eps), mean and std over the scorable rollouts of the group

    Args:
        scale: what the centred reward is divided by; None divides by nothing (Dr.GRPO).
        eps: added to the scale. TRL 1e-4 (default), verl 1e-6, OpenRLHF 1e-9.
        keep_lone: a group of one keeps its raw reward, as verl does; otherwise it gets 0.

    Groups with equal rewards and groups with fewer than two scorable rollouts get 0, and so do NaN rollouts.

    Example:
        >>> batch = Batch(["a"] * 4, group=[0, 0, 0, 0])
        >>> GroupRelative().assign(Scores.of([1, 0, 0.5, 0.5]), batch)[0].round(5)
        array([ 1.22444, -1.22444,  0.     ,  0.     ])

    References:
        Shao et al., DeepSeekMath, arXiv 2402.03300 (GRPO). Liu et al., Understanding R1-Zero-like training,
        arXiv 2503.20783 (Dr.GRPO, scale=None).
    """

    scale: Scale | None = GroupStd()
    eps: float = 1e-4
    keep_lone: bool = False

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        return self.advantages(scores.values, batch.group), state

    def advantages(self, values: Values, group: NDArray[np.int64]) -> Advantages:
        """(B,) advantages of (B,) rewards with (B,) group numbers."""
        centred = values - group_mean(values, group)
        if self.scale is not None:
            centred = centred / (self.scale(values, group) + self.eps)
        # a constant group must be exactly 0, not rounding noise divided by eps
        settled = np.where(group_spread(values, group) > 0, centred, 0.0)
        if self.keep_lone:
            settled = np.where(group_size(values, group) == 1, values, settled)
        return np.where(np.isnan(values), 0.0, settled)


@dataclass(frozen=True)
class LeaveOneOut:
    """A rollout's reward minus the mean reward of the others of its prompt (RLOO).

    A_i = r_i - mean_{j != i} r_j = G / (G - 1) * (r_i - mean(r)), over the G scorable rollouts of the group

    Args:
        keep_lone: a group of one keeps its raw reward, as verl does; otherwise it gets 0.

    Example:
        >>> batch = Batch(["a"] * 4, group=[0, 0, 0, 0])
        >>> LeaveOneOut().assign(Scores.of([1, 0, 0.5, 0.5]), batch)[0].round(5)
        array([ 0.66667, -0.66667,  0.     ,  0.     ])

    References:
        Ahmadian et al., Back to Basics, arXiv 2402.14740.
    """

    keep_lone: bool = False

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        values, group = scores.values, batch.group
        size = group_size(values, group)
        factor = size / np.maximum(size - 1, 1.0)
        plain = GroupRelative(scale=None, keep_lone=self.keep_lone).advantages(values, group)
        return np.where(size > 1, factor * plain, plain), state


@dataclass(frozen=True)
class NormaliseThenSum:
    """Every part is normalised inside its group before the parts are added, so that none drowns another (GDPO).

    A_i = standardise_batch( sum_k w_k * (r_ik - mean_k) / (std_k + eps) )

    Args:
        weights: (part, weight) pairs; None takes every part with weight 1.
        within: how one part is normalised inside its group.
        eps: of the standardisation over the batch, with the sample standard deviation; None leaves it out.

    A part that is NaN for a rollout is neutral there. A rollout whose parts are all NaN gets 0.

    Raises:
        ColumnError: a weighted part is not among the parts of the scores.

    Example:
        >>> parts = {"a": Scores.of([1, 0, 1, 0]), "b": Scores.of([.8, .82, .84, .86])}
        >>> total = Scores(np.array([1.8, .82, 1.84, .86]), [""] * 4, [()] * 4, parts)
        >>> NormaliseThenSum().assign(total, Batch(["x"] * 4, group=[0] * 4))[0].round(4)
        array([-0.2778, -1.1927,  1.1927,  0.2778])

    References:
        Liu et al., GDPO: group reward-decoupled normalization policy optimization, arXiv 2601.05242.
    """

    weights: tuple[tuple[str, float], ...] | None = None
    within: GroupRelative = GroupRelative()
    eps: float | None = 1e-4

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        weights = self.weights or tuple((name, 1.0) for name in scores.parts) or (("", 1.0),)
        columns = [(self._part(scores, name).values, weight) for name, weight in weights]
        known = ~np.all([np.isnan(values) for values, _ in columns], axis=0)
        total = np.sum([w * self.within.advantages(values, batch.group) for values, w in columns], axis=0)
        if self.eps is not None and known.sum() > 1:
            total = (total - total[known].mean()) / (total[known].std(ddof=1) + self.eps)
        return np.where(known, total, 0.0), state

    def _part(self, scores: Scores, name: str) -> Scores:
        if name and name not in scores.parts:
            raise ColumnError(f"NormaliseThenSum weighs part `{name}`; the scores have {sorted(scores.parts)}")
        return scores.parts[name] if name else scores
