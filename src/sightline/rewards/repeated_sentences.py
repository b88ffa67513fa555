"""Whether a reply says the same sentence again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class FewRepeats(Reward):
    """1 as long as hardly any sentence repeats an earlier one.

    The whole completion, tags included, is cut at every full stop; pieces are trimmed, empty ones dropped.
    value = 1 if at most `most` pieces equal an earlier piece, else 0

    Args:
        most: how many repeats are forgiven; with 1, one sentence three times is too much.

    Range: 0 or 1.

    Example:
        >>> FewRepeats()(Batch(["It is red. It is red.", "It is red. It is red. It is red."])).values
        array([1., 0.])

    References:
        Liu et al., VisionReasoner, arXiv 2505.12081, non-repeat reward.
    """

    most: int = 1

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": text} for text in ("a. b.", "a. a. b", "a. a. a", "", "...", "a.b.a.b.")]

    def score(self, batch: Batch) -> Scores:
        repeats = batch.parse(sentence_repeats)
        return Scores.of(np.array([float(n <= self.most) for n in repeats]), [f"{n} repeats" for n in repeats])


def sentence_repeats(text: str) -> int:
    """How many pieces between full stops equal an earlier one.

    Example:
        >>> sentence_repeats("a. b. a . a."), sentence_repeats("...")
        (2, 0)
    """
    pieces = [piece for part in text.split(".") if (piece := part.strip())]
    return len(pieces) - len(set(pieces))
