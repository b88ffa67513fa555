"""REINFORCE with one rollout a prompt: rewards against a moving mean, and a KL weight that follows the drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.credit.credit import Advantages, Tokens


@dataclass(frozen=True)
class MovingBaseline:
    """A rollout's reward minus the exponential moving mean of the rewards before.

    A = r - b;  b <- keep * b + (1 - keep) * mean(r) after the batch

    The state is b. Rewards that are NaN get 0 and do not move b.

    Args:
        keep: share of the old baseline.
        start: b before the first batch.

    Example:
        >>> rule, state = MovingBaseline(), None
        >>> for reward in (0.5, 1.0):
        ...     advantages, state = rule.assign(Scores.of([reward]), Batch([""]), state=state)
        ...     print(advantages, round(state, 6))
        [0.5] 0.05
        [0.95] 0.145

    References:
        Williams, Simple statistical gradient-following algorithms, 1992. Settings: VISE, arXiv 2606.27373.
    """

    keep: float = 0.9
    start: float = 0.0

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        baseline = self.start if state is None else float(state)
        known = ~np.isnan(scores.values)
        advantages = np.where(known, scores.values - baseline, 0.0)
        if known.any():
            baseline = self.keep * baseline + (1 - self.keep) * float(scores.values[known].mean())
        return advantages, baseline


def moving_baselines(rewards: Sequence[float], keep: float = 0.9, start: float = 0.0) -> list[tuple[float, float]]:
    """Advantage of each reward, one after the other, and the baseline behind it.

    Example:
        >>> [(round(a, 6), round(b, 6)) for a, b in moving_baselines([0.5, 1.0])]
        [(0.5, 0.05), (0.95, 0.145)]
    """
    rule, state, found = MovingBaseline(keep, start), None, []
    for reward in rewards:
        advantages, state = rule.assign(Scores.of(np.array([reward])), Batch([""]), state=state)
        found.append((float(advantages[0]), float(state)))
    return found


@dataclass(frozen=True)
class KlWeight:
    """The weight of the KL term, which grows where the policy drifts from its reference and shrinks where it does not.

    weight <- grow * weight if |logp - logp_ref| > bound, else max(least, shrink * weight)

    Args:
        value: the weight of the running step.
        bound: drift per token that is too much, strictly.
        grow, shrink: factors; `shrink` is 1 / 1.1 in the paper, 0.9 in released code.
        least: the weight never falls below it.

    Example:
        >>> weight = KlWeight()
        >>> for drift in (0.0, 0.03):
        ...     weight = weight.after(drift)
        ...     print(round(weight.value, 9))
        0.0009
        0.00099

    References:
        VISE, arXiv 2606.27373.
    """

    value: float = 1e-3
    bound: float = 0.020
    grow: float = 1.1
    shrink: float = 0.9
    least: float = 1e-6

    def after(self, drift: float) -> KlWeight:
        """The weight of the next step, from the mean log-ratio of this one."""
        factor = self.grow if abs(drift) > self.bound else self.shrink
        return replace(self, value=max(self.least, factor * self.value))

    def run(self, drifts: Sequence[float]) -> list[float]:
        """The weights behind each of some steps."""
        weight, found = self, []
        for drift in drifts:
            weight = weight.after(drift)
            found.append(weight.value)
        return found


def reinforce_loss(logp: float, logp_ref: float, advantage: float, weight: float) -> float:
    """-A logp + weight (logp - logp_ref), logp the mean log-probability of the completion's own tokens.

    The log-ratio can be negative, which then pays for drift: where the weight matters, take k3 instead.

    Example:
        >>> round(reinforce_loss(-0.5, -0.6, 0.25, 0.01), 6)
        0.126
    """
    return -advantage * logp + weight * (logp - logp_ref)
