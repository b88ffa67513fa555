"""Another reward in every stage of training: progressive refinement, and terms that join later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sightline.core.errors import CompositionError
from sightline.core.scores import Scores
from sightline.rewards.algebra import Node, Rows
from sightline.rewards.reward import Range, Reward

if TYPE_CHECKING:
    from sightline.rewards.evaluation import Evaluation


@dataclass(frozen=True)
class Staged(Node):
    """Another reward in every stage of training; the step of the batch chooses, nothing is remembered.

    value = value of the last reward whose start <= step

    A batch without a step (rollouts from a file, an evaluation) is scored as at the end of training.

    Args:
        stages: (start, reward) pairs with rising starts, the first 0. Only the reward of the running stage is
            evaluated, but the columns of all of them are checked at once.
        total: all training steps; starts are then shares of them, 0..1.

    Raises:
        CompositionError: no stage, or starts that do not rise from 0.

    Example:
        >>> from sightline.core import Batch
        >>> from sightline.rewards import Constant
        >>> reward = Staged(((0, Constant(1.0)), (100, Constant(2.0))))
        >>> [float(reward(Batch(["a"], step=step)).values[0]) for step in (0, 99, 100, None)]
        [1.0, 1.0, 2.0, 2.0]
        >>> float(Staged(((0, Constant(1.0)), (1 / 3, Constant(2.0))), total=30)(Batch(["a"], step=10)).values[0])
        2.0

    References:
        Zhan et al., Vision-R1, arXiv 2503.18013, progressive rule refinement.
    """

    stages: tuple[tuple[float, Reward], ...]
    total: int | None = None
    scheduled: ClassVar = True

    def __post_init__(self) -> None:
        starts = [start for start, _ in self.stages]
        if not starts or starts[0] != 0 or sorted(set(starts)) != starts:
            raise CompositionError(f"Staged: stages start at {starts}; starts must rise from 0")

    def bounds(self) -> Range:
        ranges = [child.bounds() for child in self.children()]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    def children(self) -> tuple[Reward, ...]:
        return tuple(reward for _, reward in self.stages)

    def at(self, step: int | None) -> Reward:
        """The reward of the stage that a step belongs to; None: of the last stage."""
        if step is None:
            return self.stages[-1][1]
        scale = 1 if self.total is None else self.total
        # a share such as 1/3 of 30 steps must begin at step 10, whatever the rounding
        return [reward for start, reward in self.stages if step >= start * scale - 1e-9 * scale or start == 0][-1]

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        return evaluation.scores(self.at(evaluation.batch.step), rows)
