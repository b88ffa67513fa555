"""Whether an answer is, to the letter, one of those that the data accepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Scores
from sightline.parse.tags import ANSWER, Inside
from sightline.parse.turns import AfterRole
from sightline.rewards.gold import GoldReward, texts
from sightline.rewards.reward import Reward

REPLY = Inside(AfterRole(), ANSWER)


@dataclass(frozen=True)
class AcceptedAnswer(GoldReward):
    """Whether the answer equals one of the accepted ones: case and units count.

    value = 1 if the text of the answer block is among the accepted texts, split at commas and trimmed, else 0

    Args:
        find: text -> answer.
        column: the accepted answers, separated by commas.

    Reads: `column`. Range: 0 or 1. Low: 0 without an answer block.

    Example:
        >>> said = ["<answer> 90 </answer>", "<answer>90 degrees</answer>"]
        >>> AcceptedAnswer()(Batch(said, {"answer": ["90", "90"]})).values
        array([1., 0.])

    References:
        SSL4RL, arXiv 2510.16416: rotation, position and contrastive rewards.
    """

    find: Callable[[str], str | Missing] = REPLY
    column: str = "answer"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("90", " left", "Left", "90 degrees", "")
        return cls(), [{"completion": f"<answer>{text}</answer>", "answer": "90, left"} for text in said]

    def right(self, batch: Batch) -> list[str]:
        return texts(batch, self.column, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        right = self.right(batch)
        said = batch.parse(self.find)
        hit = [
            not isinstance(one, Missing) and one in {text.strip() for text in accepted.split(",")}
            for one, accepted in zip(said, right, strict=True)
        ]
        why = [
            one.why if isinstance(one, Missing) else "" if good else f"{one[:40]!r} for {accepted[:40]!r}"
            for one, good, accepted in zip(said, hit, right, strict=True)
        ]
        return Scores.of(np.array(hit, dtype=np.float64), why)
