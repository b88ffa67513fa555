"""Rewards of phrases on their last tokens, less a KL penalty on every token, carried back as PPO does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, did_you_mean
from sightline.core.marks import Marks
from sightline.core.scores import Scores
from sightline.credit.credit import Advantages, Tokens, known
from sightline.credit.measures import Logp, Measure
from sightline.credit.placement import Placed, at_ends, spans_of
from sightline.credit.returns_to_go import gae, whiten

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
REFERENCE = "reference_logp"


class Standardise(Protocol):
    """(B, T) advantages and mask -> (B, T)."""

    def __call__(self, values: Floats, mask: Mask) -> Floats: ...


def over_tokens(values: Floats, mask: Mask) -> Floats:
    """(A - mean) / (population std + 1e-8) over the policy's tokens of the batch.

    Example:
        >>> over_tokens(np.array([[1.0, 3.0, 0.0]]), np.array([[True, True, False]])).round(3)
        array([[-1.,  1.,  0.]])
    """
    return whiten(values, mask)


def over_positions(values: Floats, mask: Mask) -> Floats:
    """The same with mean and std over all positions, padding (0) included, as released: it depends on the padding.

    Example:
        >>> over_positions(np.array([[1.0, 3.0, 0.0]]), np.array([[True, True, False]])).round(3)
        array([[-0.267,  1.336,  0.   ]])
    """
    return np.where(mask, whiten(np.where(mask, values, 0.0), np.ones(mask.shape, bool)), 0.0)


@dataclass(frozen=True)
class DenseReturns:
    """Token advantages from phrase rewards: placed, penalised by KL, generalised advantage estimate, standardised.

    r_t = scale * (sum_k w_k r_kt - kl * (log pi(a_t) - log pi_ref(a_t))),   r_kt on the last token of each phrase
    A   = standardise(GAE(r, V)), the value behind the last token 0

    Phrases are marks of characters on the parts, with what they earn. What ends behind the last token is placed on it;
    what ends on the same token adds up. A blank text earns its parts' values on its first token.

    Args:
        weights: (part, w) pairs.
        kl: weight of the penalty; a negative one rewards distance from the reference, as released.
        scale: of rewards and penalty together.
        gamma, lam: of the estimate.
        critic: name under which the critic's values (B, T) are measured; None: V = 0, the return from each token on.
        standardise: over the batch; None: not at all.

    A rollout that cannot be scored gets 0 and is in no statistic.

    Raises:
        ColumnError: a weighted part is not among the parts of the scores.
        ShapeError: the tokens' characters, log-probabilities or values are not given.

    Example:
        >>> from sightline.core.marks import Mark
        >>> offsets = np.array([[[0, 2], [3, 5], [6, 9]]])
        >>> marks = [(Mark("char", (0, 5), 1.0), Mark("char", (6, 9), -1.0))]
        >>> scores = Scores(np.zeros(1), [""], [()], {"object": Scores(np.zeros(1), [""], marks)})
        >>> rule = DenseReturns((("object", 1.0),), kl=0.0, standardise=None)
        >>> rule.assign(scores, Batch(["a dog, runs"]), Tokens(np.ones((1, 3), bool), offsets=offsets))[0]
        array([[ 0.,  0., -1.]])

    References:
        FGAIF, arXiv 2404.05046. Wu et al., Fine-grained human feedback, arXiv 2306.01693. Schulman et al., Proximal
        policy optimization, arXiv 1707.06347.
    """

    weights: tuple[tuple[str, float], ...]
    kl: float = 0.1
    scale: float = 1.0
    gamma: float = 1.0
    lam: float = 1.0
    critic: str | None = None
    standardise: Standardise | None = over_tokens
    places: ClassVar[bool] = True

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What the trainer shall measure."""
        return (Logp(), Logp(REFERENCE, of="reference")) if self.kl else ()

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        advantages, mask = self.estimates(scores, batch, tokens)
        return advantages if self.standardise is None else self.standardise(advantages, mask), state

    def estimates(self, scores: Scores, batch: Batch, tokens: Tokens | None) -> tuple[Floats, Mask]:
        """(B, T) estimates before they are standardised, and the tokens that count; plus V they are a critic's aim."""
        who = type(self).__name__
        tokens = known(tokens, who)
        mask = tokens.mask & ~np.isnan(scores.values)[:, None]
        values = np.zeros(mask.shape) if self.critic is None else tokens.measure(self.critic, who)
        return gae(self.token_rewards(scores, batch, tokens), values, mask, self.gamma, self.lam), mask

    def token_rewards(self, scores: Scores, batch: Batch, tokens: Tokens) -> Floats:
        """(B, T) what every token earns."""
        who = type(self).__name__
        blank = np.array([not text.strip() for text in batch.texts], bool)
        rewards = np.zeros(tokens.mask.shape)
        for part, weight in self.weights:
            found = self._part(scores, part)
            rewards += weight * _placed(tokens, found.marks, np.where(blank, np.nan_to_num(found.values), 0.0), who)
        if self.kl:
            logp = tokens.logp if tokens.logp is not None else tokens.measure("logp", who)
            rewards = rewards - self.kl * np.where(tokens.mask, logp - tokens.measure(REFERENCE, who), 0.0)
        return np.where(tokens.mask, self.scale * rewards, 0.0)

    def _part(self, scores: Scores, part: str) -> Scores:
        if part not in scores.parts:
            names = sorted(scores.parts)
            raise ColumnError(f"DenseReturns weighs part `{part}`; the scores have {names}.{did_you_mean(part, names)}")
        return scores.parts[part]


@dataclass(frozen=True)
class AtTheEnd(DenseReturns):
    """The same sum on the last phrase instead of on each: one reward a reply, for comparison."""

    def _part(self, scores: Scores, part: str) -> Scores:
        found = super()._part(scores, part)
        marks = [(row[-1]._replace(value=sum(mark.value for mark in row)),) if row else () for row in found.marks]
        return Scores(found.values, found.why, marks)


def _placed(tokens: Tokens, marks: Marks, first: Floats, who: str) -> Floats:
    spans: Sequence[Sequence[Placed]] = spans_of(marks)
    rewards = at_ends(tokens.places(who), tokens.mask, spans)
    opens = tokens.mask & (np.cumsum(tokens.mask, axis=1) == 1)
    return np.where(opens, rewards + first[:, None], rewards)


def kl_clipped(logp: ArrayLike, reference: ArrayLike) -> Floats:
    """max(0, log pi - log pi_ref): the one-sided estimate k1.

    Example:
        >>> kl_clipped([-1.0, -1.5], [-1.5, -1.0])
        array([0.5, 0. ])
    """
    return np.maximum(0.0, np.asarray(logp, np.float64) - np.asarray(reference, np.float64))


def kl_low_variance(logp: ArrayLike, reference: ArrayLike) -> Floats:
    """exp(d) - d - 1 with d = log pi_ref - log pi: the estimate k3, never negative, not clipped.

    Example:
        >>> kl_low_variance([-1.0], [-1.5]).round(7)
        array([0.1065307])

    References:
        Schulman, Approximating KL divergence, 2020.
    """
    gap = np.asarray(reference, np.float64) - np.asarray(logp, np.float64)
    return np.exp(gap) - gap - 1.0


def clipped_value_loss(
    values: ArrayLike, before: ArrayLike, returns: ArrayLike, mask: ArrayLike, clip: float = 0.2
) -> float:
    """0.5 * mean(max((V - R)^2, (clip(V, V_old - clip, V_old + clip) - R)^2)) over the policy's tokens.

    Args:
        values, before, returns, mask: (B, T) values now, when sampled, what they should have been, policy tokens.

    Example:
        >>> round(clipped_value_loss([[1.0, 5.0]], [[0.5, 0.0]], [[2.0, 0.0]], [[1, 0]]), 6)
        0.845
    """
    v, old, aim = (np.asarray(one, np.float64) for one in (values, before, returns))
    near = np.clip(v, old - clip, old + clip)
    worse = np.maximum((v - aim) ** 2, (near - aim) ** 2)
    some = np.asarray(mask, bool)
    return float(0.5 * worse[some].mean()) if some.any() else 0.0
