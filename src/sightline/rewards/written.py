"""Whether a rollout was written by the policy or put there from the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class WrittenByPolicy(Reward):
    """1 for what the policy wrote, 0 for an injected label: a gate for what only the policy can earn.

    Reads: `injected` (true or false), if it is there. Range: 0 or 1.

    Example:
        >>> WrittenByPolicy()(Batch(["a", "b"], {"injected": [False, True]})).values
        array([1., 0.])
    """

    may_read: ClassVar = ("injected",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": "a", "injected": mark} for mark in (False, True, None)]

    def score(self, batch: Batch) -> Scores:
        given = batch.column("injected") if batch.has("injected") else [False] * len(batch)
        why = ["an injected label" if mark else "" for mark in given]
        return Scores.of(np.array([float(not mark) for mark in given]), why)
