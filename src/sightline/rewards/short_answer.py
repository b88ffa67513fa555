"""Whether an answer is short enough to be an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Scores
from sightline.parse.tags import Block
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class ShortAnswer(Reward):
    """Whether the answer has fewer than `below` characters: a judge is not to be talked over.

    Range: 0 or 1. Low: 0 for a long answer, and for none.

    Example:
        >>> ShortAnswer(3)(Batch(["<answer>ab</answer>", "<answer>abc</answer>"])).values
        array([1., 0.])
    """

    below: int = 1000
    find: Callable[[str], str | Missing] = Block("answer", which="last")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(3), [{"completion": f"<answer>{text}</answer>"} for text in ("", "ab", "abc")]

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(self.find)
        values = np.array([float(not isinstance(one, Missing) and len(one) < self.below) for one in found])
        why = [one.why if isinstance(one, Missing) else f"{len(one)} characters" for one in found]
        return Scores.of(values, why)
