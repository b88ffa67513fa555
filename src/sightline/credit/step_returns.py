"""Returns from every step on: step rewards on the tokens that end the steps, the rollout's score on the last token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.marks import Mark, Marks
from sightline.core.scores import ABSTAIN, ERROR, Scores
from sightline.credit.credit import Advantages, Tokens, known
from sightline.credit.measures import Logp, Measure
from sightline.credit.placement import Placed, at_ends, at_last
from sightline.credit.returns_to_go import returns_to_go
from sightline.metrics.step_shaping import BatchMean, StepShaping, differences

Floats = NDArray[np.float64]
REFERENCE = "reference_logp"


@dataclass(frozen=True)
class StepStatistics:
    """Returns relative to those of all steps of the group.

    A_t = (G_t - mean) / max(std, floor), mean and sample std of the returns at the ends of all steps of the group

    Every step counts once, a rollout without steps counts as one.

    Args:
        floor: least standard deviation, so that a group whose returns hardly differ is not blown up.
    """

    floor: float = 0.1

    def __call__(self, returns: Floats, weight: Floats, group: NDArray[np.int64]) -> Floats:
        """(B, T) returns, (B, T) how many steps end at a token, (B,) group numbers -> (B, T)."""
        steps = np.maximum(_of_group(weight.sum(1), group), 1.0)
        centred = returns - (_of_group((weight * returns).sum(1), group) / steps)[:, None]
        squares = _of_group((weight * centred**2).sum(1), group)
        std = np.sqrt(squares / np.maximum(steps - 1.0, 1.0))
        return centred / np.maximum(std, self.floor)[:, None]


@dataclass(frozen=True)
class StepReturns:
    """Token advantages from step scores: shaped, placed where steps end, summed from each token on.

    r_t = alpha * shaped(r)_k on the last token of step k, + c on the last token, - kl * (log pi - log pi_ref)
    G_t = sum_{s >= t} gamma^(s - t) r_s;   A_t by `statistics` over the steps of the group, or G_t itself without

    c is the rollout's score. A step is a mark of characters on the part `steps`, its value the step's score in [0, 1];
    one whose reason begins with `error:` has no score and takes that of the step before (see `repaired`).

    Args:
        shaping: what becomes of the scores of a solution.
        alpha: weight of the step rewards.
        steps: the part whose marks are the steps; the marks of the whole reward where there is no such part.
        kl: weight of the penalty per token.
        gamma: discount per token. Below 1 the differences do not add up to r_k any more.
        statistics: what returns are compared with; None for a trainer with a critic of its own.

    With differences that are not clipped, the return of every step but the last holds its own r_k, that of the last
    holds c alone: where harmless steps score above the chance of success, a policy may put off its end. Clipped ones
    are 0 above the threshold.

    A rollout that cannot be scored gets 0 and is in no statistic; its steps still count in a threshold.

    Raises:
        ShapeError: the tokens' characters, or with `kl` their log-probabilities, are not given.

    Example:
        >>> offsets = np.array([[[0, 2], [2, 3], [3, 5]]])
        >>> tokens = Tokens(np.ones((1, 3), bool), offsets=offsets)
        >>> marks = [(Mark("char", (0, 2), 0.9), Mark("char", (3, 5), 0.4))]
        >>> rule = StepReturns(StepShaping(None, differences), statistics=None)
        >>> rule.assign(Scores(np.array([1.0]), [""], marks), Batch(["ab\\ncd"]), tokens)[0]
        array([[1.9, 1. , 1. ]])

    References:
        Gao et al., On designing effective RL reward at training time for LLM reasoning, arXiv 2410.15115. Shao et al.,
        DeepSeekMath, arXiv 2402.03300 (statistics over the steps of a group).
    """

    shaping: StepShaping = StepShaping(BatchMean(), differences)
    alpha: float = 1.0
    steps: str = "steps"
    kl: float = 0.0
    gamma: float = 1.0
    statistics: StepStatistics | None = StepStatistics()
    places: ClassVar[bool] = True

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What the trainer shall measure."""
        return (Logp(), Logp(REFERENCE, of="reference")) if self.kl else ()

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        tokens = known(tokens, type(self).__name__)
        steps = steps_of(marks_of(scores, self.steps))
        rewards, state = self.token_rewards(scores, tokens, steps, state)
        mask = tokens.mask & ~np.isnan(scores.values)[:, None]
        returns = returns_to_go(rewards, mask, self.gamma)
        if self.statistics is not None:
            returns = self.statistics(returns, _ends(tokens, mask, steps), batch.group)
        return np.where(mask, returns, 0.0), state

    def token_rewards(
        self, scores: Scores, tokens: Tokens, steps: Sequence[Sequence[Mark]], state: Any = None
    ) -> tuple[Floats, Any]:
        """(B, T) what every token earns, for a trainer that makes its own returns, and what is remembered."""
        who = type(self).__name__
        listed = [[None if _missing(step) else step.value for step in own] for own in steps]
        shaped, _, state = self.shaping.of_batch(listed, state)
        placed = [_placed(own, self.alpha * paid) for own, paid in zip(steps, shaped, strict=True)]
        rewards = at_ends(tokens.places(who), tokens.mask, placed)
        rewards = rewards + at_last(tokens.mask, np.nan_to_num(scores.values))
        if self.kl:
            logp = tokens.logp if tokens.logp is not None else tokens.measure("logp", who)
            rewards = rewards - self.kl * (logp - tokens.measure(REFERENCE, who))
        return np.where(tokens.mask, rewards, 0.0), state


def marks_of(scores: Scores, part: str) -> Marks:
    """The marks of a part, or of the whole reward if it has no such part."""
    return scores.parts[part].marks if part in scores.parts else scores.marks


def steps_of(marks: Marks) -> list[list[Mark]]:
    """The marks of characters of every rollout, from left to right."""
    return [sorted((mark for mark in row if mark.unit == "char"), key=lambda mark: mark.place) for row in marks]


def _placed(steps: Sequence[Mark], values: Floats) -> list[Placed]:
    paid = zip(steps, values.tolist(), strict=True)
    return [Placed(int(step.place[0]), int(step.place[1]), value) for step, value in paid]


def _missing(step: Mark) -> bool:
    return step.why.startswith((ERROR, ABSTAIN))


def _ends(tokens: Tokens, mask: NDArray[np.bool_], steps: Sequence[Sequence[Mark]]) -> Floats:
    """(B, T) how many steps end at a token; a rollout without steps ends one at its last token."""
    spans = [_placed(own, np.ones(len(own))) for own in steps]
    ends = at_ends(tokens.places(StepReturns.__name__), mask, spans)
    return ends + at_last(mask, (ends.sum(1) == 0).astype(np.float64))


def _of_group(values: Floats, group: NDArray[np.int64]) -> Floats:
    total: Floats = np.bincount(group, weights=values).astype(np.float64)[group]
    return total
