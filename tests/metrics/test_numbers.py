import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.metrics import equal_rounded, relative_closeness, relative_error
from sightline.metrics.numbers import near

FINITE = st.floats(-1e6, 1e6)


@given(st.floats(), FINITE)
def test_closeness_is_the_formula(value, gold):
    wanted = 1 - min(1, (abs(value - gold) + 1e-9) / (abs(gold) + 1e-9)) if math.isfinite(value) else 0.0
    assert relative_closeness(value, gold) == pytest.approx(wanted, abs=1e-15)
    assert 0 <= relative_closeness(value, gold) < 1 or gold != 0


@given(st.lists(st.floats(), max_size=5), st.floats())
def test_equal_rounded_is_pythons_round(values, gold):
    wanted = [math.isfinite(value) and round(value, 2) == round(gold, 2) for value in values]
    assert equal_rounded(values, gold).tolist() == wanted


def test_rounds_the_exact_binary_value():
    assert not equal_rounded(1.115, 1.12)
    assert np.round(1.115, 2) == 1.12
    assert equal_rounded(2.5, 2, digits=0)


@pytest.mark.parametrize(
    ("value", "gold", "wanted"),
    [
        (10, 10, 1.0),
        (11, 10, 0.9),
        (-10, 10, 0.0),
        (0, 0, 0.0),
        (math.nan, 1, 0.0),
        (math.inf, 1, 0.0),
        (-1e308, 1e308, 0.0),
    ],
)
def test_closeness(value, gold, wanted):
    assert relative_closeness(value, gold) == pytest.approx(wanted, abs=1e-8)


def test_a_gold_number_that_is_none_is_not_applicable():
    assert np.isnan(relative_closeness([1.0, math.inf], [math.nan, math.inf])).all()
    assert relative_error(math.inf, 3.0) == math.inf
    assert relative_error(np.zeros((0, 2)), 1.0).shape == (0, 2)


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 6))
def test_near_is_exact_arithmetic_on_decimals(whole, apart, places):
    """a and a + d as decimals are within d of each other, and not within less than it by a thousandth."""
    scale = 10**places
    a, b, distance = whole / scale, (whole + apart) / scale, apart / scale
    assert near(a, b, distance)
    assert near(b, a, distance)
    if apart:
        assert not near(a, b, (apart - 0.001) / scale)
