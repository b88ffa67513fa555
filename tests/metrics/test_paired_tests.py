from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from sightline.core.errors import ShapeError
from sightline.core.missing import Missing
from sightline.curate.false_thoughts import COLOURS, with_mistake
from sightline.metrics.paired_tests import mcnemar, paired_effect, rate_of_users


@settings(max_examples=80)
@given(st.integers(0, 40), st.integers(0, 40))
def test_is_the_binomial_test(b: int, c: int) -> None:
    expected = binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert mcnemar(b, c) == pytest.approx(expected)
    assert mcnemar(b, c) == mcnemar(c, b)


def test_large_counts() -> None:
    assert mcnemar(5000, 5000) == 1.0
    assert 0 <= mcnemar(100, 3000) < 1e-100


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=30))
def test_effect_is_the_difference_of_means(pairs: list[tuple[int, int]]) -> None:
    before, after = map(np.array, zip(*pairs, strict=True))
    found = paired_effect(before, after)
    assert found.effect == pytest.approx(after.mean() - before.mean())
    assert paired_effect(after, before).effect == pytest.approx(-found.effect)


def test_what_cannot_be_paired() -> None:
    assert np.isnan(paired_effect([], []).effect)
    assert paired_effect([1, np.nan], [0, 1]).harmed == 1
    for before, after in (([1], [1, 0]), ([0.5], [1])):
        with pytest.raises(ShapeError):
            paired_effect(before, after)
    with pytest.raises(ShapeError):
        mcnemar(-1, 2)
    with pytest.raises(ShapeError):
        rate_of_users([1], [1, 0])


@pytest.mark.parametrize(
    ("thought", "false"),
    [
        ("left 3", "right 3"),
        ("A RED cup", "A green cup"),
        ("gray", "red"),
        ("in front of 2", "in behind of 2"),
        ("room 9.", "room 10."),
        ("2.5 then 5", "2.5 then 6"),
        ("topmost 3D up", "topmost 3D down"),
    ],
)
def test_mistakes(thought: str, false: str) -> None:
    assert with_mistake(thought) == false


@settings(max_examples=80)
@given(st.text(max_size=30))
def test_a_mistake_changes_the_text_or_there_is_none(thought: str) -> None:
    found = with_mistake(thought)
    assert isinstance(found, Missing) or found != thought


def test_colours_go_round() -> None:
    text = "red"
    for _ in COLOURS:
        changed = with_mistake(text)
        assert isinstance(changed, str)
        text = changed
    assert text == "red"
