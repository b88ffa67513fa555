"""Which training step each rollout of a file belongs to, for rewards that follow a schedule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.reward import Reward
from sightline.scoring.tables import part_names, score_columns

STEP = "step"


def scored_by_step(reward: Reward, batch: Batch, columns: Mapping[str, Sequence[Any]]) -> dict[str, pa.Array]:
    """Result columns of a batch, each rollout scored at the step that its row names in the column `step`.

    Without such a column, or where it is null or NaN, a schedule is at its end. Rollouts of one group are scored
    together, at the step of the first of them. Rewards without a schedule are scored in one go.

    Raises:
        ColumnError: a step is no whole number.
    """
    names = part_names(reward)
    if STEP not in columns or not any(node.scheduled for node in reward.walk()):
        return score_columns(reward(batch), names)
    compares = any(node.scope == "group" for node in reward.walk())
    steps = _steps(columns[STEP], batch.group if compares else np.arange(len(batch)))
    found, order = [], []
    for step in dict.fromkeys(steps):
        rows = np.flatnonzero([one == step for one in steps])
        part = batch.take(rows)
        part.step = step
        found.append(score_columns(reward(part), names))
        order.append(rows)
    back = pa.array(np.argsort(np.concatenate(order)))
    return {name: pa.concat_arrays([part[name] for part in found]).take(back) for name in found[0]}


def _steps(values: Sequence[Any], group: np.ndarray) -> list[int | None]:
    """The step of every row, one for each group."""
    first: dict[int, int | None] = {}
    for row, (value, number) in enumerate(zip(values, group.tolist(), strict=True)):
        if isinstance(value, float) and math.isnan(value):  # a column of numbers with a gap
            value = None
        whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
        if value is not None and not whole:
            raise ColumnError(f"a schedule reads column `{STEP}`; row {row} has {value!r:.60}, it needs a whole number")
        first.setdefault(number, None if value is None else int(value))
    return [first[number] for number in group.tolist()]
