"""Rollouts of a prompt ranked by how well their reasoning explains the reference answer, and paid for being short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, abstain
from sightline.metrics.likelihoods import length_scaled_perplexity
from sightline.parse.tags import THINK_ANSWER
from sightline.rewards.answer_slot import AnswerSlot, answer_begins
from sightline.rewards.length import token_counts
from sightline.rewards.policy_columns import Filled, PolicyLoglik
from sightline.rewards.reference_likelihood import logps_of, specimen_rows
from sightline.rewards.reward import Reward, Scope

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PerplexityRanks(Reward):
    """How a rollout's perplexity of the reference ranks in its prompt, or how many it beats with fewer words.

    ppl = exp(nll / max(1, 1 + log10(tokens of the reasoning))), nll of the reference under a slowly moving reference
    ranks:       (n - rank) / n, rank from 0 by rising ppl, ties in the order of the rollouts
    efficiency:  share of the other n - 1 rollouts that are strictly longer and strictly worse; 0 for n < 2
    n counts the valid rollouts of the prompt: right form, finite ppl; the others earn 0.

    Args:
        value: which of the two.
        form: text -> something, or `Missing`: not valid.
        column: log-probabilities of the reference's tokens.
        length: how many tokens the reasoning has, a column; rollouts in training have `completion_tokens`.
        slot: where the reference is put, for the trainer.

    Reads: `column`, `length`. Range: 0..1. Low: a wrong form; reasoning that explains less than that of the others.
    Not applicable: no log-probabilities though form and answer are there.

    Raises:
        ColumnError: `column` holds no log-probabilities, or `length` no numbers of tokens.

    Example:
        >>> said = ["<think>a</think><answer>b</answer>"] * 3
        >>> columns = {"proxy_logps": [[-0.4], [-0.7], [-0.2]], "completion_tokens": [10, 10, 10]}
        >>> PerplexityRanks()(Batch(said, columns, group=[0] * 3)).values.round(4)
        array([0.6667, 0.3333, 1.    ])

    References:
        Liu et al., NOVER, arXiv 2505.16022.
    """

    value: Literal["ranks", "efficiency"] = "ranks"
    form: Callable[[str], Any] = THINK_ANSWER
    column: str = "proxy_logps"
    length: str = "completion_tokens"
    slot: AnswerSlot = AnswerSlot()
    scope: ClassVar[Scope] = "group"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{**row, "completion_tokens": 9 + k} for k, row in enumerate(specimen_rows())]

    @property
    def fills(self) -> tuple[Filled, ...]:
        """The column, for the reference policy to fill."""
        return (PolicyLoglik(self.column, self.slot, of="reference"),)

    def needs(self) -> tuple[str, ...]:
        return self.column, self.length

    def check(self, batch: Batch) -> None:
        super().check(batch)
        logps_of(batch, self.column, type(self).__name__)
        token_counts(batch, type(self).__name__, self.length)

    def score(self, batch: Batch) -> Scores:
        logps = logps_of(batch, self.column, type(self).__name__)
        lengths = token_counts(batch, type(self).__name__, self.length)
        found = batch.parse(self.form)
        scores: list[Score] = []
        perplexity = np.full(len(batch), np.nan)
        for row, (form, own) in enumerate(zip(found, logps, strict=True)):
            scores.append(self._valid(batch.texts[row], form, own))
            if own and not scores[row].why:
                perplexity[row] = length_scaled_perplexity(-float(np.mean(own)), float(lengths[row]))
        count = ranks if self.value == "ranks" else efficiency
        for rows in batch.groups():
            for row, value in zip(rows, count(lengths[rows], perplexity[rows]), strict=True):
                if not scores[row].why:
                    why = f"perplexity {perplexity[row]:.3f}" if np.isfinite(perplexity[row]) else "no perplexity"
                    scores[row] = Score(float(value), why)
        return Scores.from_rows(scores)

    def _valid(self, text: str, form: Any, logps: list[float] | None) -> Score:
        """Without a reason where the rollout is valid so far."""
        if isinstance(form, Missing):
            return Score(0.0, form.why)
        if answer_begins(text) < 0:
            return Score(0.0, "no <answer")
        return abstain("no log-probabilities of the reference") if logps is None else Score(0.0)


def ranks(lengths: Floats, perplexity: Floats) -> Floats:
    """(n - rank) / n of one prompt's rollouts by rising perplexity; 0 where it is not finite.

    Example:
        >>> ranks(np.array([50, 100, 80, 9]), np.array([1.5, 2.0, 1.2, np.nan])).round(4)
        array([0.6667, 0.3333, 1.    , 0.    ])
    """
    perplexity = np.asarray(perplexity, dtype=np.float64)
    valid = np.flatnonzero(np.isfinite(perplexity))
    earned = np.zeros(len(perplexity))
    order = valid[np.argsort(perplexity[valid], kind="stable")]
    earned[order] = (len(valid) - np.arange(len(valid))) / max(len(valid), 1)
    return earned


def efficiency(lengths: Floats, perplexity: Floats) -> Floats:
    """Share of the other valid rollouts of one prompt that are strictly longer and of strictly larger perplexity.

    Example:
        >>> efficiency(np.array([50, 100, 80, 9]), np.array([1.5, 2.0, 1.2, np.nan]))
        array([0.5, 0. , 0.5, 0. ])
    """
    lengths, perplexity = np.asarray(lengths, dtype=np.float64), np.asarray(perplexity, dtype=np.float64)
    valid = np.isfinite(perplexity)
    if valid.sum() < 2:
        return np.zeros(len(perplexity))
    beaten = (lengths[None] > lengths[:, None]) & (perplexity[None] > perplexity[:, None])
    return np.where(valid, (beaten & valid[None]).sum(1) / (valid.sum() - 1), 0.0)
