"""A system's reward for the `reward_funcs` of TRL's own trainers.

trl grpo --reward_funcs trl_rewards.referred_box ...        # with this file on the PYTHONPATH
GRPOTrainer(model, reward_funcs=[referred_box], ...)
"""

from __future__ import annotations

import sightline
from sightline.adapters.trl import RewardFunction

referred_box = RewardFunction(sightline.load("vlm-r1").reward, name="vlm_r1")
