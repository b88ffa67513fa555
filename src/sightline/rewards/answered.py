"""Whether there is an answer at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Scores
from sightline.parse.tags import ANSWER
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class Answered(Reward):
    """Whether a complete answer block holds at least one letter or digit: a gate for what is measured on its text.

    Args:
        find: text -> the answer, or `Missing`.

    Range: 0 or 1. Low: 0 with what is missing.

    Example:
        >>> Answered()(Batch(["<answer>edema</answer>", "<answer> ? </answer>", "edema"])).values
        array([1., 0., 0.])
    """

    find: Callable[[str], str | Missing] = ANSWER

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("<answer>edema</answer>", "<answer></answer>", "<answer>?</answer>", "<answer>", "edema")
        return cls(), [{"completion": text} for text in said]

    def score(self, batch: Batch) -> Scores:
        why = [_flaw(one) for one in batch.parse(self.find)]
        return Scores.of(np.array([float(not flaw) for flaw in why]), why)


def _flaw(said: str | Missing) -> str:
    if isinstance(said, Missing):
        return said.why
    return "" if any(map(str.isalnum, said)) else "the answer has no letter or digit"
