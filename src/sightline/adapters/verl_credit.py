"""A credit rule as an advantage estimator of verl.

verl 0.9 gives an estimator the rewards, the mask and the groups of a batch, and nothing else: neither the parts of a
reward nor what was written. So rules that make one advantage per rollout out of scores and groups can be carried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import CompositionError
from sightline.core.scores import ABSTAIN, Scores, Values
from sightline.credit.credit import Credit, declared
from sightline.credit.gates import DynamicSampling
from sightline.credit.group_relative import GroupRelative, LeaveOneOut

NAME = "sightline"
UNSCORED = -0.0  # verl's sums and means take it for nothing, and a rule can still tell it from a reward of 0
FROM_SCORES = (GroupRelative, LeaveOneOut)
WISHES = {
    "places": "the characters of every token",
    "measures": "what is measured of every token",
    "injects": "a demonstration in the place of a rollout",
    "splices": "a text in the place of the answer",
    "follows": "rollouts that are asked about each other",
    "fills": "columns that the policy writes",
}


@dataclass(frozen=True)
class AdvantageEstimator:
    """A credit rule as `register_adv_est` takes it; a value, so that registering it twice is no conflict.

    Args:
        credit: a rule that makes (B,) advantages out of scores and groups.

    Raises:
        CompositionError: the rule needs more than verl gives an estimator.
    """

    credit: Credit

    def __post_init__(self) -> None:
        if reason := not_carried(self.credit):
            raise CompositionError(reason)

    def __call__(
        self, token_level_rewards: Any, response_mask: Any, index: Sequence[Any], config: Any = None, **_: Any
    ) -> tuple[Any, Any]:
        """(B, T) advantages, twice: verl asks for returns too, which only a critic would read."""
        rewards, mask = token_level_rewards.detach().cpu().numpy(), response_mask.cpu().numpy() > 0
        found = token_level_rewards.new_tensor(self.advantages(rewards, mask, index))[:, None] * response_mask
        return found, found.clone()

    def advantages(self, rewards: NDArray[Any], mask: NDArray[np.bool_], index: Sequence[Any]) -> Values:
        """(B,) advantages.

        Args:
            rewards: (B, T) the reward of a rollout at one of its tokens, `UNSCORED` where there is none.
            mask: (B, T) True where the policy wrote; a row without any is padding of verl's.
            index: (B,) verl's ids of the groups.

        Example:
            >>> rewards = np.array([[0.0, 1.0], [0.0, 0.5], [0.0, UNSCORED]])
            >>> AdvantageEstimator(GroupRelative(scale=None)).advantages(rewards, np.ones((3, 2), bool), ["a"] * 3)
            array([ 0.25, -0.25,  0.  ])
        """
        values = np.where(unscored(rewards) | ~mask.any(axis=1), np.nan, rewards.astype(np.float64).sum(axis=1))
        group = np.unique(np.asarray(index, dtype=str), return_inverse=True)[1]
        why = [f"{ABSTAIN}verl has no score" if lost else "" for lost in np.isnan(values)]
        found, _ = self.credit.assign(Scores.of(values, why), Batch([""] * len(values), group=group))
        return np.asarray(found, dtype=np.float64)


def unscored(rewards: NDArray[Any]) -> NDArray[np.bool_]:
    """(B,) which rows of (B, T) rewards hold nothing but zeros and at least one `UNSCORED`.

    Example:
        >>> unscored(np.array([[0.0, UNSCORED], [0.0, 0.0], [0.0, -1.0]]))
        array([ True, False, False])
    """
    signed: NDArray[np.bool_] = (np.signbit(rewards) & (rewards == 0)).any(axis=1) & (rewards == 0).all(axis=1)
    return signed


def not_carried(credit: Credit) -> str:
    """Why verl cannot carry a rule; empty if it can.

    Example:
        >>> not_carried(GroupRelative()), not_carried(DynamicSampling(LeaveOneOut()))
        ('', '')
        >>> from sightline.credit import PerSide
        >>> not_carried(PerSide())
        'PerSide reads more than scores and groups (parts, marks, tokens, columns or its own past), and verl gives an
         advantage estimator nothing else'
    """
    name = type(credit).__name__
    wanted = [what for wish, what in WISHES.items() if any(declared(credit, wish))]
    if wanted:
        return f"{name} needs {' and '.join(wanted)}, and verl gives an advantage estimator scores and groups only"
    if isinstance(credit, DynamicSampling):
        return not_carried(credit.credit)
    if isinstance(credit, FROM_SCORES):
        return ""
    return (
        f"{name} reads more than scores and groups (parts, marks, tokens, columns or its own past), and verl gives an "
        "advantage estimator nothing else"
    )


def register(credit: Credit) -> AdvantageEstimator:
    """Make a rule known to verl as `algorithm.adv_estimator=sightline`, in the process that this is called in.

    Raises:
        CompositionError: see `AdvantageEstimator`.
        MissingExtra: verl is not installed.
    """
    from sightline.adapters.peers import needed

    made = AdvantageEstimator(credit)
    needed("verl.trainer.ppo.core_algos", "verl").register_adv_est(NAME)(made)
    return made
