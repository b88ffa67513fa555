"""From rendered frames to rewards: a goal in words over a frozen encoder, at once or later in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import gymnasium
import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import JudgeError
from sightline.judges.judge import Embeds, Question, ask
from sightline.rewards.goal_baseline import GoalBaseline

Frame: TypeAlias = "NDArray[np.uint8]"
Floats: TypeAlias = "NDArray[np.float64]"
TRUE_REWARD = "true_reward"


@dataclass(frozen=True)
class GoalFrames:
    """Frames -> rewards: `scale * R(frame, goal, baseline) + shift`.

    Prompts are embedded once per process. Frames run in the encoder's own batches, the last of which may be smaller.

    Args:
        reward: R, with its encoder and its strength alpha.
        goal: one text or more.
        baseline: as many neutral texts; none at alpha 0.
        scale, shift: an affine change for the critic. Differences between goal and other frames are small beside their
            mean; an affine change moves no optimum.
    """

    reward: GoalBaseline
    goal: tuple[str, ...]
    baseline: tuple[str, ...] = ()
    scale: float = 1.0
    shift: float = 0.0

    def __call__(self, frames: Sequence[Frame] | NDArray[np.uint8]) -> Floats:
        """Rewards of N frames (H, W, 3) or (3, H, W) of uint8, as (N,).

        Raises:
            JudgeError: the encoder failed, or the reward of a frame is not defined; an agent cannot learn from NaN.
        """
        judge: Any = self.reward.judge
        goal, baseline = embedded(judge, self.goal), embedded(judge, self.baseline)
        size = len(frames)
        columns: dict[str, Sequence[Any]] = {
            "frame": list(frames),
            "goal": [goal] * size,
            "baseline": [baseline] * size,
        }
        scores = self.reward(Batch([""] * size, columns))
        if np.isnan(scores.values).any():
            first = int(np.flatnonzero(np.isnan(scores.values))[0])
            raise JudgeError(f"frame {first} of {size} has no reward: {scores.why[first]}")
        return self.scale * scores.values + self.shift


@lru_cache(maxsize=256)
def embedded(judge: Embeds, texts: tuple[str, ...]) -> tuple[tuple[float, ...], ...]:
    """The texts' vectors, asked once per process.

    Raises:
        JudgeError: the encoder failed, or gave a text no direction.
    """
    verdicts = ask(judge, "embed", [Question(text) for text in texts])
    for text, verdict in zip(texts, verdicts, strict=True):
        if verdict.value is None:
            raise JudgeError(f"{judge.id} could not embed {text!r}: {verdict.error}")
        if not np.any(verdict.value):
            raise JudgeError(f"{judge.id} gives {text!r} no direction: its vector is 0")
    return tuple(tuple(verdict.value) for verdict in verdicts if verdict.value is not None)


class GoalReward(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment that pays for what its frames show: each step's reward is that of the frame after it.

    The environment's own reward is in `info["true_reward"]`; a learner must not look at it.

    Args:
        environment: renders RGB arrays.
        goal: frames to rewards.
    """

    def __init__(self, environment: Any, goal: GoalFrames) -> None:
        super().__init__(environment)
        self.goal = goal

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, true, ended, cut, info = self.env.step(action)
        return seen, float(self.goal([shown(self.env)])[0]), ended, cut, {**info, TRUE_REWARD: float(true)}


class Filmed(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment that puts the frame after each step into `info["frame"]`, to be paid for later.

    Its reward is NaN until then, so that nothing can be learnt from the true one by mistake; that is in
    `info["true_reward"]`.
    """

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        seen, true, ended, cut, info = self.env.step(action)
        return seen, float("nan"), ended, cut, {**info, TRUE_REWARD: float(true), "frame": shown(self.env)}


def shown(environment: Any) -> Frame:
    """The environment's present frame."""
    return np.asarray(environment.render(), dtype=np.uint8)
