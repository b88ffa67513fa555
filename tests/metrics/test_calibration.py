"""Late grades and what guessing earns, against sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.metrics.calibration import LateRise, calibrated, count_closeness, guessing, linear_count_closeness


@given(st.integers(1, 40), st.floats(0.01, 20))
def test_guessing_is_the_mean_over_coin_flips(m: int, k: float) -> None:
    written_out = sum(math.comb(m, c) * 2.0**-m * (math.exp(k * c / m) - 1) / (math.exp(k) - 1) for c in range(m + 1))
    assert guessing(m, k) == pytest.approx(written_out, rel=1e-9)
    assert guessing(m, 1e-6) == pytest.approx(0.5, abs=1e-5)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 12))
def test_late_grades_keep_order_and_ends(x: float, y: float, k: float) -> None:
    grade = LateRise(k)
    assert (grade(x) <= grade(y)) == (x <= y) or abs(x - y) < 1e-12
    assert grade(0.0) == 0
    assert grade(1.0) == pytest.approx(1)
    assert grade(x) <= x + 1e-12


@given(st.floats(0, 1), st.floats(0, 0.99))
def test_calibrated_is_0_for_the_shortcut_and_1_for_the_best(grade: float, expected: float) -> None:
    assert calibrated(expected, expected) == pytest.approx(0, abs=1e-9)
    assert calibrated(1.0, expected) == pytest.approx(1)
    assert calibrated(grade, expected) <= 1 + 1e-12


@given(st.integers(-30, 60), st.integers(1, 30))
def test_counts_as_the_formula_says(x: int, k: int) -> None:
    plain = 1 - (math.exp(abs(x - k)) - 1) / (math.exp(k) - 1)
    assert count_closeness(x, k) == pytest.approx(min(1.0, max(0.0, plain)), abs=1e-9)
    assert linear_count_closeness(x, k) == pytest.approx(max(0.0, 1 - abs(x - k) / k))


def test_counts_without_overflow() -> None:
    with np.errstate(all="raise", under="ignore"):
        found = count_closeness(np.array([1e9, 0.0, 2e9, 5.0, -3.0]), np.array([1e9, 1e9, 1e9, 0.0, -3.0]))
    assert found.tolist() == [1, 0, 0, 0, 1]


def test_no_decisions_cannot_be_guessed() -> None:
    with pytest.raises(ValueError, match="at least one decision"):
        guessing(0)
