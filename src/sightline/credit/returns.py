"""Terminal rewards as whitened per-token returns: REINFORCE++ with and without a group baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ShapeError
from sightline.core.scores import Scores
from sightline.credit.credit import Advantages, Tokens
from sightline.credit.group_relative import GroupRelative


@dataclass(frozen=True)
class WhitenedReturns:
    """The terminal reward carried back over the tokens and whitened over all tokens of the batch.

    G_it = gamma^(T_i - t) * r_i;   A_it = (G_it - mean) / sqrt(var + eps), mean and var over all policy tokens

    Long answers weigh more in the statistics, because they have more tokens.

    Args:
        gamma: discount per token.
        baseline: subtract the group mean first (the baseline variant; gamma is then 1).
        eps: under the root; the variance is the sample estimate.

    Raises:
        ShapeError: no token mask was given.

    Example:
        >>> mask = np.array([[1, 1], [1, 0]], bool)
        >>> credit = WhitenedReturns()
        >>> credit.assign(Scores.of([1, 0]), Batch(["a", "b"], group=[0, 0]), Tokens(mask))[0].round(3)
        array([[ 0.577,  0.577],
               [-1.155,  0.   ]])

    References:
        Hu et al., REINFORCE++, arXiv 2501.03262.
    """

    gamma: float = 1.0
    baseline: bool = False
    eps: float = 1e-8

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        if tokens is None:
            raise ShapeError("WhitenedReturns needs the tokens' mask (B, T); got none")
        values = scores.values
        if self.baseline:
            values = np.where(np.isnan(values), np.nan, GroupRelative(scale=None).advantages(values, batch.group))
        mask_BT = tokens.mask & ~np.isnan(values)[:, None]
        left_BT = np.flip(np.cumsum(np.flip(tokens.mask, 1), 1), 1) - 1
        returns_BT = np.where(mask_BT, np.nan_to_num(values)[:, None] * self.gamma**left_BT, 0.0)
        some = returns_BT[mask_BT]
        if len(some) < 2:
            return np.zeros(mask_BT.shape), state
        whitened = (returns_BT - some.mean()) / np.sqrt(some.var(ddof=1) + self.eps)
        return np.where(mask_BT, whitened, 0.0), state
