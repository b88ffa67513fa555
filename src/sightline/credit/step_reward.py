"""Rewards as they are, for agents with a critic of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.credit.credit import Advantages, Tokens


@dataclass(frozen=True)
class StepReward:
    """Each step earns its own score, no group, no baseline; a critic of the agent makes returns of it.

    A_i = scale * r_i + shift; NaN earns 0, neither scaled nor shifted.

    Args:
        scale, shift: an affine change for the critic; it moves no optimum of an endless or equally long episode.

    Example:
        >>> StepReward().assign(Scores.of([0.2, 0.5]), Batch(["", ""]))[0]
        array([0.2, 0.5])
    """

    scale: float = 1.0
    shift: float = 0.0

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        known = ~np.isnan(scores.values)
        return np.where(known, self.scale * np.nan_to_num(scores.values) + self.shift, 0.0), state
