"""Which rollouts are worth an update at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.scores import Scores, Values
from sightline.credit.credit import Advantages, Credit, Tokens, group_size, group_spread


def informative(values: Values, group: NDArray[np.int64], tolerance: float = 1e-8) -> NDArray[np.bool_]:
    """(B,) True in groups whose rewards differ: the others carry no signal and are resampled (DAPO).

    Args:
        values: (B,) rewards; NaN left out.
        group: (B,) group numbers.
        tolerance: a group is constant if its largest minus its smallest reward is below this.

    Example:
        >>> informative(np.array([1.0, 1.0, 0.0, 1.0]), np.array([0, 0, 1, 1]))
        array([False, False,  True,  True])

    References:
        Yu et al., DAPO, arXiv 2503.14476, dynamic sampling.
    """
    several: NDArray[np.bool_] = group_size(values, group) > 1
    return several & (group_spread(values, group) >= tolerance)


@dataclass(frozen=True)
class DynamicSampling:
    """A credit rule behind the filter that drops groups without signal.

    Advantages of dropped groups are 0, and the statistics of `credit` do not see them.

    Args:
        credit: the rule for what is kept.
        tolerance: see `informative`.
    """

    credit: Credit
    tolerance: float = 1e-8

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        kept = informative(scores.values, batch.group, self.tolerance)
        return self.credit.assign(_blinded(scores, kept), batch, tokens, state)


def _blinded(scores: Scores, kept: NDArray[np.bool_]) -> Scores:
    """The scores, and those of their parts, with nothing to judge where a rollout is not kept."""
    why = [w if keep else "abstain: group without signal" for w, keep in zip(scores.why, kept, strict=True)]
    parts = {name: _blinded(part, kept) for name, part in scores.parts.items()}
    return Scores(np.where(kept, scores.values, np.nan), why, scores.marks, parts)
