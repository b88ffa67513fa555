"""Several kinds of rollouts in one batch, each with its own advantages and its own share of the loss.

A second kind is the checklist of a question, or a second reading of what the first rollout wrote: rows of the same
batch whose column `side` names their branch. The loss stays TRL's; advantages carry the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.scores import ABSTAIN, Scores, Values
from sightline.credit.credit import Advantages, Credit, Tokens, group_mean, group_size

Rules = tuple[tuple[str, Credit], ...]
Weights = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class PromptWeight:
    """How the mean reward of one branch scales the advantages of another, prompt by prompt.

    w = max(mean, low), and 0 where mean <= gate

    Args:
        of: the branch whose mean reward counts.
        on: the branch whose advantages are scaled.
        part: of the scores; None: the whole reward.
        low: the least weight of an open gate.
        gate: prompts whose mean is not above this get nothing; None: no gate.

    A prompt whose branch `of` cannot be scored has weight 1.
    """

    of: str
    on: str
    part: str | None = None
    low: float = 0.0
    gate: float | None = None

    def weights(self, scores: Scores, batch: Batch, side: Sequence[Any]) -> Values:
        """(B,) weights; 1 on other branches."""
        values = scores.values if self.part is None else scores.parts[self.part].values
        mean = of_branch(values, batch.group, side, self.of)
        weight = np.maximum(mean, self.low)
        weight = weight if self.gate is None else np.where(mean <= self.gate, 0.0, weight)
        mine = np.array([name == self.on for name in side], dtype=bool)
        return np.where(mine & ~np.isnan(mean), weight, 1.0)


@dataclass(frozen=True)
class Branches:
    """A credit rule for every branch, on the rollouts of that branch alone, and the weight of its loss.

    loss = sum_b w_b * mean over the tokens (rollouts) of branch b

    Args:
        rules: (branch, rule) pairs, or a mapping; a rule sees the rollouts of other branches as not scorable.
        weights: (branch, weight) pairs, or a mapping; 1 where none is given.
        mean: `token`: advantages are scaled by N / N_b, N tokens in all, N_b of the branch, so that a loss that is a
            mean over all tokens (TRL: dapo, bnpo) becomes the sum above; `rollout`: by B / B_b, for losses that are
            means over rollouts (grpo); `none`: not scaled.
        reweigh: how the mean reward of one branch scales the advantages of another.
        column: says which branch a rollout is of.

    Without tokens the scale of `token` is that of `rollout`. Groups of a branch are the prompt's rollouts of it.

    Raises:
        ColumnError: a rollout is of a branch without a rule.

    Example:
        >>> from sightline.credit import GroupRelative
        >>> batch = Batch([""] * 4, {"side": ["reason", "reason", "look", "look"]}, group=[0] * 4)
        >>> rule = Branches({"reason": GroupRelative(), "look": GroupRelative()}, {"look": 0.1})
        >>> rule.assign(Scores.of([1, 0, 1, 0]), batch)[0].round(3)
        array([ 1.414, -1.414,  0.141, -0.141])

    References:
        The dual objective of PEARL, arXiv 2511.18437.
    """

    rules: Rules
    weights: Weights = ()
    mean: Literal["token", "rollout", "none"] = "token"
    reweigh: tuple[PromptWeight, ...] = ()
    column: str = "side"

    def __init__(
        self,
        rules: Mapping[str, Credit] | Rules,
        weights: Mapping[str, float] | Weights = (),
        mean: Literal["token", "rollout", "none"] = "token",
        reweigh: tuple[PromptWeight, ...] = (),
        column: str = "side",
    ) -> None:
        object.__setattr__(self, "rules", tuple(rules.items() if isinstance(rules, Mapping) else rules))
        object.__setattr__(self, "weights", tuple(weights.items() if isinstance(weights, Mapping) else weights))
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "reweigh", reweigh)
        object.__setattr__(self, "column", column)

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        side = batch.column(self.column, type(self).__name__)
        self._check(side)
        found: list[Advantages] = []
        states = dict(state or {})
        for name, rule in self.rules:
            mine = np.array([value == name for value in side], dtype=bool)
            advantages, states[name] = rule.assign(only(scores, mine), batch, tokens, states.get(name))
            factor = np.where(mine, self._weight(name) * self._scale(mine, tokens), 0.0)
            found.append(_times(advantages, factor))
        total = added(found)
        for change in self.reweigh:
            total = _times(total, change.weights(scores, batch, side))
        return total, states if any(value is not None for value in states.values()) else None

    def _weight(self, name: str) -> float:
        return dict(self.weights).get(name, 1.0)

    def _scale(self, mine: NDArray[np.bool_], tokens: Tokens | None) -> float:
        if self.mean == "none":
            return 1.0
        count = np.ones(len(mine)) if tokens is None or self.mean == "rollout" else tokens.mask.sum(1)
        own = float(count[mine].sum())
        return float(count.sum()) / own if own > 0 else 0.0

    def _check(self, side: Sequence[Any]) -> None:
        names = [name for name, _ in self.rules]
        for row, value in enumerate(side):
            if value not in names:
                raise ColumnError(f"column `{self.column}` of row {row} is {value!r}; the branches are {names}")


def of_branch(values: Values, group: NDArray[np.int64], side: Sequence[Any], name: str) -> Values:
    """(B,) for every rollout the mean over the rollouts of its prompt that are of one branch; NaN if there is none.

    Example:
        >>> of_branch(np.array([1.0, 0.0, 0.5]), np.array([0, 0, 0]), ["r", "p", "p"], "p")
        array([0.25, 0.25, 0.25])
    """
    own = np.where(np.array([value == name for value in side], dtype=bool), values, np.nan)
    return np.where(group_size(own, group) > 0, group_mean(own, group), np.nan)


def only(scores: Scores, kept: NDArray[np.bool_]) -> Scores:
    """The scores, and those of their parts, with nothing to judge where a rollout is not kept."""
    why = [w if keep else ABSTAIN + "another branch" for w, keep in zip(scores.why, kept, strict=True)]
    parts = {name: only(part, kept) for name, part in scores.parts.items()}
    return Scores(np.where(kept, scores.values, np.nan), why, scores.marks, parts)


def added(several: Sequence[Advantages]) -> Advantages:
    """The sum of advantages of which some are per rollout, some per token: per token if one is."""
    wide = max((a.shape[1] for a in several if a.ndim == 2), default=None)
    if wide is None:
        return np.asarray(np.sum(several, axis=0))
    return np.asarray(np.sum([a if a.ndim == 2 else np.repeat(a[:, None], wide, 1) for a in several], axis=0))


def _times(advantages: Advantages, factor: Values) -> Advantages:
    return advantages * (factor if advantages.ndim == 1 else factor[:, None])
