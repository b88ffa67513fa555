"""A failure of a judge that counts for the whole group, so that nobody is behind others for an outage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.core.scores import ABSTAIN, ERROR, Scores
from sightline.rewards.algebra import Constant, Node, Rows
from sightline.rewards.reward import Range, Reward

if TYPE_CHECKING:
    from sightline.rewards.evaluation import Evaluation


@dataclass(frozen=True)
class WholeOutage(Node):
    """A reward that is 0 for every rollout of a group in which one could not be judged because the judge failed.

    A rollout with nothing to judge is 0 as well, and does not concern the others.

    Args:
        of: the reward.

    Example:
        >>> from sightline.core.batch import Batch
        >>> WholeOutage(Constant(0.5))(Batch(["a", "b"], group=[0, 0])).values
        array([0.5, 0.5])

    References:
        Perception-R1, arXiv 2506.07218, punishes the rollout that the outage hits; this does not.
    """

    of: Reward
    scope = "group"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(Constant(0.5)), [{"completion": "a", "group": 0}, {"completion": "b", "group": 0}]

    def bounds(self) -> Range:
        low, high = self.of.bounds()
        return min(0.0, low), max(0.0, high)

    def children(self) -> tuple[Reward, ...]:
        return (self.of,)

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        found = evaluation.scores(self.of, evaluation.whole_groups(rows))
        if found is None:
            return None
        group = evaluation.batch.group
        down = np.array([why.startswith(ERROR) for why in found.why], dtype=bool) & np.isnan(found.values)
        hit = np.bincount(group, weights=down)[group] > 0
        unknown = np.isnan(found.values) & ~np.array([why.startswith(ABSTAIN + "not evaluated") for why in found.why])
        values = np.where(hit | unknown, 0.0, found.values)
        why = [
            text if not (out and not failed) else "left out: the judge failed on another rollout of the group"
            for text, out, failed in zip(found.why, hit, down, strict=True)
        ]
        return Scores(values, why, found.marks, found.parts)
