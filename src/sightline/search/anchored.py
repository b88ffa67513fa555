"""Ranking many pictures by comparisons with a few of them, instead of every pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ConfigError
from sightline.judges.judge import Judge, Question, ask
from sightline.judges.votes import balanced


def anchors(size: int, count: int = 4, seed: int = 0) -> tuple[int, ...]:
    """The numbers of `count` members of a pool of `size`, drawn once for all candidates.

    Example:
        >>> len(anchors(10)), anchors(3) == (0, 1, 2), anchors(10) == anchors(10)
        (4, True, True)
    """
    return tuple(sorted(np.random.default_rng(seed).permutation(size)[:count].tolist()))


def mean_wins(wins: ArrayLike) -> NDArray[np.float64]:
    """s_i = mean over the anchors that i was compared with of p(i beats a); NaN where it was compared with none.

    Args:
        wins: (N, A) probabilities; NaN where no comparison was made, as with itself.

    Example:
        >>> mean_wins([[0.8, 0.6], [0.55, 0.3], [float("nan"), 0.7]]).round(3)
        array([0.7  , 0.425, 0.7  ])
    """
    wins_NA = np.asarray(wins, dtype=np.float64)
    made_NA = ~np.isnan(wins_NA)
    total_N, count_N = np.where(made_NA, wins_NA, 0.0).sum(1), made_NA.sum(1)
    return np.where(count_N > 0, total_N / np.maximum(count_N, 1), np.nan)


@dataclass(frozen=True)
class Anchored:
    """Scores pictures by how often they beat a few fixed members of the pool.

    s_i = mean over anchors a != i of (p(1 | i, a) + 1 - p(1 | a, i)) / 2

    Args:
        judge: chooses between the two pictures that a question shows; the policy itself, after its reasoning, or any
            other.
        template: the prompt, with the place `caption`.
        opening: what the judge has already begun to say, up to the option.
        count: anchors; `seed` draws them.
        both: show every pair in both orders; else the candidate first.

    Raises:
        ConfigError: no anchors.

    References:
        Listener-rewarded thinking, arXiv 2506.22832; how anchors are drawn is assumed.
    """

    judge: Judge
    template: str
    opening: str = ""
    count: int = 4
    seed: int = 0
    both: bool = True

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ConfigError(f"Anchored: needs at least 1 anchor, got {self.count}")

    def scores(self, caption: str, pictures: Sequence[Any]) -> NDArray[np.float64]:
        """(N,) in 0..1; NaN for a picture whose comparisons all failed."""
        chosen = anchors(len(pictures), self.count, self.seed)
        pairs = [(i, a) for i in range(len(pictures)) for a in chosen if i != a]
        shown = [*pairs, *((a, i) for i, a in pairs)] if self.both else pairs
        verdicts = ask(self.judge, "choose", [self._question(caption, pictures[i], pictures[a]) for i, a in shown])
        first = [np.nan if verdict.value is None else float(verdict.value[0]) for verdict in verdicts]
        wins_NA = np.full((len(pictures), len(chosen)), np.nan)
        for number, (i, a) in enumerate(pairs):
            p = first[number]
            wins_NA[i, chosen.index(a)] = balanced(p, first[len(pairs) + number]) if self.both else p
        return mean_wins(wins_NA)

    def _question(self, caption: str, one: Any, other: Any) -> Question:
        fields = (("caption", caption),)
        return Question(self.template, fields, images=(one, other), options=("1", "2"), opening=self.opening)
