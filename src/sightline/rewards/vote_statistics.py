"""How a group votes: figures to watch while a policy is rewarded by majorities. None of them should be paid for.

A vote that grows unanimous while nobody knows the answer is a collapse: vote share towards 1 and entropy towards 0 on
both sides, with the majorities agreeing no more often than before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Scores
from sightline.metrics.votes import Answers, answer_entropy, majority, vote_share
from sightline.parse.boxed import FinalBoxed
from sightline.rewards.agreement import in_order, twin_rows
from sightline.rewards.reward import Reward, Scope

Statistic = Callable[[Answers], float]


@dataclass(frozen=True)
class SideStatistic(Reward):
    """A figure of the answers on a rollout's own side of its group, the same for all of them.

    Args:
        statistic: answers -> figure; `vote_share`, `silent_share` or `answer_entropy` of `metrics.votes`.
        find: text -> answer.

    Reads: `side` if it is there; without it a group has one side. Range: that of the statistic.

    Example:
        >>> said, side = [r"\\boxed{4}", r"\\boxed{4}", "?"], ["original", "original", "rephrased"]
        >>> SideStatistic(vote_share)(Batch(said, {"side": side}, group=[0] * 3)).values
        array([1., 1., 0.])
    """

    statistic: Statistic = vote_share
    find: Callable[[str], str | Missing] = FinalBoxed()
    scope: ClassVar[Scope] = "group"
    may_read: ClassVar = ("side",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), twin_rows()

    def bounds(self) -> tuple[float, float]:
        return (0.0, float("inf")) if self.statistic is answer_entropy else (0.0, 1.0)

    def score(self, batch: Batch) -> Scores:
        found = [one if isinstance(one, str) else "" for one in batch.parse(self.find)]
        sides = batch.column("side") if batch.has("side") else [None] * len(batch)
        values = np.zeros(len(batch))
        for group in batch.groups():
            for side in {sides[row] for row in group.tolist()}:
                rows = [row for row in group.tolist() if sides[row] == side]
                values[rows] = self.statistic([found[row] for row in rows])
        return Scores.of(values)


@dataclass(frozen=True)
class SameMajority(Reward):
    """Whether both sides of a group have the same majority, and one at all: 1 or 0 for all of its rollouts.

    Args:
        find: text -> answer.

    Reads: `side`; `order` if it is there: ties go to the lowest. Low: 0 where a side is missing or has no answer.

    Example:
        >>> batch = Batch([r"\\boxed{4}", r"\\boxed{4}"], {"side": ["original", "rephrased"]}, group=[0, 0])
        >>> SameMajority()(batch).values
        array([1., 1.])
    """

    find: Callable[[str], str | Missing] = FinalBoxed()
    scope: ClassVar[Scope] = "group"
    prompts: ClassVar[int] = 2
    reads: ClassVar = ("side",)
    may_read: ClassVar = ("order",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), twin_rows()

    def score(self, batch: Batch) -> Scores:
        found = [one if isinstance(one, str) else "" for one in batch.parse(self.find)]
        sides = batch.column("side")
        values = np.zeros(len(batch))
        for group in in_order(batch):
            answers: dict[Any, list[str]] = {}
            for row in group.tolist():
                answers.setdefault(sides[row], []).append(found[row])
            voted = {majority(side) for side in answers.values()}
            values[group] = float(len(answers) == 2 and len(voted) == 1 and "" not in voted)
        return Scores.of(values)
