"""The gate before reasoning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ConfigError
from sightline.search.first_good import VisualGate, bar_at, first_good

SCORES = st.lists(st.floats(0, 2), min_size=1, max_size=5)


@given(SCORES, st.floats(0, 2))
def test_the_first_at_the_bar_else_the_best(scores: list[float], bar: float) -> None:
    good = [n for n, score in enumerate(scores) if score >= bar]
    assert first_good(scores, bar) == (good[0] if good else scores.index(max(scores)))


@given(SCORES, st.floats(0, 2), st.integers(1, 5))
def test_nothing_is_drawn_after_a_good_one(scores: list[float], bar: float, most: int) -> None:
    asked: list[int] = []
    look = VisualGate(lambda n: asked.append(n) or n, lambda n: scores[n % len(scores)], bar, most)()
    seen = [scores[n % len(scores)] for n in range(most)]
    stop = next((n + 1 for n, score in enumerate(seen) if score >= bar), most)
    assert asked == list(range(stop))
    assert look.place == first_good(seen[:stop], bar)
    assert look.reached == (max(seen[:stop]) >= bar)


def test_a_score_that_cannot_be_told_is_the_worst() -> None:
    assert first_good([np.nan, 0.1], 0.6) == 1
    assert first_good([np.nan, np.nan], 0.6) == 0


def test_a_bar_by_quantile() -> None:
    assert bar_at([0.0, 1.0, np.nan], 0.5) == 0.5
    for scores, quantile in (([], 0.5), ([1.0], 1.5)):
        with pytest.raises(ConfigError):
            bar_at(scores, quantile)


@pytest.mark.parametrize("most", [0, -1])
def test_impossible_gates(most: int) -> None:
    with pytest.raises(ConfigError):
        VisualGate(int, float, 1.0, most)
    with pytest.raises(ConfigError):
        first_good([], 0.5)
