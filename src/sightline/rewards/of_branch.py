"""What the other rollouts of a prompt earned, those of one branch: how a prompt was seen, told to its reasoning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.marks import NoMarks
from sightline.core.scores import ABSTAIN, Scores, Values
from sightline.rewards.algebra import Node, Rows
from sightline.rewards.reward import Range, Reward

if TYPE_CHECKING:
    from sightline.rewards.evaluation import Evaluation


@dataclass(frozen=True)
class OfBranch(Node):
    """The mean of a reward over the rollouts of the prompt that are of one branch.

    value = mean over i of r_i, i of the group and the branch; with pairs: the r_i of the same pair number

    Args:
        of: the reward, evaluated on that branch only.
        branch: which.
        column: says which branch a rollout is of.
        pair: a column of numbers, if there is one; a rollout that has one looks at those of its number only.

    Reads: `column`; `pair` if it is there. Range: that of the reward. Not applicable: no rollout of the branch, or of
    the pair, that can be scored.

    Example:
        >>> from sightline.rewards.format import Format
        >>> batch = Batch(["", "<think></think><answer></answer>", ""], {"side": ["r", "p", "p"]}, group=[0, 0, 0])
        >>> OfBranch(Format(), "p")(batch).values
        array([0.5, 0.5, 0.5])
    """

    of: Reward
    branch: str
    column: str = "side"
    pair: str | None = "pair"
    scope = "group"

    def bounds(self) -> Range:
        return self.of.bounds()

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def uses(self) -> tuple[str, ...]:
        return () if self.pair is None else (self.pair,)

    def children(self) -> tuple[Reward, ...]:
        return (self.of,)

    def check(self, batch: Batch) -> None:
        Reward.check(self, batch)
        mine = self._mine(batch)
        if mine.any():
            self.of.check(batch if mine.all() else batch.take(np.flatnonzero(mine)))

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        batch = evaluation.batch
        mine = self._mine(batch) & evaluation.whole_groups(rows)
        found = evaluation.scores(self.of, mine)
        if found is None:
            return None
        values = _mean_of(np.where(mine, found.values, np.nan), self._groups(batch))
        nobody = f"{ABSTAIN}no rollout of `{self.branch}` to go by"
        why = [nobody if np.isnan(value) else "" for value in values.tolist()]
        return Scores(values, why, NoMarks(len(values)), {})

    def _mine(self, batch: Batch) -> NDArray[np.bool_]:
        return np.array([value == self.branch for value in batch.column(self.column, type(self).__name__)], dtype=bool)

    def _groups(self, batch: Batch) -> NDArray[np.int64]:
        """The prompt, or the pair inside the prompt."""
        paired = self.pair is not None and batch.has(self.pair)
        pairs = batch.column(str(self.pair)) if paired else [None] * len(batch)
        seen: dict[tuple[int, object], int] = {}
        keys = zip(batch.group.tolist(), pairs, strict=True)
        return np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)


@dataclass(frozen=True)
class Within:
    """1 for values in [low, high], else 0; NaN stays NaN.

    Example:
        >>> Within(0, 0)(np.array([0.0, 0.5, np.nan]))
        array([ 1.,  0., nan])
    """

    low: float
    high: float

    def __call__(self, values: Values) -> Values:
        inside = ((values >= self.low) & (values <= self.high)).astype(np.float64)
        return np.where(np.isnan(values), np.nan, inside)


def _mean_of(values: Values, group: NDArray[np.int64]) -> Values:
    known = ~np.isnan(values)
    size = int(group.max()) + 1 if len(group) else 0
    total = np.bincount(group, weights=np.where(known, values, 0.0), minlength=size)
    count = np.bincount(group, weights=known, minlength=size)
    mean: Values = np.where(count > 0, total / np.maximum(count, 1), np.nan)[group]
    return mean
