"""The reference answer in the place of a rollout's own: where likelihood rewards and their gradients look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.missing import Missing
from sightline.core.rollout import Rollout
from sightline.rewards.policy_columns import Continuation

BEGINS = "<answer"


@dataclass(frozen=True)
class AnswerSlot:
    """The reference answer behind the reasoning of a rollout, which ends where its answer begins.

    Args:
        column: the reference answer, a text or a number; of a list the first.
        reasoned: False: behind the bare prompt, without any reasoning.
        opening, closing: around the answer.

    None for a rollout that begins no answer, and for a row without a reference.

    Example:
        >>> AnswerSlot()(Rollout("<think>a</think> <answer>3</answer>", columns={"answer": "4"}))
        Continuation(keep=17, opening='<answer>', text='4', closing='</answer>')
        >>> AnswerSlot()(Rollout("<think>a", columns={"answer": "4"})) is None
        True
    """

    column: str = "answer"
    reasoned: bool = True
    opening: str = "<answer>"
    closing: str = "</answer>"

    def __call__(self, rollout: Rollout) -> Continuation | None:
        gold = reference(rollout.columns.get(self.column))
        at = answer_begins(rollout.text) if self.reasoned else 0
        if isinstance(gold, Missing) or at < 0:
            return None
        return Continuation(at, self.opening, gold, self.closing)


def answer_begins(text: str) -> int:
    """Where the answer of a rollout begins, or -1.

    Example:
        >>> answer_begins("so <answer>3"), answer_begins("so 3")
        (3, -1)
    """
    return text.find(BEGINS)


def reference(value: Any) -> str | Missing:
    """The reference answer as a text; of a list the first."""
    if isinstance(value, list | tuple | np.ndarray) and len(value):
        value = value[0]
    if isinstance(value, str):
        return value
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return f"{value}"
    return Missing("no reference answer")
