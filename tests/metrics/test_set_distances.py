"""Set distances: what holds for every one of them, and other ways to compute the hard ones."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.metrics import set_distances as sets
from sightline.metrics.set_distances import DISTANCES, cosine_cost, directed, earth_movers, hungarian, sinkhorn

numbers = st.floats(-3, 3).map(lambda x: round(x, 2))
sets_of = st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=5)
EXACT = {name: distance for name, distance in DISTANCES.items() if name != "sinkhorn"}


@given(sets_of, sets_of, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_order_and_sides_do_not_matter(x, y, random) -> None:
    for name, distance in EXACT.items():
        value = distance(x, y)
        again = distance(random.sample(y, len(y)), random.sample(x, len(x)))
        assert value == pytest.approx(again, abs=1e-9), name
        assert -1e-9 <= value <= (4 if name == "energy" else 2) + 1e-9, name


@given(sets_of)
@settings(max_examples=40)
def test_a_set_is_next_to_itself_but_for_rows_without_length(x) -> None:
    whole = [row for row in x if any(row)]
    for name, distance in EXACT.items():
        found = distance(whole, whole)
        mean = np.linalg.norm(sets.unit_rows(whole).mean(axis=0)) if whole else 1
        # the means of opposite rows have no direction to compare
        assert found == pytest.approx(1.0 if name == "centroid" and mean < 1e-12 else 0.0, abs=1e-7), name


@given(sets_of, sets_of)
@settings(max_examples=30)
def test_the_assignment_is_the_best_of_all(x, y) -> None:
    small, large = sorted((x, y), key=len)
    c = cosine_cost(sets.unit_rows(small), sets.unit_rows(large))
    best = min(sum(c[i, j] for i, j in enumerate(order)) for order in permutations(range(len(large)), len(small)))
    assert hungarian(x, y) == pytest.approx((best + len(large) - len(small)) / len(large))


@given(sets_of, sets_of)
@settings(max_examples=30)
def test_transport_by_copies_is_transport_by_linear_programme(x, y) -> None:
    c = cosine_cost(sets.unit_rows(x), sets.unit_rows(y))
    assert earth_movers(x, y) == pytest.approx(sets._linear_programme(c), abs=1e-9)
    assert earth_movers(x, y) <= sinkhorn(x, y, rounds=200) + 1e-6


def test_transport_agrees_with_another_library() -> None:
    ot = pytest.importorskip("ot", reason="POT is not installed")
    rng = np.random.default_rng(0)
    for m, n in ((3, 4), (7, 5), (29, 31)):
        x, y = rng.normal(size=(m, 6)), rng.normal(size=(n, 6))
        c = cosine_cost(sets.unit_rows(x), sets.unit_rows(y))
        a, b = np.full(m, 1 / m), np.full(n, 1 / n)
        assert earth_movers(x, y) == pytest.approx(ot.emd2(a, b, c), abs=1e-9)
        assert sinkhorn(x, y) == pytest.approx(float((ot.sinkhorn(a, b, c, 0.1, numItermax=500) * c).sum()), abs=1e-6)


def test_small_epsilon_does_not_underflow() -> None:
    assert sinkhorn([[1, 0]], [[-1, 0], [0, 1]], epsilon=1e-4) == pytest.approx(1.5)


def test_copies_and_omissions() -> None:
    """What is written twice is not punished by Chamfer; what is left out or invented shows in one direction each."""
    e = np.eye(4)
    assert sets.chamfer(e[[0, 0, 1]], e[:2]) == 0
    assert hungarian(e[[0, 0, 1]], e[:2]) > 0
    assert earth_movers(e[[0, 0, 1]], e[:2]) > 0
    assert (directed(e[:1], e[:2]), directed(e[:2], e[:1])) == (0, 0.5)


def test_other_ground_costs() -> None:
    x, y = [[1, 0]], [[0, 1]]
    assert directed(x, y, sets.euclidean_cost) == pytest.approx(np.sqrt(2))
    assert directed(x, y, sets.half_cosine_cost) == 0.5
    weighted = sets.Weighted(0.25, sets.euclidean_cost)  # 0.25 * 0 + 0.75 * (0 + sqrt 2) / 2
    assert weighted(x, [*x, *y]) == pytest.approx(0.75 * np.sqrt(2) / 2)
    assert weighted == sets.Weighted(0.25, sets.euclidean_cost)


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_long_reports_are_quick() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(23, 384)), rng.normal(size=(19, 384))
    for distance in DISTANCES.values():
        assert np.isfinite(distance(x, y))
