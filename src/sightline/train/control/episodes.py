"""What a policy does in whole episodes, by the truth and by what its frames show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sightline.metrics.reward_distance import RewardDistance, epic_distance, success_rate
from sightline.train.control.goals import GoalFrames, shown

Policy: TypeAlias = "Callable[[NDArray[Any]], Any]"


@dataclass(frozen=True)
class Episodes:
    """Figures of E episodes.

    Args:
        true_returns: (E,) sum of the environment's own reward.
        goal_returns: (E,) sum of the frame rewards; NaN if none was asked for.
        percents: (E,) percent of steps in the goal state, by `info["success"]`; NaN where the environment tells none.
    """

    true_returns: NDArray[np.float64]
    goal_returns: NDArray[np.float64]
    percents: NDArray[np.float64]

    def success_rate(self, least: float = 50.0) -> float:
        """Share of episodes with the goal state in at least `least` percent of the steps."""
        return success_rate(self.percents, least)


def play(
    policy: Policy, environment: Any, goal: GoalFrames | None = None, episodes: int = 10, seed: int = 0
) -> Episodes:
    """Episodes of a policy, each reset with a seed of its own: `seed`, `seed` + 1, ...

    Args:
        policy: observation -> action.
        environment: renders if `goal` is given.
        goal: also score the frames, those of an episode together.
    """
    true, paid, percents = [], [], []
    for number in range(episodes):
        rewards, frames, reached = _episode(policy, environment, goal is not None, seed + number)
        true.append(sum(rewards))
        paid.append(float(goal(frames).sum()) if goal is not None else float("nan"))
        percents.append(100.0 * float(np.mean(reached)) if reached else float("nan"))
    return Episodes(np.array(true), np.array(paid), np.array(percents))


def _episode(policy: Policy, environment: Any, filmed: bool, seed: int) -> tuple[list[float], list[Any], list[bool]]:
    seen, _ = environment.reset(seed=seed)
    rewards: list[float] = []
    frames: list[Any] = []
    reached: list[bool] = []
    over = False
    while not over:
        seen, reward, ended, cut, info = environment.step(policy(seen))
        over = ended or cut
        rewards.append(float(reward))
        if filmed:
            frames.append(shown(environment))
        if "success" in info:
            reached.append(bool(info["success"]))
    return rewards, frames, reached


def hopeful(goal: GoalFrames, frames: Any, in_goal: Any) -> RewardDistance:
    """How well the frame reward tells goal states from others, before anything is trained.

    Args:
        frames: N pictures.
        in_goal: (N,) whether each shows the goal.
    """
    return epic_distance(goal(frames), in_goal)
