"""Rollouts whose prompt is made of what another rollout wrote: both are rows of one batch, generated one after another.

Knows prompts and places, no rewards: what both are worth is said by the reward and the credit rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, ConfigError
from sightline.rewards.policy_columns import FollowUp
from sightline.train.asking import Written, with_pictures
from sightline.train.exchange import Layout, Rows

PAIR = "pair"


@dataclass(frozen=True)
class Pairs:
    """Which rollout of this process is asked what which other one makes of it.

    Args:
        follow_up: what is declared.
        first, second: row numbers, in the same order.
    """

    follow_up: FollowUp
    first: tuple[int, ...]
    second: tuple[int, ...]

    @classmethod
    def of(cls, follow_up: FollowUp, inputs: Sequence[Mapping[str, Any]], layout: Layout) -> Pairs:
        """The pairs of every prompt, in the order of its rollouts.

        Raises:
            ColumnError: a row is of neither side, or a prompt's sides are not of one size.
            ConfigError: the rollouts of a prompt lie on two processes.
        """
        if layout.straddles:
            raise ConfigError("a follow-up needs the rollouts of a prompt on one process: change the batch size")
        column, sides = follow_up.column, (follow_up.first, follow_up.second)
        found: tuple[list[int], list[int]] = ([], [])
        for start in range(0, len(inputs), layout.group_size):
            rows = range(start, min(start + layout.group_size, len(inputs)))
            own = [[row for row in rows if inputs[row].get(column) == side] for side in sides]
            if len(own[0]) != len(own[1]) or len(own[0]) + len(own[1]) != len(rows):
                raise ColumnError(
                    f"column `{column}` of neighbouring rows must be {sides[0]!r} and {sides[1]!r} in turn; "
                    f"got {sorted({str(inputs[row].get(column)) for row in rows})}"
                )
            found[0].extend(own[0])
            found[1].extend(own[1])
        return cls(follow_up, tuple(found[0]), tuple(found[1]))

    def filled(self, rows: Rows, written: Written) -> Rows:
        """The rows with the column `pair`, and with the prompts and pictures that the second side was really asked."""
        number: list[int | None] = [None] * len(rows.prompts)
        for k, (a, b) in enumerate(zip(self.first, self.second, strict=True)):
            number[a] = number[b] = k
        prompts = list(rows.prompts)
        for b in self.second:
            prompts[b] = written.prompts[b]
        columns: dict[str, Any] = {PAIR: number}
        if "images" in rows.columns:
            shown = list(rows.columns["images"])
            for b in self.second:
                shown[b] = list(written.images[b] or []) if written.images is not None else []
            columns["images"] = shown
        return Rows(prompts, rows.completions, {**rows.columns, **columns})


def generated_in_two(
    generate: Callable[[list[Any]], Any], prompts: list[Any], inputs: Sequence[Mapping[str, Any]], pairs: Pairs
) -> Any:
    """TRL's output of generation for both sides; the second side's `prompts` are exchanged in place.

    Raises:
        ConfigError: tools are in use.
    """
    first = generate([prompts[row] for row in pairs.first])
    said = first[3]
    shown = [{n: v for n, v in inputs[row].items() if n != "prompt"} for row in pairs.first]
    columns = {name: [row[name] for row in shown] for name in shown[0]}
    asked_of = [inputs[row]["prompt"] for row in pairs.first]
    for rollout, row in zip(Batch(said, columns, prompts=asked_of).rollouts(), pairs.second, strict=True):
        prompts[row] = with_pictures(pairs.follow_up.ask(rollout))
    second = generate([prompts[row] for row in pairs.second])
    return tuple(_together(a, b, pairs) for a, b in zip(first, second, strict=True))


def _together(first: Any, second: Any, pairs: Pairs) -> Any:
    """One list of rows from those of both sides; None if both are, and nothing to see is an empty list."""
    if first is None and second is None:
        return None
    if isinstance(first, dict):
        return {**first, **second}
    if first == [] and second == []:
        return []
    size = len(pairs.first) + len(pairs.second)
    together: list[Any] = [[] for _ in range(size)]
    for found, rows in ((first, pairs.first), (second, pairs.second)):
        for value, row in zip(found if found is not None else [[]] * len(rows), rows, strict=True):
            together[row] = [] if value is None else value
    return together
