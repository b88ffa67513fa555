"""Which prompts a branch learns from: a gate that one branch opens for another, and a filter that either may pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, ConfigError, did_you_mean
from sightline.core.scores import Scores, Values
from sightline.credit.branches import of_branch, only
from sightline.credit.credit import Advantages, Credit, Tokens

State = tuple[int, Any]


@dataclass(frozen=True)
class PromptGate:
    """A credit rule behind a gate: a prompt's rollouts of one branch learn if those of another did well enough.

    open where the mean reward of branch `of` > `above`; elsewhere branch `on` gets advantage 0

    Args:
        credit: the rule; it sees the rollouts behind a closed gate as not scorable.
        of: the branch whose mean reward opens the gate.
        on: the branch that is gated.
        part: of the scores; None: the whole reward.
        above: the bar, exclusive.
        skip_prob: chance that the gate of a whole batch is left open.
        multiple_of: open prompts are cut to a multiple of this, the last ones first.
        seed: of the skipping.
        column: says which branch a rollout is of.

    A prompt whose branch `of` cannot be scored passes. If no prompt passes, branch `on` learns nothing in this batch.

    Raises:
        ConfigError: `skip_prob` is not in [0, 1], or `multiple_of` below 1.
        ColumnError: there is no such part.

    Example:
        >>> from sightline.credit import Branches, GroupRelative
        >>> rule = PromptGate(Branches({"see": GroupRelative(), "say": GroupRelative()}, mean="none"), "see", "say")
        >>> batch = Batch([""] * 4, {"side": ["say", "say", "see", "see"]}, group=[0] * 4)
        >>> rule.assign(Scores.of([1, 0, 0, 0]), batch)[0], rule.assign(Scores.of([1, 0, 0, 1]), batch)[0].round(3)
        (array([0., 0., 0., 0.]), array([ 0.707, -0.707, -0.707,  0.707]))

    References:
        PEARL, arXiv 2511.18437. Released code skips the gate with 0.3, cuts to a multiple of 32, and keeps every prompt
        if none passes.
    """

    credit: Credit
    of: str
    on: str
    part: str | None = None
    above: float = 0.01
    skip_prob: float = 0.0
    multiple_of: int = 1
    seed: int = 0
    column: str = "side"

    def __post_init__(self) -> None:
        if not 0 <= self.skip_prob <= 1 or self.multiple_of < 1:
            raise ConfigError(
                f"PromptGate needs skip_prob in [0, 1] and multiple_of >= 1; got {self.skip_prob}, {self.multiple_of}"
            )

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: State | None = None
    ) -> tuple[Advantages, State | Any]:
        count, inner = state if state is not None else (0, None)
        side = batch.column(self.column, type(self).__name__)
        mine = np.array([name == self.on for name in side], dtype=bool)
        passed = self.passed(scores, batch) | self._skipped(count)
        advantages, inner = self.credit.assign(only(scores, passed | ~mine), batch, tokens, inner)
        closed = mine & ~passed
        return np.where(closed if advantages.ndim == 1 else closed[:, None], 0.0, advantages), (count + 1, inner)

    def passed(self, scores: Scores, batch: Batch) -> NDArray[np.bool_]:
        """(B,) whether a rollout's prompt passes, skipping left out."""
        side = batch.column(self.column, type(self).__name__)
        values = part_of(scores, self.part, type(self).__name__)
        mean = of_branch(values, batch.group, side, self.of)
        is_open = np.isnan(mean) | (mean > self.above)
        # a prompt that a filter has dropped takes no place among the open ones
        learns = np.array([name == self.on for name in side], dtype=bool) & ~np.isnan(scores.values)
        gated = set(batch.group[learns].tolist())
        prompts = [group for group in dict.fromkeys(batch.group[is_open].tolist()) if group in gated]
        kept = prompts[: len(prompts) - len(prompts) % self.multiple_of]
        return is_open & np.isin(batch.group, np.array(kept, dtype=np.int64))

    def _skipped(self, count: int) -> bool:
        return bool(np.random.default_rng((self.seed, count)).random() < self.skip_prob)


@dataclass(frozen=True)
class EitherInformative:
    """A credit rule behind a filter: a prompt is kept if one of several means is neither all wrong nor all right.

    kept where low < mean < high for one of the clauses

    Args:
        credit: the rule; it sees the rollouts of dropped prompts as not scorable.
        clauses: (branch, part of the scores or None for the whole reward) pairs.
        low, high: bounds of a mean, exclusive.
        column: says which branch a rollout is of.

    Advantages of dropped prompts are 0, in all branches. A mean without scorable rollouts keeps nobody.

    Raises:
        ColumnError: there is no such part.

    Example:
        >>> from sightline.credit import Branches, GroupRelative
        >>> inner = Branches({"see": GroupRelative(), "say": GroupRelative()}, mean="none")
        >>> batch = Batch([""] * 4, {"side": ["say", "say", "see", "see"]}, group=[0] * 4)
        >>> EitherInformative(inner, (("say", None),)).assign(Scores.of([1, 1, 0, 1]), batch)[0]
        array([0., 0., 0., 0.])
        >>> EitherInformative(inner, (("say", None), ("see", None))).assign(Scores.of([1, 1, 0, 1]), batch)[0].round(3)
        array([ 0.   ,  0.   , -0.707,  0.707])

    References:
        PEARL, arXiv 2511.18437, its filter over accuracy or perception; with the first clause alone that of DAPO.
    """

    credit: Credit
    clauses: tuple[tuple[str, str | None], ...]
    low: float = 0.01
    high: float = 0.99
    column: str = "side"

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        return self.credit.assign(only(scores, self.kept(scores, batch)), batch, tokens, state)

    def kept(self, scores: Scores, batch: Batch) -> NDArray[np.bool_]:
        """(B,) whether a rollout's prompt is kept."""
        side = batch.column(self.column, type(self).__name__)
        found = np.zeros(len(scores), dtype=bool)
        for branch, part in self.clauses:
            if not any(name == branch for name in side):
                continue  # a branch that nobody took has no part
            mean = of_branch(part_of(scores, part, type(self).__name__), batch.group, side, branch)
            found |= (mean > self.low) & (mean < self.high)
        return found


def part_of(scores: Scores, name: str | None, who: str) -> Values:
    """(B,) values of a part, or of the whole.

    Raises:
        ColumnError: there is no such part.
    """
    if name is None:
        return scores.values
    if name not in scores.parts:
        raise ColumnError(
            f"{who} reads part `{name}`; the scores have {sorted(scores.parts)}.{did_you_mean(name, scores.parts)}"
        )
    return scores.parts[name].values
