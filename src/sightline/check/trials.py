"""The rows that can be attacked, and what every reply earns in its place there.

A row can be attacked where its right reply earns more than a wrong one of the same form. What is tried on it stands
among the other rollouts of its group, as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline.check.anatomy import extent, well_formed
from sightline.check.attacks import Attack
from sightline.check.filling import Filling
from sightline.check.mistakes import MISTAKES, mistaken
from sightline.check.replies import Case
from sightline.core.batch import Batch
from sightline.core.rollout import policy_text
from sightline.core.scores import Scores
from sightline.rewards.reward import Reward

Rows = Sequence[Mapping[str, Any]]
SAME = 1e-6  # earnings that differ by less are equal
COUNTED = "completion_tokens"  # the trainer counts it, so it follows the text
MUCH = 200  # characters


@dataclass(frozen=True)
class Placed:
    """A case in its place: the row it is, and the other rollouts of its group."""

    case: Case
    place: int
    mates: tuple[int, ...]


class Trial(NamedTuple):
    """One text that is scored: an honest reply (no attack), or one of those of a way of an attack."""

    placed: Placed
    attack: str
    start: str
    way: int
    made: Any


@dataclass(frozen=True)
class Tried:
    """All trials with what they earned.

    Args:
        trials: (N,) what was written, by case.
        values: (N,) what it earned.
        why: (N,) reasons.
        honest: (N,) which trial is the honest reply that a trial starts from.
    """

    trials: Sequence[Trial]
    values: NDArray[np.float64]
    why: Sequence[str]
    honest: NDArray[np.int64]

    @property
    def gains(self) -> NDArray[np.float64]:
        """(N,) what each earns beyond the honest reply; NaN where one of both is not scored."""
        return self.values - self.values[self.honest]

    def by_case(self) -> list[Tried]:
        """The same, one for each case."""
        starts = [index for index, trial in enumerate(self.trials) if trial.start == "wrong" and not trial.attack]
        ends = [*starts[1:], len(self.trials)][: len(starts)]
        return [
            Tried(self.trials[a:b], self.values[a:b], self.why[a:b], self.honest[a:b] - a)
            for a, b in zip(starts, ends, strict=True)
        ]


def cases_of(reward: Reward, rows: Rows) -> list[Placed]:
    """The rows of data that tell a right reply from a wrong one, each with both and with its group.

    Of rollouts with the same columns the one that earns most is the right reply. Rows with a broken one are left out:
    whatever mends the form would seem to pay there.
    """
    rows = filled(rows)
    batch = Batch.from_rows(rows)
    values = np.nan_to_num(reward(batch).values, nan=-np.inf)
    company = {int(i): tuple(int(j) for j in group if j != i) for group in batch.groups() for i in group}
    found = []
    for same in kinds(rows).values():
        best = max(same, key=lambda i: values[i])
        if np.isfinite(values[best]):
            found.append(Placed(_case(rows[best], batch.texts[best]), best, company[best]))
    found = [placed for placed in found if well_formed(placed.case.right)] or found
    scores = earned(
        reward, rows, [(placed, text) for placed in found for text in (placed.case.right, placed.case.wrong)]
    )
    right, wrong = scores.values[0::2], scores.values[1::2]
    return [placed for placed, tells in zip(found, right > wrong + SAME, strict=True) if tells]


def tried(reward: Reward, rows: Rows, trials: Sequence[Trial]) -> Tried:
    """What everything earns that `trials_of` lists."""
    scores = earned(reward, filled(rows), [(trial.placed, trial.made) for trial in trials])
    start = {(one.placed.place, one.start): index for index, one in enumerate(trials) if not one.attack}
    honest = np.array([start[one.placed.place, one.start] for one in trials], dtype=np.int64)
    return Tried(trials, scores.values, scores.why, honest)


def earned(reward: Reward, rows: Rows, replies: Sequence[tuple[Placed, Any]]) -> Scores:
    """What each completion earns in the place of the rollout of its case, among the others of its group."""
    if not replies:
        return Scores.of(np.zeros(0))
    table: list[dict[str, Any]] = []
    fill = Filling.of(reward)
    targets: dict[tuple[int, str], int] = {}  # equal replies are scored once
    keys = [(placed.place, repr(completion)) for placed, completion in replies]
    for key, (placed, completion) in zip(keys, replies, strict=True):
        if key not in targets:
            number = len(targets)
            targets[key] = len(table)
            table.append({**fill(_written(rows[placed.place], completion)), "group": number})
            table.extend({**fill(rows[mate]), "group": number} for mate in placed.mates)
    return reward(Batch.from_rows(table)).take(np.array([targets[key] for key in keys], dtype=np.int64))


def filled(rows: Rows) -> list[dict[str, Any]]:
    """Rows with the same columns: what one lacks is None, where others have a group a group of its own."""
    names = dict.fromkeys(name for row in rows for name in row)
    full = [{**dict.fromkeys(names), **row} for row in rows]
    if "group" not in names:
        return full
    groups = [f"row {i}" if row["group"] is None else repr(row["group"]) for i, row in enumerate(full)]
    return [{**row, "group": group} for row, group in zip(full, groups, strict=True)]


def kinds(rows: Rows) -> dict[str, list[int]]:
    """Rows with the same data, whatever was replied."""
    found: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        data = {key: value for key, value in row.items() if key not in ("completion", COUNTED)}
        found.setdefault(repr(sorted(data.items(), key=lambda pair: pair[0])), []).append(index)
    return found


def _case(row: Mapping[str, Any], right: str) -> Case:
    wrong, other = (mistaken(right, extent(row, right), how) for how in MISTAKES)
    return Case(row, right, wrong, other if other not in (right, wrong) else "")


def trials_of(cases: Sequence[Placed], attacks: Sequence[Attack]) -> list[Trial]:
    """Every attack on every case."""
    return [trial for placed in cases for trial in _trials(placed, attacks)]


def _trials(placed: Placed, attacks: Sequence[Attack]) -> Iterator[Trial]:
    case = placed.case
    honest = {"wrong": case.wrong, "right": case.right} | ({"other": case.other} if case.other else {})
    yield from (Trial(placed, "", start, 0, text) for start, text in honest.items())
    for attack in attacks:
        for start in attack.starts:
            for way, made in enumerate(attack.make(case, honest[start]) if start in honest else ()):
                replies = made if isinstance(made, tuple) else (made,)
                yield from (Trial(placed, attack.name, start, way, one) for one in replies)


def _written(row: Mapping[str, Any], completion: Any) -> dict[str, Any]:
    """The row with another completion. Counted tokens follow its length where that changes much."""
    new = {**row, "completion": completion}
    if isinstance(row.get(COUNTED), int | float):
        text = policy_text(completion)
        more = len(text) - len(policy_text(row["completion"]))
        if not text.strip():
            new[COUNTED] = 0
        elif abs(more) > MUCH:
            new[COUNTED] = max(1, row[COUNTED] + round(more / 4))  # about four characters to a token
    return new
