"""Rewards of steps go to the critic as they are."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.core import Batch, Scores
from sightline.credit.step_reward import StepReward


def test_no_group_counts_and_nan_is_nothing() -> None:
    scores = Scores.of(np.array([0.5, -1.0, np.nan]), ["", "", "abstain: none"])
    batch = Batch(["", "", ""], group=[0, 0, 0])
    assert StepReward().assign(scores, batch)[0].tolist() == [0.5, -1.0, 0.0]
    advantages, state = StepReward(scale=2, shift=1).assign(scores, batch, state="kept")
    assert advantages == pytest.approx([2.0, -1.0, 0.0])
    assert state == "kept"
