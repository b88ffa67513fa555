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

from sightline.adapters.packed import unwrapped
from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, CompositionError, ShapeError
from sightline.core.rollout import RESERVED
from sightline.rewards.algebra import Named
from sightline.rewards.reward import Reward

GOLD = ("answer", "ground_truth", "solution", "label")


@dataclass(frozen=True)
class Outcome:
    """What a trainer hears of one rollout.

    Args:
        value: the reward; NaN where there was nothing to judge or the judge failed.
        why: the reason.
        parts: all named parts of the reward; NaN where one was not scored.
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

    def curves(self) -> dict[str, float]:
        """The parts for a trainer that wants the same finite numbers of every rollout: a part that was not scored is 0,
        and `<part>_scored` is 1 or 0, so that a mean over scored rollouts is a quotient of two curves."""
        known = self.numbers()
        parts = {name: known.get(name, 0.0) for name in self.parts}
        scored = {f"{name}_scored": float(name in known) for name in self.parts}
        return {**parts, **scored, "unscorable": float(not self.scored)}


def compares(reward: Reward) -> bool:
    """Whether some part looks at all rollouts of a prompt."""
    return any(node.scope == "group" for node in reward.walk())


def one_prompt(reward: Reward, who: str) -> Reward:
    """The same reward, if the rollouts of one prompt are all that it compares.

    Raises:
        CompositionError: a group of it holds several neighbouring rows of the data, which `who` shuffles apart.
    """
    wide = sorted({type(node).__name__ for node in reward.walk() if node.scope == "group" and node.prompts > 1})
    if wide:
        raise CompositionError(
            f"{', '.join(wide)} compares the rollouts of several neighbouring rows of the data, and {who} brings "
            "together those of one; train with `sightline train`"
        )
    return reward


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
    held = {name: unwrapped(values) for name, values in columns.items() if name not in RESERVED}
    scores = reward(Batch(completions, _with_gold(held), prompts=prompts, group=group, step=step))
    # a part that no rollout of this batch has is a part all the same: curves and tables need the same names every time
    names = dict.fromkeys([*(node.name for node in reward.walk() if isinstance(node, Named)), *scores.parts])
    never = [math.nan] * len(scores)
    parts = {name: scores.parts[name].values.tolist() if name in scores.parts else never for name in names}
    return [
        Outcome(value, scores.why[row], {name: values[row] for name, values in parts.items()})
        for row, value in enumerate(scores.values.tolist())
    ]


def unsuited(reward: Reward, rows: Sequence[Mapping[str, Any]]) -> str:
    """What a reward would say of rows of data before it scores anything; empty: nothing.

    What trainers bring themselves counts as there: lengths of completions, pictures, and columns that the policy fills.
    """
    brought = ["completion_tokens", "images", *(fill.column for n in reward.walk() for fill in getattr(n, "fills", ()))]
    columns: dict[str, Sequence[Any]] = {**{name: [None] * len(rows) for name in brought}, **as_columns(rows)}
    held = {name: values for name, values in columns.items() if name not in RESERVED}
    try:
        reward.check(Batch([""] * len(rows), _with_gold(held)))
    except ColumnError as error:
        return str(error)
    return ""


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


def blocks(rows: Sequence[Any], size: int, who: str, remedy: str) -> list[int]:
    """Group numbers where a trainer repeats every prompt `size` times in a row, as all do that normalise by reshaping.

    Args:
        rows: what the rollouts of a group have in common.

    Raises:
        ShapeError: the rows are no whole number of blocks, or a block holds several prompts.

    Example:
        >>> blocks(["a", "a", "a", "a"], 2, "A trainer", "turn it on")
        [0, 0, 1, 1]
    """
    found = [row // size for row in range(len(rows))]
    check_whole(found, size, who, remedy)
    for row, number in enumerate(found):
        if not same(rows[number * size], rows[row]):
            raise ShapeError(
                f"{who}: rollouts {number * size} and {row} have different prompts where {size} rollouts of one were "
                f"expected; {remedy}"
            )
    return found


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
        floats = np.asarray(one).dtype.kind == np.asarray(other).dtype.kind == "f"
        return bool(np.array_equal(one, other, equal_nan=floats))
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    equal = one == other
    return bool(equal.all() if hasattr(equal, "all") else equal)


def _with_gold(columns: dict[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    known = next((columns[name] for name in GOLD if name in columns), None)
    return columns if known is None else {**dict.fromkeys(GOLD, known), **columns}
