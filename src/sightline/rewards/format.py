"""Whether a completion has the form that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Scores
from sightline.parse.tags import THINK_ANSWER
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class Format(Reward):
    """Whether the completion has the asked form: think block, then answer block, and nothing around them.

    value = 1 if `form` finds it, else 0

    Args:
        form: text -> something, or `Missing` with what is wrong. The default accepts exactly what a full match of
            `<think>.*?</think>\\s*<answer>.*?</answer>` accepts, the dot matching newlines.

    Range: 0 or 1. Low: 0 with what is wrong.

    Example:
        >>> Format()(Batch(["<think>a</think> <answer>b</answer>", "b"])).values
        array([1., 0.])
    """

    form: Callable[[str], Any] = THINK_ANSWER

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": "<think>a</think>\n<answer>b</answer>"}, {"completion": "<answer>b</answer>"}]

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(self.form)
        why = [one.why if isinstance(one, Missing) else "" for one in found]
        return Scores.of(np.array([float(not isinstance(one, Missing)) for one in found]), why)


@dataclass(frozen=True)
class HasForm:
    """A comparison that looks at the form of what was said only: 1 if `form` finds it, whatever is right.

    Example:
        >>> HasForm(THINK_ANSWER)("<think>a</think><answer>b</answer>", "c"), HasForm(THINK_ANSWER)("b", "b")
        (1.0, 0.0)
    """

    form: Callable[[str], Any]

    def __call__(self, said: str, right: str) -> float:
        return float(not isinstance(self.form(said), Missing))
