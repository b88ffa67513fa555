from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ConfigError
from sightline.metrics.recent_scores import QuantileSigmoid, RankAmong, StandardSigmoid, remembered, unchanged

UNIT = st.floats(0, 1)
MAPS = (QuantileSigmoid(least=2), StandardSigmoid(least=2), RankAmong(least=2))


@pytest.mark.parametrize("to", MAPS, ids=lambda to: type(to).__name__)
@given(values=st.lists(UNIT, min_size=2, max_size=12), history=st.lists(UNIT, min_size=2, max_size=40))
def test_a_map_keeps_the_order_and_the_unit_interval(to, values, history) -> None:
    mapped = to(np.sort(values), history)
    assert ((mapped >= 0) & (mapped <= 1)).all()
    assert (np.diff(mapped) >= -1e-12).all()


@given(values=st.lists(UNIT, min_size=1, max_size=8), history=st.lists(UNIT, min_size=5, max_size=40))
def test_shifting_scores_and_history_together_changes_nothing(values, history) -> None:
    to = QuantileSigmoid(least=5, floor=0.05)
    moved = to(np.add(values, 0.25), np.add(history, 0.25))
    np.testing.assert_allclose(moved, to(values, history), atol=1e-9)


@given(history=st.lists(UNIT, min_size=2, max_size=40), order=st.randoms())
def test_the_order_of_the_history_does_not_matter(history, order) -> None:
    other = list(history)
    order.shuffle(other)
    for to in MAPS:
        np.testing.assert_allclose(to([0.3, 0.7], other), to([0.3, 0.7], history), atol=1e-9)


def test_rank_is_the_mean_of_indicator_and_half_the_ties() -> None:
    rng = np.random.default_rng(0)
    history, values = rng.integers(0, 6, 30) / 6, np.arange(7) / 6
    plain = [np.mean((history < v - 1e-9) + 0.5 * (np.abs(history - v) <= 1e-9)) for v in values]
    np.testing.assert_allclose(RankAmong(least=1)(values, history), plain)


@pytest.mark.parametrize("to", [*MAPS, unchanged])
def test_nan_stays_nan(to) -> None:
    mapped = to([np.nan, 0.5], [0.1, 0.5, 0.9])
    assert np.isnan(mapped[0])
    assert not np.isnan(mapped[1])


def test_before_the_first_score_nothing_is_mapped() -> None:
    for to in (QuantileSigmoid(least=0), StandardSigmoid(least=0), RankAmong(least=0)):
        assert to([0.4], []).tolist() == [0.4]


@given(st.lists(st.lists(UNIT, max_size=5), max_size=6), st.integers(1, 7))
def test_the_buffer_holds_the_end_of_all_that_came(batches, size) -> None:
    history: tuple[float, ...] = ()
    for batch in batches:
        history = remembered(history, batch, size)
    everything = [value for batch in batches for value in batch]
    assert list(history) == everything[-size:]


@pytest.mark.parametrize("wrong", [{"low": 0.0}, {"high": 1.0}, {"low": 0.9, "high": 0.1}, {"floor": 0.0}])
def test_a_map_that_cannot_be_is_refused(wrong) -> None:
    with pytest.raises(ConfigError):
        QuantileSigmoid(**wrong)
    with pytest.raises(ConfigError):
        remembered((), [1.0], size=0)
