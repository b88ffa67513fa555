"""Vectors of any size have a direction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.metrics.embeddings import cosine_of_mean, unit_rows

NUMBER = st.floats(-2, 2, allow_subnormal=False).map(lambda x: x if abs(x) > 0.01 else 0.0)


@given(
    st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=1, max_size=4), st.sampled_from([1e-290, 1e-200, 1e200, 1e307])
)
def test_directions_do_not_depend_on_size(rows: list[tuple[float, ...]], size: float) -> None:
    assert unit_rows(np.array(rows) * size) == pytest.approx(unit_rows(rows))


def test_rows_of_very_different_sizes_and_none() -> None:
    rows = [[3e200, 4e200], [3e-200, 4e-200], [0, 0], [np.inf, 1], [1, np.nan], [1e308, -1e308]]
    expected = [[0.6, 0.8], [0.6, 0.8], [0, 0], [0, 0], [0, 0], [0.5**0.5, -(0.5**0.5)]]
    assert unit_rows(rows) == pytest.approx(np.array(expected))
    assert cosine_of_mean([1e200, 0], [[3e200, 4e200]]) == pytest.approx(0.6)
