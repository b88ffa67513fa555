"""A part of the reward that counts only once another part is earned often enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.scores import Scores
from sightline.credit.credit import Advantages, Credit, Tokens
from sightline.credit.group_relative import GroupRelative


@dataclass(frozen=True)
class AfterAverage:
    """A credit rule that leaves a weighted part out of the reward until the moving average of another is above a bar.

    m_t = decay * m_{t-1} + (1 - decay) * mean over the batch of `watch`, m_1 the first mean
    r'  = r if m_t > above, else r - weight * `part`

    The bar is looked at anew in every batch: an average that falls back closes it again.

    Args:
        part: the part that has to wait, and `weight`, with which it is in the reward.
        watch: the part that is averaged; NaN left out, and a batch without any changes nothing.
        above, decay: see above.
        credit: the rule for what is left.

    Raises:
        ColumnError: the scores have no such part.

    Example:
        >>> parts = {"minimality": Scores.of([0.0, 1.0]), "sufficiency": Scores.of([0.2, 0.4])}
        >>> scores = Scores(np.array([1.0, 0.5]), ["", ""], [(), ()], parts)
        >>> rule = AfterAverage("minimality", 0.5, "sufficiency", credit=GroupRelative(scale=None))
        >>> advantages, average = rule.assign(scores, Batch(["", ""], group=[0, 0]))
        >>> advantages, round(average["average"], 6)
        (array([ 0.5, -0.5]), 0.3)
    """

    part: str
    weight: float
    watch: str
    above: float = 0.5
    decay: float = 0.9
    credit: Credit = GroupRelative()

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        for name in (self.part, self.watch):
            if name not in scores.parts:
                raise ColumnError(f"AfterAverage needs part `{name}`; the scores have {sorted(scores.parts)}")
        average = self._moved(scores.parts[self.watch], (state or {}).get("average"))
        if average is None or average <= self.above:
            late = np.nan_to_num(scores.parts[self.part].values)
            scores = Scores(scores.values - self.weight * late, scores.why, scores.marks, scores.parts)
        advantages, inner = self.credit.assign(scores, batch, tokens, (state or {}).get("credit"))
        return advantages, {"average": average, "credit": inner}

    def _moved(self, watched: Scores, average: float | None) -> float | None:
        known = watched.values[~np.isnan(watched.values)]
        if not len(known):
            return average
        now = float(known.mean())
        return now if average is None else self.decay * average + (1 - self.decay) * now
