"""Credit where the reward is the policy's own likelihood: reasoning by advantage, the reference answer by its weight.

gradient of E[R] = E[A grad log pi(z) + grad R]: the second term is fine-tuning on the reference answer
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import ConfigError
from sightline.core.scores import Scores, Values
from sightline.credit.credit import Advantages, Credit, Tokens
from sightline.credit.group_relative import LeaveOneOut
from sightline.metrics.likelihoods import lifted, log_mean_exp
from sightline.rewards.answer_slot import AnswerSlot, answer_begins
from sightline.rewards.reference_likelihood import logps_of

Kind = Literal["logprob", "avglogprob", "prob", "avgprob", "geoprob", "jepo"]
KINDS = ("logprob", "avglogprob", "prob", "avgprob", "geoprob", "jepo")


@dataclass(frozen=True)
class LikelihoodCredit:
    """Advantages for the reasoning, and the weights of the reference answer's tokens that the reward's gradient gives.

    dR / dl_t:  logprob 1;  avglogprob 1 / m;  prob exp(L);  avgprob exp(l_t) / m;  geoprob exp(L / m) / m;
                jepo softmax_i(L_i) over the prompt's rollouts

    The trainer puts the reference answer in the place of what was answered (`splices`): one forward pass gives both
    terms. The loss must be a sum over tokens, up to a constant: TRL's dr_grpo.

    Args:
        kind: which likelihood the reward is.
        reasoning: the rule for the tokens before the answer.
        slot: where the reference is put.
        column: its log-probabilities, which the reward reads too.

    A rollout without an answer is trained as it is, by its advantage; a score of -inf counts as 1 less than the least
    finite one of its prompt. What the answer's end adds counts as its last
    token does. Without tokens, (B,) advantages of the reasoning.

    Example:
        >>> batch = Batch(["<answer>"] * 2, {"reference_logps": [[-1.0, -1.0], [-2.0, -2.0]]}, group=[0, 0])
        >>> tokens = Tokens(np.ones((2, 3), bool), spliced=np.array([[0, 1, 1], [0, 1, 1]], bool))
        >>> LikelihoodCredit("avglogprob").assign(Scores.of([-1.0, -2.0]), batch, tokens)[0]
        array([[ 1. ,  0.5,  0.5],
               [-1. ,  0.5,  0.5]])

    References:
        Likelihood-based reward designs for general LLM reasoning, arXiv 2602.03979.
    """

    kind: Kind = "logprob"
    reasoning: Credit = LeaveOneOut()
    slot: AnswerSlot = AnswerSlot()
    column: str = "reference_logps"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"LikelihoodCredit: `kind` is {self.kind!r}; it can be {list(KINDS)}")

    @property
    def splices(self) -> AnswerSlot:
        """What the trainer puts in the place of the answers."""
        return self.slot

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        finite = replace(scores, values=lifted(scores.values, batch.group))
        advantages, state = self.reasoning.assign(finite, batch, tokens, state)
        if tokens is None or tokens.spliced is None:
            return advantages, state
        wide = advantages if advantages.ndim == 2 else np.repeat(advantages[:, None], tokens.mask.shape[1], 1)
        shaped = np.array(wide, dtype=np.float64)
        for row, weights in enumerate(self.answer_weights(batch)):
            at = np.flatnonzero(tokens.spliced[row] & tokens.mask[row])
            if len(at) and len(weights):
                shaped[row, at] = np.concatenate([weights, np.full(max(len(at) - len(weights), 0), weights[-1])])[
                    : len(at)
                ]
            else:
                shaped[row, at] = 0.0
        return np.where(tokens.mask, shaped, 0.0), state

    def answer_weights(self, batch: Batch) -> list[NDArray[np.float64]]:
        """Per rollout (m,) the weights of the reference's tokens; nothing for one without an answer."""
        logps = logps_of(batch, self.column, type(self).__name__)
        some = [
            None if own is None or answer_begins(text) < 0 else np.asarray(own)
            for own, text in zip(logps, batch.texts, strict=True)
        ]
        totals = np.array([-np.inf if own is None else own.sum() for own in some])
        shares = softmax_weights(totals, batch.group)
        return [
            np.zeros(0) if own is None else self._weights(own, share) for own, share in zip(some, shares, strict=True)
        ]

    def _weights(self, logps: NDArray[np.float64], share: float) -> NDArray[np.float64]:
        size = max(len(logps), 1)
        if self.kind == "avgprob":
            return np.exp(logps) / size
        total = float(logps.sum())
        one = {
            "logprob": 1.0,
            "avglogprob": 1.0 / size,
            "prob": float(np.exp(total)),
            "geoprob": float(np.exp(total / size)) / size,
            "jepo": share,
        }[self.kind]
        return np.full(len(logps), one)


@dataclass(frozen=True)
class EvidenceBound:
    """How much a rollout adds to the probability that all rollouts of its prompt together give the reference (JEPO).

    R = log((1 / G) sum_i exp(L_i));   A_i = R - log((1 / (G - 1)) sum_{j != i} exp(L_j))

    Scores are log-probabilities L; -inf counts as 1 less than the least finite one of the prompt. Groups of fewer than
    two scorable rollouts get 0, and so do NaN rollouts. Kept in logarithms, so nothing underflows.

    Example:
        >>> batch = Batch([""] * 4, group=[0] * 4)
        >>> EvidenceBound().assign(Scores.of([-900, -901, -905, -903]), batch)[0].round(5)
        array([ 0.92314,  0.01109, -0.28294, -0.2521 ])

    References:
        Tang et al., Beyond verifiable rewards: scaling reinforcement learning for language models to unverifiable
        data, arXiv 2503.19618 (JEPO).
    """

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        values, found = lifted(scores.values, batch.group), np.zeros(len(batch))
        for rows in batch.groups():
            known = rows[~np.isnan(values[rows])]
            if len(known) > 1 and np.ptp(values[known]) > 0:
                whole = log_mean_exp(values[known])
                found[known] = [whole - log_mean_exp(np.delete(values[known], k)) for k in range(len(known))]
        return found, state


@dataclass(frozen=True)
class SpreadFilter:
    """Prompts whose rewards hardly differ learn nothing, by a bar that follows how much they differ in training.

    s_k    = mean over prompts of the standard deviation of their rewards at step k, sample estimate
    EMA    = mean(s_6 .. s_10) at step 11, then decay * EMA + (1 - decay) * s_(k-1)
    dropped from step 11 on: prompts with a standard deviation below beta * EMA

    Args:
        credit: the rule for what is kept.
        beta: 0.5 for Qwen, 0.9 for Llama, 1.0 for Gemma.
        decay: of the moving average.
        first, last: the steps, counted from 1, whose mean the average begins with.

    Example:
        >>> rule, state = SpreadFilter(LeaveOneOut(), first=1, last=1), None
        >>> batch = Batch([""] * 4, group=[0, 0, 1, 1])
        >>> for rewards in ([1, 0, 1, 0], [1, 0, 0.1, 0]):
        ...     found, state = rule.assign(Scores.of(rewards), batch, None, state)
        >>> found
        array([ 1., -1.,  0.,  0.])

    References:
        RLPR, arXiv 2506.18254.
    """

    credit: Credit
    beta: float = 0.5
    decay: float = 0.99
    first: int = 6
    last: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last:
            raise ConfigError(f"SpreadFilter: steps {self.first} to {self.last} have no mean; 1 <= first <= last")

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        fresh: tuple[int, tuple[float, ...], float | None, Any] = (1, (), None, None)
        step, past, average, inner = fresh if state is None else state
        spreads = np.array([_spread(scores.values[rows]) for rows in batch.groups()])
        if step == self.last + 1:
            average = float(np.mean(past))
        elif average is not None:
            average = self.decay * average + (1 - self.decay) * past[-1]
        advantages, inner = self.credit.assign(scores, batch, tokens, inner)
        if average is not None:
            for rows, own in zip(batch.groups(), spreads, strict=True):
                if own < self.beta * average:
                    advantages[rows] = 0.0
        recent = (*past, float(spreads.mean()) if len(spreads) else 0.0)[-(self.last - self.first + 1) :]
        return advantages, (step + 1, recent, average, inner)


def softmax_weights(values: Values, group: NDArray[np.int64]) -> Values:
    """(B,) exp(L_i) over the sum of its prompt; 0 for -inf, and where all are.

    Example:
        >>> softmax_weights(np.array([-900.0, -901.0, -905.0, -903.0]), np.zeros(4, int)).round(5)
        array([0.70205, 0.25827, 0.00473, 0.03495])
    """
    shares = np.zeros(len(values))
    for number in np.unique(group):
        own = group == number
        top = values[own].max()
        if np.isfinite(top):
            grown = np.exp(values[own] - top)
            shares[own] = grown / grown.sum()
    return shares


def _spread(values: Values) -> float:
    known = values[~np.isnan(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else 0.0
