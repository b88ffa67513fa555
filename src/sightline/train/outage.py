"""Judges that fail without stopping a run: whatever one raises becomes a failed verdict with its words.

A judge should not raise, but those that users write do, and no outage is worth a day of training. The reward then
scores NaN with the reason, and the rollouts concerned are left out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

from sightline.core.errors import CompositionError, ConfigError, MissingExtra
from sightline.judges.judge import Ability, Judge, Question, Verdict
from sightline.rewards.reward import JudgedReward, Reward, with_judge

ABILITIES: tuple[Ability, ...] = get_args(Ability)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Guarded:
    """The same judge; its exceptions and missing answers are failed verdicts.

    Args:
        judge: who is asked.
    """

    judge: Judge

    @property
    def id(self) -> str:
        return self.judge.id

    def __getattr__(self, name: str) -> Any:
        if name not in ABILITIES:
            raise AttributeError(name)
        return partial(_verdicts, self.judge.id, getattr(self.judge, name))


def guarded(reward: Reward) -> Reward:
    """The same expression with every judge guarded; equal judges stay equal, so nothing is asked twice."""
    for node in list(reward.walk()):
        if isinstance(node, JudgedReward) and not isinstance(node.judge, Guarded):
            reward = with_judge(reward, Guarded(node.judge), instead_of=node.judge)
    return reward


def _verdicts(who: str, method: Any, questions: Sequence[Question]) -> list[Verdict[Any]]:
    try:
        verdicts = list(method(questions))
    except (ConfigError, CompositionError, MissingExtra):
        raise  # the caller's doing: no amount of training makes it right
    except Exception as error:  # noqa: BLE001 - the boundary where a judge's failure becomes a reason
        logger.warning("judge %s failed on %d questions: %s: %s", who, len(questions), type(error).__name__, error)
        return [Verdict(error=f"{type(error).__name__}: {error}")] * len(questions)
    if len(verdicts) != len(questions):
        return [Verdict(error=f"judge gave {len(verdicts)} verdicts for {len(questions)} questions")] * len(questions)
    return verdicts
