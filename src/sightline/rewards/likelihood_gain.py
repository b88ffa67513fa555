"""What reasoning adds to the probability of the reference answer, over answering at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, abstain
from sightline.metrics.likelihoods import as_bfloat16, mean_probability
from sightline.rewards.answer_slot import AnswerSlot, answer_begins
from sightline.rewards.policy_columns import Filled, PolicyLoglik
from sightline.rewards.reference_likelihood import NO_ANSWER, Aggregate, logps_of, specimen_rows
from sightline.rewards.reward import RowReward

Shape = Callable[[float], float]
TAGS = ("<think>", "</think>", "<answer>", "</answer>")


@dataclass(frozen=True)
class LikelihoodGain(RowReward):
    """Probability of the reference answer after the reasoning minus that without any, not below 0.

    value = max(0, shape(B) - shape(A0)), B and A0 = mean_t exp(l_t) with and without the reasoning

    A0 is that of the policy as training began. A rollout without an answer earns 0, and so does an empty reference.

    Args:
        of: token log-probabilities -> a number in 0..1.
        shape: number -> number, applied to both; None: as they are (see `Sigmoid`, `Above`, `Bins`).
        rounded: round B and A0 to bfloat16, as the released code does; the difference is not.
        column, direct: the log-probabilities with and without the reasoning.
        slot: where the reference is put, for the trainer.

    Reads: `column`, `direct`. Range: 0..1. Low: reasoning that makes the answer no likelier; 0 without `<answer`.
    Not applicable: no log-probabilities though there is an answer, or none without the reasoning.

    Example:
        >>> logps = {"reference_logps": [np.log([0.9, 0.7]), None], "direct_logps": [np.log([0.2, 0.4])] * 2}
        >>> LikelihoodGain()(Batch(["a <answer>", "b"], logps)).values.round(6)
        array([0.5, 0. ])

    References:
        RLPR: extrapolating RLVR to general domains without verifiers, arXiv 2506.18254.
    """

    of: Aggregate = mean_probability
    shape: Shape | None = None
    rounded: bool = False
    column: str = "reference_logps"
    direct: str = "direct_logps"
    slot: AnswerSlot = AnswerSlot()

    @classmethod
    def specimen(cls) -> tuple[LikelihoodGain, list[dict[str, Any]]]:
        return cls(), specimen_rows()

    @property
    def fills(self) -> tuple[Filled, ...]:
        """Both columns, for the policy and its frozen start to fill."""
        bare = AnswerSlot(self.slot.column, False, self.slot.opening, self.slot.closing)
        return PolicyLoglik(self.column, self.slot), PolicyLoglik(self.direct, bare, of="reference")

    def needs(self) -> tuple[str, ...]:
        return self.column, self.direct

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for column in self.needs():
            logps_of(batch, column, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        mine, direct = (logps_of(batch, column, type(self).__name__) for column in self.needs())
        return Scores.from_rows([self._one(*row) for row in zip(batch.texts, mine, direct, strict=True)])

    def _one(self, text: str, mine: list[float] | None, direct: list[float] | None) -> Score:
        if answer_begins(text) < 0:
            return Score(0.0, NO_ANSWER)
        if mine is None or direct is None:
            return abstain(f"no log-probabilities {'of the reference' if mine is None else 'without reasoning'}")
        with_, without = self._level(mine), self._level(direct)
        return Score(float(np.clip(with_ - without, 0.0, 1.0)), f"{with_:.3f} with, {without:.3f} without reasoning")

    def _level(self, logps: list[float]) -> float:
        level = float(self.of(logps)) if logps else 0.0
        level = float(as_bfloat16(level)) if self.rounded else level
        return level if self.shape is None else self.shape(level)


@dataclass(frozen=True)
class Sigmoid:
    """1 / (1 + exp(-slope * (x - middle))).

    Example:
        >>> Sigmoid(slope=6.0)(0.5)
        0.5
    """

    slope: float = 6.0
    middle: float = 0.5

    def __call__(self, value: float) -> float:
        return float(1.0 / (1.0 + np.exp(-np.clip(self.slope * (value - self.middle), -700, 700))))


@dataclass(frozen=True)
class Tanh:
    """tanh(slope * x).

    Example:
        >>> round(Tanh(1.0)(0.5), 4)
        0.4621
    """

    slope: float = 1.0

    def __call__(self, value: float) -> float:
        return float(np.tanh(self.slope * value))


@dataclass(frozen=True)
class Above:
    """x where it is at least a bar, else 0.

    Example:
        >>> Above(0.3)(0.2), Above(0.3)(0.4)
        (0.0, 0.4)
    """

    bar: float

    def __call__(self, value: float) -> float:
        return value if value >= self.bar else 0.0


@dataclass(frozen=True)
class Bins:
    """x rounded down to one of `count` equal steps.

    Example:
        >>> Bins(4)(0.6), Bins(4)(1.0)
        (0.5, 1.0)
    """

    count: int

    def __call__(self, value: float) -> float:
        return float(np.floor(value * self.count + 1e-9) / self.count)


@dataclass(frozen=True)
class TagsOnce:
    """Each of four tags exactly once, in order, the text beginning with the first; what stands elsewhere is free.

    Example:
        >>> TagsOnce()("<think>a</think> so <answer>b</answer>."), TagsOnce()(" <think></think><answer></answer>").why
        (True, 'does not begin with <think>')

    References:
        RLPR, arXiv 2506.18254.
    """

    tags: tuple[str, ...] = TAGS

    def __call__(self, text: str) -> bool | Missing:
        if not text.startswith(self.tags[0]):
            return Missing(f"does not begin with {self.tags[0]}")
        places = []
        for tag in self.tags:
            if text.count(tag) != 1:
                return Missing(f"{tag} stands {text.count(tag)} times")
            places.append(text.find(tag))
        return True if places == sorted(places) else Missing("tags in another order")
