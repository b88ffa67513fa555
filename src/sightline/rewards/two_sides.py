"""A reward whose groups hold the rollouts of two neighbouring rows of the data: a question and its second side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sightline.core.scores import Scores
from sightline.rewards.algebra import Node, Rows
from sightline.rewards.reward import Range, Reward

if TYPE_CHECKING:
    from sightline.rewards.evaluation import Evaluation


@dataclass(frozen=True)
class TwoSides(Node):
    """The same reward; a prompt is two neighbouring rows of the data, and the trainer keeps their rollouts together.

    Example:
        >>> from sightline.core import Batch
        >>> from sightline.rewards import Constant, Switch
        >>> reward = TwoSides(Switch("side", {"reason": Constant(1.0), "checklist": Constant(0.5)}))
        >>> reward.prompts, reward(Batch(["", ""], {"side": ["reason", "checklist"]}, group=[0, 0])).values
        (2, array([1. , 0.5]))
    """

    reward: Reward
    prompts: ClassVar[int] = 2

    def bounds(self) -> Range:
        return self.reward.bounds()

    def children(self) -> tuple[Reward, ...]:
        return (self.reward,)

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        return evaluation.scores(self.reward, rows)
