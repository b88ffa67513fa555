"""How likely the policy holds the reference answer after its own reasoning, as a reward: no verifier is needed.

The log-probabilities come in a column of lists, one number per token of the reference; in training the policy fills it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.scores import Score, Scores, abstain
from sightline.metrics.likelihoods import lifted, log_probability, probability
from sightline.rewards.answer_slot import AnswerSlot, answer_begins
from sightline.rewards.policy_columns import Filled, PolicyLoglik
from sightline.rewards.reward import Range, Reward, RowReward, Scope

Aggregate = Callable[[Sequence[float]], float]
NO_ANSWER = "no <answer"


class _OfReference(Reward):
    """How likely each rollout makes the reference: the lowest value without an answer, none without probabilities."""

    of: Aggregate
    column: str
    slot: AnswerSlot

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), specimen_rows()

    @property
    def fills(self) -> tuple[Filled, ...]:
        """The column, for the policy to fill."""
        return (PolicyLoglik(self.column, self.slot),)

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        logps_of(batch, self.column, type(self).__name__)

    def _rows(self, batch: Batch) -> list[Score]:
        logps = logps_of(batch, self.column, type(self).__name__)
        low, high = self.bounds()
        return [self._one(text, own, low, high) for text, own in zip(batch.texts, logps, strict=True)]

    def _one(self, text: str, logps: Sequence[float] | None, low: float, high: float) -> Score:
        if answer_begins(text) < 0:
            return Score(low, NO_ANSWER)
        if logps is None:
            return abstain("no log-probabilities of the reference")
        return Score(min(max(float(self.of(logps)), low), high), f"{len(logps)} tokens")


@dataclass(frozen=True)
class LogLikelihood(_OfReference):
    """Log-probability of the reference answer after the rollout's reasoning.

    value = sum_t l_t, or their mean; for a rollout without an answer, 1 less than the least of its prompt

    Args:
        of: token log-probabilities -> a number <= 0.
        column: the log-probabilities.
        slot: where the reference is put, for the trainer.
        lowest: for all rollouts of a prompt where none has an answer: equal, so that none is preferred.

    Reads: `column`. Range: (-inf, 0]. Low: an unlikely reference; no `<answer`.
    Not applicable: no log-probabilities though there is an answer.

    Raises:
        ColumnError: the column holds something else than a list of numbers or None.

    Example:
        >>> logps = [[-1.0, -2.0], [-0.5], None]
        >>> batch = Batch(["a <answer>", "b <answer>", "c"], {"reference_logps": logps}, group=[0] * 3)
        >>> LogLikelihood()(batch).values
        array([-3. , -0.5, -4. ])

    References:
        Likelihood-based reward designs for general LLM reasoning, arXiv 2602.03979.
    """

    of: Aggregate = log_probability
    column: str = "reference_logps"
    slot: AnswerSlot = AnswerSlot()
    lowest: float = -1e4
    scope: ClassVar[Scope] = "group"

    def bounds(self) -> Range:
        return -float("inf"), 0.0

    def score(self, batch: Batch) -> Scores:
        scores = self._rows(batch)
        finite = lifted([score.value for score in scores], batch.group, self.lowest)
        return Scores.from_rows([Score(value, score.why) for value, score in zip(finite.tolist(), scores, strict=True)])


@dataclass(frozen=True)
class Likelihood(_OfReference, RowReward):
    """Probability of the reference answer after the rollout's reasoning, by one of several measures.

    value = exp(sum_t l_t), or mean_t exp(l_t), or exp(mean_t l_t)

    Args:
        of: token log-probabilities -> a number in 0..1.
        column, slot: as in `LogLikelihood`.

    Reads: `column`. Range: 0..1. Low: an unlikely reference; 0 without `<answer`; 0 for an empty reference.
    Not applicable: no log-probabilities though there is an answer.

    Example:
        >>> batch = Batch(["a <answer>", "c"], {"reference_logps": [[-1.0, -2.0], None]})
        >>> Likelihood()(batch).values.round(4)
        array([0.0498, 0.    ])

    References:
        Likelihood-based reward designs for general LLM reasoning, arXiv 2602.03979. VeriFree, arXiv 2505.21493.
    """

    of: Aggregate = probability
    column: str = "reference_logps"
    slot: AnswerSlot = AnswerSlot()

    def score(self, batch: Batch) -> Scores:
        return Scores.from_rows(self._rows(batch))


def logps_of(batch: Batch, column: str, who: str) -> list[list[float] | None]:
    """Token log-probabilities per rollout.

    Raises:
        ColumnError: something else stands there, or a number above 0.
    """
    found: list[list[float] | None] = []
    for row, value in enumerate(batch.column(column, who)):
        if value is None:
            found.append(None)
            continue
        try:
            numbers = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            numbers = np.full((1, 1), np.nan)
        if numbers.ndim != 1 or np.isnan(numbers).any() or (numbers > 1e-6).any():
            raise ColumnError(
                f"{who} reads column `{column}`; row {row} is {value!r:.60}; it needs a list of log-probabilities"
            )
        found.append(np.minimum(numbers, 0.0).tolist())
    return found


def specimen_rows() -> list[dict[str, Any]]:
    """Rows of every kind."""
    said = ("<think>a</think><answer>4</answer>", "so <answer>5", "4", "<answer></answer>", "<answer>4")
    logps: tuple[list[float] | None, ...] = ([-0.1, -0.7], [-2.3, -1.6], None, [], None)
    return [
        {"completion": text, "reference_logps": own, "direct_logps": [-1.0, -2.0], "proxy_logps": own, "answer": "4"}
        for text, own in zip(said, logps, strict=True)
    ]
