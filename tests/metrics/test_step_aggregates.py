"""Aggregates of step scores, gates, the best of several."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.metrics import step_aggregates as room
from sightline.metrics.best_of import best_of, chosen, pass_at, sign_agreement

PAIRS = (
    (room.mean_correctness, room.exact_correctness),
    (room.weighted_correctness, room.weighted_correctness),
    (room.streak, room.exact_streak),
    (room.geometric, room.exact_geometric),
    (room.first_error, room.exact_first_error),
)
SIGNS = st.lists(st.sampled_from([1.0, -1.0]), max_size=12)
SCORES = st.lists(st.just(-1.0) | st.floats(0, 1), max_size=12)


@given(SIGNS)
def test_both_variants_agree_on_ungated_scores(signs: list[float]) -> None:
    for strict, official in PAIRS:
        assert strict(signs) == pytest.approx(official(signs))


@given(SCORES)
def test_all_lie_in_the_unit_interval(scores: list[float]) -> None:
    for pair in PAIRS:
        for aggregate in pair:
            assert -1e-12 <= aggregate(scores) <= 1 + 1e-12


@given(SCORES, st.floats(0, 1), st.floats(0, 1), st.sets(st.integers(-2, 14)))
def test_more_reliability_never_pays_less(scores: list[float], p: float, q: float, visual: set[int]) -> None:
    low, high = sorted((p, q))
    worse, better = room.gated(scores, low, visual), room.gated(scores, high, visual)
    assert np.all(np.asarray(worse) <= np.asarray(better))
    for strict, _ in PAIRS:
        assert strict(worse) <= strict(better) + 1e-12


def test_scaling_a_probability_may_reach_zero_but_a_verdict_stays_wrong() -> None:
    assert room.gated([0.8, 0.4], 0.5, {0}, room.scaled) == [0.4, 0.4]
    assert room.gated([-1], 0.0, {0}) == [-1]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=8), st.integers(1, 8))
def test_the_best_of_k_is_never_right_where_none_is(candidates: list[tuple[float, bool]], k: int) -> None:
    scores, right = [score for score, _ in candidates], [one for _, one in candidates]
    for ties in ("first", "any"):
        assert best_of(scores, right, k, ties) <= pass_at(right, k)
    assert best_of(scores, right, k) <= best_of(scores, right, k, "any")


def test_missing_candidates() -> None:
    assert chosen([None, float("nan"), 0.0]) == 2
    assert chosen([float("nan")]) == 0
    assert not best_of([float("nan")], [True], 1, "any")
    with pytest.raises(ShapeError):
        best_of([1.0], [], 1)


def test_agreement_needs_as_many_solutions() -> None:
    with pytest.raises(ShapeError):
        sign_agreement([[1]], [])
    assert sign_agreement([[0]], [[1]]).macro == 0
