"""Rank rewards: repeats, lengths, foreign ids, and what the data must be."""

from __future__ import annotations

import numpy as np
import pytest

import sightline
from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.reranking import RankGain, RankingLength


def rewarded(said: str, variant: str = "strict", right: tuple[int, ...] = (1,), n: int = 5) -> float:
    batch = Batch([f"<think>t</think><answer>{said}</answer>"], {"solution": [[list(right), n]]})
    return float(sightline.load("mm-r5").variant(variant)(batch).values[0])


@pytest.mark.parametrize("attack", ["[1, 1, 1, 1, 1]", "[1]", "[9, 8, 7, 6, 1]", "[" + "1, " * 400 + "1]"])
def test_no_attack_earns_more_than_a_whole_list_that_is_wrong(attack: str) -> None:
    wrong = rewarded("[2, 3, 4, 1, 5]")
    assert rewarded(attack) <= max(wrong, 1 + 1 / 5)  # naming the best page once is worth its gain and a fifth of form
    assert rewarded(attack) < rewarded("[1, 2, 3, 4, 5]")


@pytest.mark.parametrize(
    "solution",
    [[1], [[1]], [[0], 5], [[6], 5], [[1], 0], [[1], "5"], "[1, 5]", {"ids": [1], "n": 5}, None, [[True], 5], 7],
)
def test_a_solution_must_be_a_pair(solution: object) -> None:
    with pytest.raises(ColumnError, match=r"column `solution` of row 1 .*pair"):
        RankGain()(Batch(["", ""], {"solution": [[[1], 2], solution]}))


def test_arrays_are_pairs_too() -> None:
    batch = Batch(["<answer>[2, 1]</answer>"], {"solution": [[np.array([2]), np.int64(2)]]})
    assert RankGain()(batch).values.tolist() == [1.0]


def test_marks_point_at_the_list() -> None:
    text = "so <answer> [2, 1] </answer>"
    (mark,) = RankGain()(Batch([text], {"solution": [[[1], 2]]})).marks[0]
    assert text[int(mark.place[0]) : int(mark.place[1])] == "[2, 1]"
    assert mark.value == 0.125


def test_released_length_has_a_finite_bound() -> None:
    low, high = sightline.load("mm-r5").variant("official").bounds()
    assert np.isfinite([low, high]).all()
    assert RankingLength().bounds() == (0.0, 1.0)


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_large_batches_are_fast() -> None:
    size = 20_000
    batch = Batch(["<think>t</think><answer>[4, 1, 2, 3, 5]</answer>"] * size, {"solution": [[[4], 5]] * size})
    assert sightline.load("mm-r5").reward(batch).values.sum() == 2 * size
