"""A demonstration as one more rollout of its group: its advantage is high where the policy fails, and fades where not.

Which rollouts are labels is said by the column `injected`; the trainer puts them there (`sightline.train.injection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.scores import Scores, Values
from sightline.credit.credit import Advantages, Tokens, group_mean, group_size
from sightline.credit.group_relative import GroupRelative

INJECTED = "injected"


@dataclass(frozen=True)
class LabelInGroup:
    """Advantages over the rollouts of a prompt and its label together.

    r(y) := mean_j r(o_j) if max_j r(o_j) >= r(y)         (smoothing: the label is switched off)
    A = (r - mean(R)) / (std(R) + eps) over R = {r(y)} and {r(o_j)}

    Where no rollout reaches the label, the update is drawn to the label, as in fine-tuning; else it is plain GRPO.

    Args:
        within: how the whole set is normalised.
        smooth: switch off labels that a rollout reaches; equality is enough.
        injects: the column of label texts, for the trainer; the reward need not read it.

    Without a column `injected`, and in groups without a label, this is `within`. A smoothed label gets exactly 0.

    Example:
        >>> batch = Batch([""] * 5, {"injected": [False] * 4 + [True]}, group=[0] * 5)
        >>> LabelInGroup().assign(Scores.of([0, 0, 0, 0, 6]), batch)[0].round(6)
        array([-0.447213, -0.447213, -0.447213, -0.447213,  1.788854])
        >>> LabelInGroup().assign(Scores.of([7, 5, 3, 1, 6]), batch)[0].round(6)
        array([ 1.34164 ,  0.447213, -0.447213, -1.34164 ,  0.      ])

    References:
        Liu et al., ViSurf, arXiv 2510.10606.
    """

    within: GroupRelative = GroupRelative(eps=1e-6)
    smooth: bool = True
    injects: str = "label"

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        label = labels_of(batch)
        values = np.array(scores.values, dtype=np.float64)
        off = label & reached(values, label, batch.group) if self.smooth else np.zeros(len(values), dtype=bool)
        values = np.where(off, group_mean(np.where(label, np.nan, values), batch.group), values)
        advantages = self.within.advantages(values, batch.group)
        return np.where(off, 0.0, advantages), state


@dataclass(frozen=True)
class LabelApart:
    """Rollouts among themselves, and a fixed advantage for the label: the baselines of `LabelInGroup` in one loop.

    No rule and weight 1 is supervised fine-tuning, a rule and weight 0 reinforcement alone, both the sum of the losses.

    Args:
        rollouts: the rule for what the policy wrote; None gives it nothing.
        weight: the label's advantage.
        injects: the column of label texts, for the trainer.

    Example:
        >>> batch = Batch([""] * 3, {"injected": [False, False, True]}, group=[0] * 3)
        >>> LabelApart(None).assign(Scores.of([1, 0, 6]), batch)[0]
        array([0., 0., 1.])
        >>> LabelApart(weight=0.0).assign(Scores.of([1, 0, 6]), batch)[0].round(3)
        array([ 0.707, -0.707,  0.   ])
    """

    rollouts: GroupRelative | None = GroupRelative(eps=1e-6)
    weight: float = 1.0
    injects: str = "label"

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        label = labels_of(batch)
        own = np.where(label, np.nan, scores.values)
        written = np.zeros(len(own)) if self.rollouts is None else self.rollouts.advantages(own, batch.group)
        return np.where(label, self.weight, written), state


class WithLabel(NamedTuple):
    """Advantages of the rollouts of one prompt, of its label, and the label's reward after smoothing."""

    rollouts: Values
    label: float
    label_reward: float


def advantages_with_label(rollouts: Sequence[float], label: float, eps: float = 1e-6, smooth: bool = True) -> WithLabel:
    """One group by hand: what `LabelInGroup` gives to G rollouts and the label.

    Example:
        >>> advantages_with_label([6, 0], 6)
        WithLabel(rollouts=array([ 0.99999967, -0.99999967]), label=0.0, label_reward=3.0)
    """
    values = np.array([*rollouts, label], dtype=np.float64)
    group, injected = np.zeros(len(values), dtype=np.int64), np.arange(len(values)) == len(rollouts)
    batch = Batch([""] * len(values), {INJECTED: injected.tolist()}, group=group)
    found, _ = LabelInGroup(GroupRelative(eps=eps), smooth).assign(_known(values), batch)
    off = smooth and bool(reached(values, injected, group)[-1])
    mean = float(group_mean(values[:-1], group[:-1])[0]) if len(rollouts) else label
    return WithLabel(found[:-1], float(found[-1]), mean if off else float(label))


def labels_of(batch: Batch) -> NDArray[np.bool_]:
    """(B,) which rollouts are injected labels; none without the column."""
    given = batch.columns.get(INJECTED)
    return np.zeros(len(batch), dtype=bool) if given is None else np.array([bool(one) for one in given], dtype=bool)


def reached(values: Values, label: NDArray[np.bool_], group: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(B,) whether some rollout of the group that is no label earns at least this row's reward."""
    best = np.full(int(group.max(initial=-1)) + 1, -np.inf)
    written = ~label & ~np.isnan(values)
    np.maximum.at(best, group[written], values[written])
    some: NDArray[np.bool_] = group_size(np.where(label, np.nan, values), group) > 0
    return some & (best[group] >= values)


def _known(values: Values) -> Scores:
    return Scores.of(values, ["abstain: null" if np.isnan(v) else "" for v in values])
