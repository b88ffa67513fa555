"""Rewards for a list that puts candidates in order: how high the right ones stand, and whether it is a whole list.

A row's `solution` is the pair [ids of the right candidates, number of candidates], ids counted from 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import CompositionError
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores
from sightline.metrics.ranking import rank_gain
from sightline.parse.rankings import LONGEST, RankedIds, Ranking
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.reward import Range, Reward

Rankings = Callable[[str], Ranking | Missing]


class Candidates(NamedTuple):
    """What a ranking is about: ids of the right candidates, and how many candidates there are."""

    right: frozenset[int]
    total: int


class _Ranked(GoldReward):
    """One list held against the candidates of its row: a list that cannot be read earns 0."""

    ranking: Rankings

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), ranking_rows()

    def right(self, batch: Batch) -> list[Candidates]:
        return candidates(batch, self.column, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        rows = zip(batch.parse(self.ranking), self.right(batch), strict=True)
        return Scores.from_rows([self._one(found, wanted) for found, wanted in rows])

    def _one(self, found: Ranking | Missing, wanted: Candidates) -> Score:
        return Score(0.0, found.why) if isinstance(found, Missing) else self._of(found, wanted)

    def _of(self, found: Ranking, wanted: Candidates) -> Score:
        raise CompositionError(f"{type(self).__name__} does not say what a list is worth")


@dataclass(frozen=True)
class RankGain(_Ranked):
    """How high the right candidates stand in the list, the first rank counting most.

    value = sum over ranks j of 1[i_j is right] / j^power / sum_{j=1..number of right ones} 1 / j^power

    An id counts at its first rank. Ids that do not exist take a rank all the same.

    Args:
        ranking: text -> ranking or Missing.
        power: how fast later ranks lose weight.
        column: the pair [right ids, number of candidates].

    Reads: `column`. Range: 0..1. Low: 0 without a list; 0 if nothing is right. Marks: the list.

    Raises:
        ColumnError: a solution is not such a pair.

    Example:
        >>> said = ["<answer>[4, 1, 2, 3, 5]</answer>", "<answer>[1, 4, 2, 3, 5]</answer>", "four"]
        >>> RankGain()(Batch(said, {"solution": [[[4], 5]] * 3})).values
        array([1.   , 0.125, 0.   ])

    References:
        Xu et al., MM-R5, arXiv 2506.12364, ranking reward.
    """

    ranking: Rankings = RankedIds()
    power: float = 3.0
    column: str = "solution"

    def _of(self, found: Ranking, wanted: Candidates) -> Score:
        value = rank_gain(found.ids, wanted.right, self.power)
        why = "" if value == 1 else _ranks(found, wanted)
        return Score(value, why, (Mark("char", (found.start, found.end), value, why),))


@dataclass(frozen=True)
class HasRanking(Reward):
    """Whether there is a list that can be read, behind a closed think block.

    Args:
        ranking: text -> ranking or Missing.

    Range: 0 or 1. Low: 0 with what is missing.

    Example:
        >>> said = ["<think>a</think> so <answer>[2, 1]</answer>", "<answer>[2, 1]</answer>"]
        >>> HasRanking()(Batch(said)).values
        array([1., 0.])
    """

    ranking: Rankings = RankedIds(after="think")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": row["completion"]} for row in ranking_rows()]

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(self.ranking)
        why = [one.why if isinstance(one, Missing) else "" for one in found]
        return Scores.of(np.array([float(not isinstance(one, Missing)) for one in found]), why)


@dataclass(frozen=True)
class RankingLength(_Ranked):
    """How near the length of the list is to the number of candidates.

    value = 1 - |ids - n| / n, not below `lowest`

    Args:
        ranking: text -> ranking or Missing.
        lowest: -inf lets the value fall without end, as released code does.
        column: the pair [right ids, number of candidates].

    Reads: `column`. Range: `lowest`..1. Low: 0 without a list.

    Raises:
        ColumnError: a solution is not such a pair.

    Example:
        >>> said = ["<answer>[1, 2]</answer>", "<answer>[1, 1, 1, 1, 1]</answer>"]
        >>> RankingLength()(Batch(said, {"solution": [[[1], 5]] * 2})).values
        array([0.4, 0.2])
    """

    ranking: Rankings = RankedIds()
    lowest: float = 0.0
    column: str = "solution"

    def bounds(self) -> Range:
        # finite, so that it can be multiplied: no list that is read has more ids
        return (self.lowest if isfinite(self.lowest) else -float(LONGEST)), 1.0

    def _of(self, found: Ranking, wanted: Candidates) -> Score:
        said, n = len(found.ids), wanted.total
        return Score(max(self.lowest, 1.0 - abs(said - n) / n), f"{said} ids for {n}" if said != n else "")


@dataclass(frozen=True)
class RankingInRange(_Ranked):
    """Share of the ids in the list that exist.

    Args:
        ranking: text -> ranking or Missing.
        column: the pair [right ids, number of candidates].

    Reads: `column`. Range: 0..1. Low: 0 without a list.

    Raises:
        ColumnError: a solution is not such a pair.

    Example:
        >>> RankingInRange()(Batch(["<answer>[1, 2, 3, 4, 9]</answer>"], {"solution": [[[1], 5]]})).values
        array([0.8])
    """

    ranking: Rankings = RankedIds()
    column: str = "solution"

    def _of(self, found: Ranking, wanted: Candidates) -> Score:
        outside = sum(not 1 <= one <= wanted.total for one in found.ids)
        return Score(1.0 - outside / len(found.ids), f"{outside} ids outside 1..{wanted.total}" if outside else "")


def candidates(batch: Batch, column: str, who: str) -> list[Candidates]:
    """The pairs of a column.

    Raises:
        ColumnError: a value is not a pair [ids of right candidates, number of candidates]; the message names it.
    """
    return batch.once(_ReadCandidates(column, who))


@dataclass(frozen=True)
class _ReadCandidates:
    """The pairs of a column, once per batch, whoever asks."""

    column: str
    who: str = field(compare=False)

    def __call__(self, batch: Batch) -> list[Candidates]:
        return gold(batch, self.column, self.who, _candidates)


def _candidates(value: Any) -> Candidates | Missing:
    needed = Missing("it needs a pair [ids of the right candidates, number of candidates], ids in 1..number")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return needed
    if isinstance(value, str | dict) or not hasattr(value, "__len__") or len(value) != 2:
        return needed
    right, count = value
    if isinstance(right, str | dict) or not hasattr(right, "__iter__") or not _whole(count) or count < 1:
        return needed
    if not all(_whole(one) and 1 <= one <= count for one in right):
        return needed
    return Candidates(frozenset(int(one) for one in right), int(count))


def _whole(value: Any) -> bool:
    return type(value) is int or isinstance(value, np.integer)


def _ranks(found: Ranking, wanted: Candidates) -> str:
    if not wanted.right:
        return "no candidate is right"
    first = next((rank for rank, one in enumerate(found.ids, start=1) if one in wanted.right), None)
    return "no right candidate is in the list" if first is None else f"the first right candidate has rank {first}"


def ranking_rows() -> list[dict[str, Any]]:
    """Rows of every kind: whole, short, long, repeated, foreign ids, no list, nothing right."""
    lists = ("[4, 1, 2, 3, 5]", "[1, 2]", "[1, 1, 1, 1, 1]", "[9, 04, 1]", "[ 1,\n2, 3, 4, 5, 6, 7, 8, 9, 10, 11]", "4")
    rows: list[dict[str, Any]] = [
        {"completion": f"<think>t</think><answer>{said}</answer>", "solution": [[4], 5]} for said in lists
    ]
    return [*rows, {**rows[0], "solution": [[], 5]}, {"completion": "<answer>[1]</answer>", "solution": "[[1], 1]"}]
