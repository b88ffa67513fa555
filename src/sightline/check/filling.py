"""Columns that the policy itself fills in training, filled by words where only replies are at hand.

A reward that reads how likely the policy holds a reference would not notice an attack on a fixed column. Here words
are likely that the reply has said before, and others are not, however long it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sightline.core.batch import Batch
from sightline.core.rollout import Rollout
from sightline.rewards.policy_columns import PolicyLoglik
from sightline.rewards.reward import Reward

SAID, UNSAID = math.log(0.9), math.log(0.001)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Filling:
    """Fills the log-probabilities that follow from a reply.

    Args:
        columns: what a reward wants filled.

    Example:
        >>> from sightline.rewards.reference_likelihood import LogLikelihood
        >>> fill = Filling.of(LogLikelihood())
        >>> rows = [{"completion": f"{said} <answer>x", "answer": "red"} for said in ("blue", "red")]
        >>> blue, red = (fill(row)["reference_logps"][0] for row in rows)
        >>> blue < red
        True
    """

    columns: tuple[PolicyLoglik, ...]

    @classmethod
    def of(cls, reward: Reward) -> Filling:
        """What the members of an expression want filled."""
        wanted = [fill for node in reward.walk() for fill in getattr(node, "fills", ())]
        return cls(tuple(fill for fill in wanted if isinstance(fill, PolicyLoglik) and fill.of == "policy"))

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with those columns as its completion makes them."""
        if not self.columns:
            return dict(row)
        rollout = next(iter(Batch.from_rows([row]).rollouts()))
        return {**row, **{fill.column: _logps(fill, rollout) for fill in self.columns}}


def _logps(fill: PolicyLoglik, rollout: Rollout) -> list[float] | None:
    asked = fill.continues(rollout)
    if asked is None:
        return None
    said = set(_WORD.findall(rollout.text[: asked.keep].lower()))
    return [SAID if word in said else UNSAID for word in _WORD.findall(asked.text.lower())]
