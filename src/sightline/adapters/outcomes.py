"""Columns of any trainer to one outcome per rollout. Knows no trainer; every adapter ends here.

Trainers call the gold answer `ground_truth`, `solution` or `label`; a reward finds it under any of these names.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import CompositionError, ShapeError
from sightline.core.rollout import RESERVED
from sightline.rewards.reward import Reward

GOLD = ("answer", "ground_truth", "solution", "label")


@dataclass(frozen=True)
class Outcome:
    """What a trainer hears of one rollout.

    Args:
        value: the reward; NaN where there was nothing to judge or the judge failed.
        why: the reason.
        parts: its named parts.
    """

    value: float
    why: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def scored(self) -> bool:
        return not math.isnan(self.value)

    def number(self, unscorable: float) -> float:
        """The reward for a trainer that knows no "not applicable": `unscorable` in place of NaN."""
        return self.value if self.scored else unscorable

    def numbers(self) -> dict[str, float]:
        """The parts that were scored."""
        return {name: value for name, value in self.parts.items() if not math.isnan(value)}


def compares(reward: Reward) -> bool:
    """Whether some part looks at all rollouts of a prompt."""
    return any(node.scope == "group" for node in reward.walk())


def one_at_a_time(reward: Reward, who: str, instead: str) -> Reward:
    """The same reward, if it can be asked about single rollouts.

    Raises:
        CompositionError: it compares the rollouts of a prompt, which `who` never brings together.
    """
    if compares(reward):
        names = sorted({type(node).__name__ for node in reward.walk() if node.scope == "group"})
        raise CompositionError(
            f"{who} asks about one rollout at a time, and {', '.join(names)} compares the rollouts of a prompt; "
            f"{instead}"
        )
    return reward


def outcomes(
    reward: Reward,
    completions: Sequence[Any],
    columns: Mapping[str, Sequence[Any]],
    *,
    prompts: Sequence[Any] | None = None,
    group: Sequence[Any] | None = None,
    step: int | None = None,
) -> list[Outcome]:
    """Score B rollouts.

    Args:
        columns: name -> B values; what it lacks of `GOLD` is filled from the first of these names that it has.
        group: B ids, or None: every rollout is alone.
        step: the training step, for rewards with a schedule.

    Raises:
        ColumnError: a column that the reward reads is missing.
    """
    held = {name: values for name, values in columns.items() if name not in RESERVED}
    scores = reward(Batch(completions, _with_gold(held), prompts=prompts, group=group, step=step))
    parts = {name: part.values.tolist() for name, part in scores.parts.items()}
    return [
        Outcome(value, scores.why[row], {name: values[row] for name, values in parts.items()})
        for row, value in enumerate(scores.values.tolist())
    ]


def as_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns; None where a row lacks one."""
    return {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}


def check_whole(group: Sequence[Any], size: int, who: str, remedy: str) -> None:
    """Raise if a group does not have `size` rollouts; 0 checks nothing.

    Raises:
        ShapeError: naming how many a group has.
    """
    counts = set(Counter(group).values())
    if size and counts - {size}:
        raise ShapeError(f"{who}: groups of {sorted(counts)} rollouts where {size} were expected; {remedy}")


def runs(rows: Sequence[Mapping[str, Any]], size: int = 0) -> list[int]:
    """Group numbers of rows that lie together: equal neighbours are one group, of at most `size` rows if that is not 0.

    Example:
        >>> runs([{"prompt": "a"}, {"prompt": "a"}, {"prompt": "b"}])
        [0, 0, 1]
        >>> runs([{"prompt": "a"}] * 4, size=2)
        [0, 0, 1, 1]
    """
    found: list[int] = []
    held = 0
    for number, row in enumerate(rows):
        held += 1
        fresh = number == 0 or (size and held > size) or not same(rows[number - 1], row)
        held = 1 if fresh else held
        found.append((found[-1] if found else -1) + int(fresh))
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two values of a data set are equal, arrays and pictures included."""
    if one is other:
        return True
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return bool(one == other)


def _with_gold(columns: dict[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    known = next((columns[name] for name in GOLD if name in columns), None)
    return columns if known is None else {**dict.fromkeys(GOLD, known), **columns}
