"""The drift model against its closed form, and the report against counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.bench import drift_report, failure_bound
from sightline.core.errors import ColumnError, ConfigError, ShapeError

BIT = st.integers(0, 1)


@given(st.integers(0, 5000), st.floats(0, 1))
def test_linear_bound_is_never_below_the_exact_value(steps: int, error: float) -> None:
    exact, linear = failure_bound(steps, error)
    assert 0 <= exact <= 1
    assert exact <= linear + 1e-12
    assert exact == pytest.approx(1 - (1 - error) ** steps, abs=1e-9)


def test_ends_of_the_range() -> None:
    assert failure_bound(0, 1.0).exact == 0
    assert failure_bound([1, 7], 1.0).exact.tolist() == [1.0, 1.0]
    assert failure_bound(1000, 0.0).linear == 0


def test_small_errors_keep_their_digits() -> None:
    assert failure_bound(3, 1e-18).exact == pytest.approx(3e-18, rel=1e-12)


@pytest.mark.parametrize(("steps", "error"), [(-1, 0.1), (1.5, 0.1), (float("nan"), 0.1), (1, 1.1), (1, float("nan"))])
def test_impossible_arguments_are_refused(steps: float, error: float) -> None:
    with pytest.raises(ConfigError, match="failure_bound"):
        failure_bound(steps, error)


@given(st.lists(st.tuples(BIT, BIT, st.sampled_from("abc")), min_size=1, max_size=30))
def test_shares_add_up(rows: list[tuple[int, int, str]]) -> None:
    direct, reasoned, kinds = map(list, zip(*rows, strict=True))
    report = drift_report(direct, reasoned, kinds)
    for drift in (report.overall, *report.categories.values()):
        assert drift.delta == pytest.approx(drift.rescued - drift.overridden)
        assert drift.delta == pytest.approx(drift.reasoned - drift.direct)
    assert sum(drift.items for drift in report.categories.values()) == report.overall.items == len(rows)


def test_items_that_could_not_be_judged_are_left_out() -> None:
    report = drift_report([1, None, 1, float("nan")], [0, 1, 1, 0], ["x", "x", "x", "y"])
    assert report.overall.items == 2
    assert report.overall.overridden == 0.5
    assert report.categories["y"].items == 0
    assert np.isnan(report.categories["y"].delta)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ShapeError, match="2 values of `reasoned` for 1 of `direct`"):
        drift_report([1], [1, 0])
    with pytest.raises(ShapeError, match="`categories`"):
        drift_report([1], [1], ["a", "b"])
    with pytest.raises(ColumnError, match=r"item 1 of `reasoned` is 0\.4; right is 1 and wrong is 0"):
        drift_report([1, 1], [1, 0.4])
