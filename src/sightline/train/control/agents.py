"""Agents of stable-baselines3 that are paid for frames: whole episodes are scored in one batch, then they learn.

Frames wait in the replay buffer until the encoder has seen them, and are dropped then. No gradient step sees a reward
that has not been paid: it would be NaN.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from stable_baselines3 import DQN, SAC
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback

from sightline.core.errors import CompositionError, ConfigError, did_you_mean
from sightline.train.control.episodes import Episodes, play
from sightline.train.control.goals import GoalFrames
from sightline.train.recipe import translate


class GoalReplay(ReplayBuffer):
    """A replay buffer that keeps frames until they are paid for.

    Axes: T steps, E environments.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places: list[int] = []
        self.frames_TE: list[list[NDArray[np.uint8]]] = []

    def add(self, obs: Any, next_obs: Any, action: Any, reward: Any, done: Any, infos: list[dict[str, Any]]) -> None:
        if any("frame" not in info for info in infos):
            raise CompositionError("GoalReplay needs frames: wrap the environment in Filmed")
        self.places.append(self.pos)
        self.frames_TE.append([info["frame"] for info in infos])
        super().add(obs, next_obs, action, reward, done, infos)

    def pay(self, goal: GoalFrames) -> NDArray[np.float64]:
        """Score all waiting frames in one batch, write their rewards where their steps lie, and drop them.

        The ring may have come round meanwhile: each step remembers its place, and later steps overwrite earlier ones.

        Returns: (T, E) rewards.
        """
        steps, environments = len(self.places), self.n_envs
        rewards_TE = goal([frame for frames in self.frames_TE for frame in frames]).reshape(steps, environments)
        for place, rewards_E in zip(self.places, rewards_TE, strict=True):
            self.rewards[place] = rewards_E
        self.places, self.frames_TE = [], []
        return rewards_TE


class PaidForFrames:
    """What DQN and SAC share: after steps are collected, and before anything is learnt, frames are paid for.

    Logs `goal/reward_mean`, `goal/reward_spread` (largest minus smallest of the batch: one that is small beside the
    mean calls for an affine change) and `goal/return` (mean over the last 100 episodes).
    """

    goal: GoalFrames | None = None
    running: NDArray[np.float64] | float = 0.0
    goal_returns: deque[float]

    def paid_by(self, goal: GoalFrames) -> None:
        self.goal, self.running, self.goal_returns = goal, 0.0, deque(maxlen=100)

    def collect_rollouts(self, *args: Any, **kwargs: Any) -> Any:
        rollout = super().collect_rollouts(*args, **kwargs)  # type: ignore[misc]
        replay: Any = self.replay_buffer  # type: ignore[attr-defined]
        if self.goal is not None and replay.places:
            ends_TE = np.array([replay.dones[place] for place in replay.places], dtype=bool)
            self._note(replay.pay(self.goal), ends_TE)
        return rollout

    def _note(self, rewards_TE: NDArray[np.float64], ends_TE: NDArray[np.bool_]) -> None:
        for rewards_E, ends_E in zip(rewards_TE, ends_TE, strict=True):
            sums_E = self.running + rewards_E
            self.goal_returns.extend(sums_E[ends_E].tolist())
            self.running = np.where(ends_E, 0.0, sums_E)
        log: Any = self.logger  # type: ignore[attr-defined]
        log.record("goal/reward_mean", float(rewards_TE.mean()))
        log.record("goal/reward_spread", float(np.ptp(rewards_TE)))
        if self.goal_returns:
            log.record("goal/return", float(np.mean(self.goal_returns)))

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "goal"]  # type: ignore[misc]


class GoalDQN(PaidForFrames, DQN):
    """Deep Q-learning, paid for frames."""


class GoalSAC(PaidForFrames, SAC):
    """Soft actor-critic, paid for frames."""


PAID = {"dqn": GoalDQN, "sac": GoalSAC}
PLAIN = {"dqn": DQN, "sac": SAC}


def agent(
    method: Literal["dqn", "sac"],
    environment: Any,
    goal: GoalFrames | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
    device: str = "auto",
    **arguments: Any,
) -> Any:
    """An agent that reads the simulator's state and is paid for frames, or without `goal` by the environment.

    Args:
        method: `dqn` (few actions) or `sac` (continuous actions).
        environment: a gymnasium environment or a vector of them; with `goal` wrapped in `Filmed`.
        goal: frames to rewards.
        settings: a recipe stage's settings under plain names; those of the environment are left to the caller.
        arguments: of the agent in stable-baselines3, over the settings.

    Raises:
        ConfigError: no such method, or an unknown setting.
    """
    if method not in PAID:
        raise ConfigError(f"there is no agent `{method}`; there are {sorted(PAID)}.{did_you_mean(method, PAID)}")
    taken = {**translate(settings or {}, method).sb3, **arguments}
    if goal is None:
        return PLAIN[method]("MlpPolicy", environment, seed=seed, device=device, **taken)
    made = PAID[method]("MlpPolicy", environment, seed=seed, device=device, replay_buffer_class=GoalReplay, **taken)
    made.paid_by(goal)
    return made


@dataclass
class Best:
    """The checkpoint with the highest mean episode return.

    Args:
        model: the agent with that checkpoint's weights.
        step: environment steps at which it was taken.
        history: per checkpoint (step, episodes).
    """

    model: Any
    step: int
    history: list[tuple[int, Episodes]] = field(default_factory=list)

    def act(self, seen: Any) -> Any:
        """The best action for an observation."""
        return self.model.predict(seen, deterministic=True)[0]


def learn(
    model: Any,
    environment: Any,
    goal: GoalFrames | None = None,
    steps: int = 100_000,
    checkpoints: int = 5,
    episodes: int = 5,
    seed: int = 10_000,
) -> Best:
    """Train an agent and keep the checkpoint with the highest mean episode return, by frames if it is paid for frames.

    Args:
        environment: another one than the agent's, to play checkpoints in.
        goal: what the agent is paid by; None: the environment's reward.
        steps: environment steps in all.
        checkpoints: how many, evenly spaced.
        episodes, seed: played at each checkpoint.
    """
    best = Best(model, 0)
    keeper = _Keeper(best, environment, goal, steps // checkpoints, episodes, seed)
    model.learn(steps, callback=keeper)
    if keeper.weights is not None:
        model.policy.load_state_dict(keeper.weights)
    return best


class _Keeper(BaseCallback):
    """Plays a checkpoint every so many steps and keeps the weights of the best."""

    def __init__(self, best: Best, environment: Any, goal: GoalFrames | None, every: int, episodes: int, seed: int):
        super().__init__()
        self.best, self.environment, self.goal = best, environment, goal
        self.every, self.episodes, self.seed = every, episodes, seed
        self.highest = -np.inf
        self.weights: dict[str, Any] | None = None

    def _on_step(self) -> bool:
        if self.num_timesteps // self.every > len(self.best.history):
            self._keep()
        return True

    def _keep(self) -> None:
        played = play(self.best.act, self.environment, self.goal, self.episodes, self.seed)
        self.best.history.append((self.num_timesteps, played))
        mean = float(np.mean(played.true_returns if self.goal is None else played.goal_returns))
        if mean > self.highest:
            self.highest, self.best.step = mean, self.num_timesteps
            self.weights = copy.deepcopy(self.model.policy.state_dict())
