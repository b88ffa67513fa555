"""Bounds move as they should with every argument, and hold where they are claimed to."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ConfigError, ShapeError
from sightline.metrics.learning_bounds import (
    convergence_bound,
    kl_divergence,
    pac_bayes_term,
    shift_term,
    shift_term_over_root_n,
    total_variation,
    transfer_bound,
)

T, S = [0.75, 0.25], [0.5, 0.5]


@st.composite
def pairs(draw):
    size = draw(st.integers(1, 6))
    drawn = [draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)) for _ in range(2)]
    counts = [np.array(one, float) + (0.0 if sum(one) else 1.0) for one in drawn]
    values = np.array(draw(st.lists(st.floats(0, 1), min_size=size, max_size=size)))
    return counts[0] / counts[0].sum(), counts[1] / counts[1].sum(), values


@given(pairs())
def test_shift_never_costs_more_than_its_term(pair) -> None:
    target, source, values = pair
    assert abs(values @ (source - target)) <= shift_term(target, source) + 1e-9


@given(pairs())
def test_pinsker_so_the_minimum_is_the_total_variation(pair) -> None:
    target, source, _ = pair
    assert shift_term(target, source) == pytest.approx(total_variation(target, source), abs=1e-9)


def test_the_printed_shift_term_is_refuted_by_two_prompts() -> None:
    lost = float(np.array([1.0, 0.0]) @ (np.array(T) - np.array(S)))
    assert lost == 0.25 > shift_term_over_root_n(T, S, 100)
    assert shift_term(T, S) == 0.25


def test_more_prompts_shrink_the_middle_term_only() -> None:
    terms = [pac_bayes_term(2, n, 0.05) for n in (10, 100, 1000)]
    assert terms == sorted(terms, reverse=True)
    few, many = (transfer_bound(0.8, 2, n, 0.05, T, S) for n in (100, 10**12))
    assert few < many < 0.8 - 0.25 + 1e-9
    assert many == pytest.approx(0.55, abs=1e-4)


@pytest.mark.parametrize(("more", "grows"), [({"kl": 3}, True), ({"delta": 0.01}, True), ({"delta": 0.5}, False)])
def test_middle_term_moves(more, grows) -> None:
    given = {"kl": 2, "prompts": 500, "delta": 0.05}
    assert (pac_bayes_term(**{**given, **more}) > pac_bayes_term(**given)) is grows


def test_middle_term_holds_for_coins() -> None:
    rng = np.random.default_rng(0)
    means = rng.binomial(50, 0.5, size=2000) / 50
    assert (means - 0.5 > pac_bayes_term(0, 50, 0.1)).mean() < 0.1


def test_noise_of_the_gradient_falls_with_groups_and_rises_with_components() -> None:
    plain = convergence_bound(1, 100, 3, 8)
    assert convergence_bound(1, 100, 3, 16) < plain < convergence_bound(1, 100, 4, 8)
    assert convergence_bound(1, 400, 3, 8) == pytest.approx(plain / 2)


def test_kl_of_what_was_never_seen_is_infinite() -> None:
    assert kl_divergence([0, 1], [1, 0]) == math.inf
    assert kl_divergence([1, 0], [0.5, 0.5]) == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("call", "given", "error"),
    [
        (transfer_bound, (0.8, 2, 500, 0.05, T, S, 1.5), ConfigError),
        (pac_bayes_term, (-1, 10, 0.1), ConfigError),
        (pac_bayes_term, (1, 10, 1.0), ConfigError),
        (convergence_bound, (1, 10, 1, 0), ConfigError),
        (total_variation, ([0.5, 0.4], S), ConfigError),
        (total_variation, ([1.0], S), ShapeError),
    ],
)
def test_wrong_arguments(call, given, error) -> None:
    with pytest.raises(error):
        call(*given)
