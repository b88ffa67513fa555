"""Statements whose truth is known: whatever is called false says something else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.curate.falsified import OptionSetItems, falsified, falsified_number

ANSWER = st.sampled_from(["yes", "No", "3", "0", "1e3", "2.50", "red", "grey", "Red.", "a harbour"])
PAIRS = st.lists(st.tuples(st.text("abc", min_size=1, max_size=3), ANSWER), min_size=5, max_size=15)


@given(PAIRS, st.integers(0, 99))
def test_truth_is_what_the_text_says(pairs: list[tuple[str, str]], seed: int) -> None:
    row = OptionSetItems()(pairs, seed)
    if isinstance(row, Missing):
        assert row.why == "no answer can be falsified"
        return
    assert 5 <= len(row["options"]) <= 12
    assert any(row["solution"])
    assert not all(row["solution"])
    right = {f"{question} -> {answer}" for question, answer in pairs}
    for option, true in zip(row["options"], row["solution"], strict=True):
        question, _, said = option.partition(" -> ")
        if true:
            assert option in right
        else:
            assert (question, said) not in [(q, a) for q, a in pairs] or sum(q == question for q, _ in pairs) > 1
    assert row == OptionSetItems()(pairs, seed), "the seed decides"


def test_half_of_the_statements_are_true() -> None:
    pairs = [(f"q{i}", str(i + 10)) for i in range(10)]
    share = np.mean([np.mean(OptionSetItems()(pairs, seed)["solution"]) for seed in range(300)])
    assert share == pytest.approx(0.5, abs=0.03)


@given(st.integers(-(10**9), 10**9), st.sampled_from([-1, 1]))
def test_a_whole_number_changes_to_a_whole_number(value: int, way: int) -> None:
    found = int(falsified_number(str(value), way))
    assert abs(found - value) == max(1, round(abs(value) * 0.2))
    assert found >= 0 or value < 0


@given(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-3), st.sampled_from([-1, 1]))
def test_a_number_changes_by_a_fifth(value: float, way: int) -> None:
    text = f"{value:.4f}"
    assert abs(float(falsified_number(text, way)) - float(text)) == pytest.approx(abs(float(text)) * 0.2, rel=1e-3)


def test_what_cannot_be_falsified() -> None:
    assert falsified("red", ["red", "Red.", "yes", "3"], np.random.default_rng(0)).why == "no other answer to take"
    assert OptionSetItems()([("a", "b")] * 5, 0).why == "no answer can be falsified"
    assert OptionSetItems()([("a", "b")], 0).why == "1 pairs: an item needs 5"
    with pytest.raises(ValueError, match="'x' is not a number"):
        falsified_number("x", 1)
