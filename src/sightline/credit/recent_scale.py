"""Advantages of a sum in which one part is put on the scale of earlier batches; the history is the rule's state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, did_you_mean
from sightline.core.scores import Scores, Values
from sightline.credit.credit import Advantages, Credit, Tokens
from sightline.credit.group_relative import GroupRelative
from sightline.metrics.recent_scores import History, QuantileSigmoid, Rescale, remembered


class Recent(NamedTuple):
    """What the rule remembers between batches; checkpoints keep it.

    Args:
        history: the last raw scores, oldest first.
        seen: how many scores were put in since the start.
        batches: how many batches were mapped.
        within: the state of the inner rule.
    """

    history: History = ()
    seen: int = 0
    batches: int = 0
    within: Any = None


@dataclass(frozen=True)
class RecentScale:
    """Advantages after one part of the reward is mapped against its recent values.

    R' = R + weight * (to(s, H) - shown),  s the raw part, H its history;  A = within(R')

    H is updated once per batch, behind the mapping, with the raw scores in batch order: all rollouts of a batch share
    one map, and their order plays no part. Rollouts whose raw part is NaN (behind a closed gate, or not scored) keep
    their reward and do not enter H; those that `where` leaves out keep it and enter H. With several processes the rule
    sees the whole batch, so H is the same everywhere.

    The same answer earns less as the policy improves: mapped means of different steps cannot be compared, raw ones can.
    A single reward under `GroupRelative` gains little: dividing by the group's deviation cancels any affine change.

    Args:
        raw: the part whose values are remembered.
        shown: the part through which it entered the reward: `raw` itself, or what a map made of it there.
        weight: of that part in the reward.
        to: (scores, history) -> scores.
        size: scores that are remembered.
        within: how mapped rewards become advantages.
        where: a part that tells where the map counts: where the scores have it, not for rollouts in which it is 0.

    Raises:
        ColumnError: the scores have no part `raw` or `shown`.

    Example:
        >>> from dataclasses import replace
        >>> rule = RecentScale("semantic", "semantic", to=QuantileSigmoid(least=5), size=6)
        >>> state = Recent((.80, .82, .84, .86, .88, .90))
        >>> semantic, text = np.array([.88, .82, .90, .86, .84]), np.array([0, .5, 0, .3, .2])
        >>> scores = replace(Scores.of(text + semantic), parts={"semantic": Scores.of(semantic)})
        >>> advantages, state = rule.assign(scores, Batch([""] * 5, group=[0] * 5), state=state)
        >>> np.argsort(-advantages).tolist(), np.argsort(-scores.values).tolist(), state.history
        ([2, 3, 0, 1, 4], [1, 3, 4, 2, 0], (0.9, 0.88, 0.82, 0.9, 0.86, 0.84))

    References:
        Breaking Reward Collapse (ARMed), arXiv 2508.12957.
    """

    raw: str = "similarity"
    shown: str = "semantic"
    weight: float = 1.0
    to: Rescale = QuantileSigmoid()
    size: int = 1024
    within: Credit = field(default_factory=lambda: GroupRelative(eps=1e-6))
    where: str = ""

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        past = Recent() if state is None else Recent(*state)
        raw, shown = self._part(scores, self.raw), self._part(scores, self.shown)
        counts = scores.parts[self.where].values != 0 if self.where in scores.parts else True
        total = np.where(counts, self.rescaled(scores.values, raw, shown, past.history), scores.values)
        mapped = Scores(total, scores.why, scores.marks, scores.parts)
        advantages, inner = self.within.assign(mapped, batch, tokens, past.within)
        history = remembered(past.history, raw.tolist(), self.size)
        return advantages, Recent(history, past.seen + int((~np.isnan(raw)).sum()), past.batches + 1, inner)

    def rescaled(self, total: Values, raw: Values, shown: Values, history: Sequence[float]) -> Values:
        """(B,) rewards with the mapped part in the place of the shown one.

        Example:
            >>> rule = RecentScale(to=QuantileSigmoid(least=5))
            >>> rule.rescaled([1.87, np.nan], [.87, .9], [.87, .9], [.80, .82, .84, .86, .88, .90]).round(6)
            array([1.75,  nan])
        """
        values, before, now = (np.asarray(one, dtype=np.float64) for one in (total, raw, shown))
        change = self.to(before, history) - now
        return np.asarray(values + self.weight * np.where(np.isnan(before), 0.0, change))

    def _part(self, scores: Scores, name: str) -> Values:
        if name not in scores.parts:
            known = sorted(scores.parts)
            raise ColumnError(f"RecentScale maps part `{name}`; the scores have {known}.{did_you_mean(name, known)}")
        return scores.parts[name].values
