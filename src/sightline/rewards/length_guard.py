"""A penalty on reasoning that is too short, at the price that a pilot run measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.rewards.reward import Range, Reward


@dataclass(frozen=True)
class LengthGuard(Reward):
    """A penalty for every token that is missing to a least length.

    value = rate * min(length - least, 0)

    Args:
        rate: the reward that a token gained in a pilot, difference of rewards over difference of lengths; >= 0.
        least: tokens.

    Reads: `completion_tokens`. Range: [-rate * least, 0]. Low: a short completion.

    Example:
        >>> LengthGuard(0.01, 100)(Batch(["", ""], {"completion_tokens": [20, 150]})).values
        array([-0.8,  0. ])

    References:
        Likelihood-based reward designs for general LLM reasoning, arXiv 2602.03979.
    """

    rate: float = 0.01
    least: int = 100
    reads: ClassVar = ("completion_tokens",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": "a", "completion_tokens": n} for n in (0, 20, 150)]

    def bounds(self) -> Range:
        return -self.rate * self.least, 0.0

    def score(self, batch: Batch) -> Scores:
        lengths = np.array(batch.column("completion_tokens"), dtype=np.float64)
        why = [f"{length:g} of {self.least} tokens" for length in lengths.tolist()]
        return Scores.of(self.rate * np.minimum(lengths - self.least, 0.0), why)
