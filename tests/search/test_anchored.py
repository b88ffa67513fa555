"""Scores by comparison with a few fixed members of the pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from sightline.core.errors import ConfigError
from sightline.judges import Question, Verdict
from sightline.search.anchored import Anchored, anchors, mean_wins

POOL = [f"{n}.png" for n in range(6)]


@dataclass(frozen=True)
class Numbers:
    """Prefers the greater number by a logistic law, and the first place by `bias`."""

    bias: float = 0.0
    fails: str = ""

    @property
    def id(self) -> str:
        return "numbers"

    def choose(self, questions: Sequence[Question]) -> list[Verdict[Any]]:
        return [self._one(*question.images) for question in questions]

    def _one(self, first: str, second: str) -> Verdict[Any]:
        if self.fails in (first, second):
            return Verdict(error="down")
        p = 1 / (1 + np.exp(-(int(first[0]) - int(second[0])) - self.bias))
        return Verdict((float(p), float(1 - p)))


def test_better_pictures_score_higher_whatever_the_bias() -> None:
    plain = Anchored(Numbers(), "{caption}").scores("c", POOL)
    assert (np.diff(plain) > 0).all()
    assert Anchored(Numbers(bias=2.0), "{caption}").scores("c", POOL).argsort().tolist() == list(range(6))
    one_order = Anchored(Numbers(bias=2.0), "{caption}", both=False).scores("c", POOL)
    assert one_order.mean() > 0.6


def test_nobody_is_compared_with_itself() -> None:
    chosen = anchors(6, 4)
    scores = Anchored(Numbers(), "{caption}").scores("c", POOL)
    for i in range(6):
        others = [a for a in chosen if a != i]
        assert scores[i] == pytest.approx(np.mean([1 / (1 + np.exp(a - i)) for a in others]))


def test_failed_comparisons_are_left_out() -> None:
    chosen = anchors(6, 4)
    down = POOL[chosen[0]]
    scores = Anchored(Numbers(fails=down), "{caption}").scores("c", POOL)
    assert np.isnan(scores[chosen[0]])
    assert not np.isnan(np.delete(scores, chosen[0])).any()


def test_a_pool_of_one_has_nothing_to_be_compared_with() -> None:
    assert np.isnan(Anchored(Numbers(), "{caption}").scores("c", POOL[:1])).all()
    assert Anchored(Numbers(), "{caption}").scores("c", []).shape == (0,)
    with pytest.raises(ConfigError, match="anchor"):
        Anchored(Numbers(), "", count=0)


def test_mean_wins_of_nothing() -> None:
    assert np.isnan(mean_wins([[np.nan, np.nan]])).all()
