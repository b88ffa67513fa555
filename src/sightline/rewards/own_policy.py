"""Putting the policy that is being trained where a reward names it as its own judge."""

from __future__ import annotations

from typing import Any

from sightline.judges.held import ModelJudge, OwnPolicy, frozen_copy
from sightline.rewards.reward import JudgedReward, Reward, with_judge


def asks_the_policy(reward: Reward) -> tuple[OwnPolicy, ...]:
    """Which placeholders of the policy an expression asks, each once.

    Example:
        >>> from sightline.rewards.second_look import DESCRIBED, FoundAgain
        >>> asks_the_policy(FoundAgain(OwnPolicy("start"), DESCRIBED) + FoundAgain(OwnPolicy("start"), DESCRIBED))
        (OwnPolicy(which='start'),)
    """
    asked = [node.judge for node in reward.walk() if isinstance(node, JudgedReward)]
    return tuple(dict.fromkeys(judge for judge in asked if isinstance(judge, OwnPolicy)))


def with_policy(reward: Reward, model: Any, processor: Any, batch_size: int = 8) -> Reward:
    """The same expression with the policy in place of `OwnPolicy()`, and a frozen copy for `OwnPolicy("start")`.

    To be called once, at the start of training: the copy is of the policy as it is now. It is made only if it is asked.

    Args:
        model: a transformers model, the object that is trained.
        processor: its processor.
        batch_size: prompts, or continuations, per forward pass.
    """
    for placeholder in asks_the_policy(reward):
        if placeholder.which == "current":
            judge = ModelJudge(model, processor, batch_size=batch_size)
        else:
            judge = frozen_copy(model, processor, batch_size=batch_size)
        reward = with_judge(reward, judge, instead_of=placeholder)
    return reward
