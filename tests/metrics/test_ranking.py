"""Gain and recall of an order."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from sightline.metrics.ranking import macro_mean, micro_mean, rank_gain, recall_at

orders = st.permutations(range(6))
golds = st.sets(st.integers(0, 5), min_size=1)


@given(orders, golds, st.floats(0.5, 4))
def test_gain_is_one_exactly_for_right_items_first(order: list[int], gold: set[int], power: float) -> None:
    gain = rank_gain(order, gold, power)
    assert 0 < gain <= 1 + 1e-12
    assert math.isclose(gain, 1) == (set(order[: len(gold)]) == gold)


@given(orders, golds)
def test_moving_a_right_item_up_never_costs(order: list[int], gold: set[int]) -> None:
    for first, second in itertools.pairwise(range(len(order))):
        swapped = [*order]
        swapped[first], swapped[second] = order[second], order[first]
        if order[second] in gold:
            assert rank_gain(swapped, gold) >= rank_gain(order, gold) - 1e-12


def test_repeats_count_once_but_take_ranks() -> None:
    assert rank_gain([1, 1, 2], [1, 2]) == (1 + 1 / 27) / (1 + 1 / 8)


def test_empty_sides() -> None:
    assert rank_gain([], [1]) == rank_gain([1], []) == 0
    assert math.isnan(recall_at([1], [], 1))
    assert math.isnan(micro_mean([]))


def test_means_leave_out_questions_without_gold() -> None:
    nan = float("nan")
    assert micro_mean([1, nan, 0]) == 0.5
    assert macro_mean([1, nan, 0.5, nan], ["a", "a", "b", "c"]) == 0.75
