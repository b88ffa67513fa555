"""Advantages inside the parts of a group: two phrasings of a question share a group, but not their statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.credit.credit import Advantages, Credit, Tokens
from sightline.credit.group_relative import GroupRelative


@dataclass(frozen=True)
class PerSide:
    """A credit rule on each side of a group for itself.

    Args:
        credit: the rule; it sees (group, side) as groups.
        column: the column that says which side a rollout is on; without it a group has one side.

    Example:
        >>> batch = Batch(["a"] * 4, {"side": ["original", "original", "rephrased", "rephrased"]}, group=[0] * 4)
        >>> PerSide().assign(Scores.of([1, 0, 0, 0]), batch)[0].round(3)
        array([ 0.707, -0.707,  0.   ,  0.   ])
    """

    credit: Credit = GroupRelative(eps=1e-6)
    column: str = "side"

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        if not batch.has(self.column):
            return self.credit.assign(scores, batch, tokens, state)
        sides = list(zip(batch.group.tolist(), batch.column(self.column), strict=True))
        apart = Batch(batch.completions, batch.columns, prompts=batch.prompts, group=sides, step=batch.step)
        return self.credit.assign(scores, apart, tokens, state)
