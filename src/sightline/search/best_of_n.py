"""Choosing among candidates by a reward: the best-scored of each group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.metrics.best_of import chosen
from sightline.rewards.reward import Reward


class Choice(NamedTuple):
    """The candidate that was chosen for one prompt: its row in the batch, its score, the rows it was chosen from."""

    row: int
    score: float
    rows: tuple[int, ...]


@dataclass(frozen=True)
class BestOfN:
    """The best candidate of every group by a reward; of equals the first. One that cannot be scored counts -1.

    Args:
        reward: scores candidates.
        n: only the first n of each group count; None: all.

    Example:
        >>> from sightline.rewards.format import Format
        >>> batch = Batch(["no", "<think>a</think><answer>b</answer>", "<answer>c</answer>"], group=[0, 0, 1])
        >>> [(choice.row, choice.score) for choice in BestOfN(Format())(batch)]
        [(1, 1.0), (2, 0.0)]
    """

    reward: Reward
    n: int | None = None

    def __call__(self, batch: Batch) -> list[Choice]:
        """One choice per group, in order of first appearance."""
        return self.among(batch, self.reward(batch))

    def among(self, batch: Batch, scores: Scores) -> list[Choice]:
        """The choices, given the scores."""
        found = []
        for group in batch.groups():
            rows = group[: self.n].tolist()
            values = scores.values[rows].tolist()
            at = chosen(values)
            if at is not None:
                found.append(Choice(rows[at], values[at], tuple(rows)))
        return found
