"""Batch -> Scores: the algebra of rewards, and rewards for what the policy wrote."""

from sightline.rewards.algebra import Constant, Switch
from sightline.rewards.reward import JudgedReward, Reward, RowReward, with_judge

__all__ = ["Constant", "JudgedReward", "Reward", "RowReward", "Switch", "with_judge"]
