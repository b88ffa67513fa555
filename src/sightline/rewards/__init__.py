"""Batch -> Scores: the algebra of rewards, and rewards for what the policy wrote."""

from sightline.rewards.algebra import Constant
from sightline.rewards.reward import JudgedReward, Reward, RowReward, with_judge
from sightline.rewards.switch import Switch

__all__ = ["Constant", "JudgedReward", "Reward", "RowReward", "Switch", "with_judge"]
