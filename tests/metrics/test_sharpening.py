"""Piecewise shaping: order, range, bars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ConfigError
from sightline.metrics.sharpening import Sharpened

unit = st.floats(0, 1)


@given(unit, unit, st.lists(unit, min_size=1, max_size=9), st.booleans())
def test_rises_stays_in_range_and_keeps_what_lies_between(
    a: float, b: float, values: list[float], closed: bool
) -> None:
    shape = Sharpened(min(a, b), max(a, b), closed)
    x = np.sort(values)
    y = shape(x)
    assert (np.diff(y) >= 0).all()
    assert ((y >= 0) & (y <= 1)).all()
    between = (x >= shape.lo) & (x < shape.hi)
    assert np.array_equal(y[between], x[between])
    assert (y[x < shape.lo] == 0).all()
    assert (y[x > shape.hi] == 1).all()


def test_bars_that_cross_are_refused() -> None:
    with pytest.raises(ConfigError, match="upper bar"):
        Sharpened(0.75, 0.5)
