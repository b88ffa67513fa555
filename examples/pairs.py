"""A reward of your own over pairs of answers: short and without repetition.

    cd examples
    sightline score pairs.json --reward pairs:total --explode response,human_ranking \\
        --map completion=response --map prompt=query -o pairs.parquet --report pairs.html

Every row of the file holds a list of answers; each becomes a rollout, and the row its group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sightline import Reward, Rollout, RowReward, Score
from sightline.rewards.repetition import Repetition


@dataclass(frozen=True)
class Brevity(RowReward):
    """1 / (1 + words / scale): 1 for nothing, 0.5 at `scale` words."""

    scale: float = 100.0

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": "a b c"}, {"completion": ""}]

    def row(self, rollout: Rollout) -> Score:
        words = len(rollout.text.split())
        return Score(1 / (1 + words / self.scale), f"{words} words")


total = Brevity().named("brevity") + Repetition().named("repetition")
