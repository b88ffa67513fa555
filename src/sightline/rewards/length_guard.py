"""A penalty on reasoning that is too short, at the price that a pilot run measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.rewards.length import COLUMN, token_counts
from sightline.rewards.reward import Range, Reward


@dataclass(frozen=True)
class LengthGuard(Reward):
    """A penalty for every token that is missing to a least length.

    value = rate * min(length - least, 0)

    Args:
        rate: the reward that a token gained in a pilot, difference of rewards over difference of lengths; >= 0.
        least: tokens.
        column: how many tokens the reasoning has; rollouts in training have `completion_tokens`, which counts the
            answer too.

    Reads: `column`. Range: [-rate * least, 0]. Low: a short completion.

    Raises:
        ColumnError: the column holds something else than a number of tokens.

    Example:
        >>> LengthGuard(0.01, 100)(Batch(["", ""], {"completion_tokens": [20, 150]})).values
        array([-0.8,  0. ])

    References:
        Likelihood-based reward designs for general LLM reasoning, arXiv 2602.03979.
    """

    rate: float = 0.01
    least: int = 100
    column: str = COLUMN

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": "a", COLUMN: n} for n in (0, 20, 150)]

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        token_counts(batch, type(self).__name__, self.column)

    def bounds(self) -> Range:
        return -self.rate * self.least, 0.0

    def score(self, batch: Batch) -> Scores:
        lengths = token_counts(batch, type(self).__name__, self.column)
        why = [f"{length:g} of {self.least} tokens" for length in lengths.tolist()]
        return Scores.of(self.rate * np.minimum(lengths - self.least, 0.0), why)
