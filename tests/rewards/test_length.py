"""Length rewards: their ends, and the column they need."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards import Constant, Reward
from sightline.rewards.length import CosineLength, OverlongPenalty, TokensWithin

LENGTHS: list[Reward] = [TokensWithin(1, 2), CosineLength(Constant(1.0)), OverlongPenalty(10, 5)]


def batch(*tokens: object) -> Batch:
    return Batch(["a"] * len(tokens), {"completion_tokens": list(tokens)})


def test_both_ends_of_the_window_are_inside() -> None:
    scores = TokensWithin(320, 512)(batch(319, 320, np.int64(512), 513))
    assert scores.values.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert scores.why[0] == "319 tokens, wanted 320..512"


def test_cosine_at_the_ends_and_beyond() -> None:
    assert CosineLength(Constant(0.7))(batch(0, 512, 1024, 4096)).values == pytest.approx([1.0, 0.75, 0.5, 0.5])
    assert CosineLength(Constant(0.69))(batch(0, 512, 1024, 4096)).values == pytest.approx([-0.5, -0.25, 0.0, 0.0])
    unclamped = CosineLength(Constant(1.0), clamp=False)
    assert unclamped(batch(2048)).values == pytest.approx([1.0])
    assert CosineLength(Constant(1.0)).bounds() == (-0.5, 1.0)


def test_cosine_of_what_could_not_be_judged_keeps_its_reason() -> None:
    unknown = Constant(float("nan"), "error: judge down")
    scores = CosineLength(unknown)(batch(5))
    assert np.isnan(scores.values[0])
    assert scores.why == ["error: judge down"]


@pytest.mark.parametrize("reward", LENGTHS, ids=lambda reward: type(reward).__name__)
@pytest.mark.parametrize("tokens", [None, -1, "12", True, float("nan")])
def test_wrong_counts_are_refused(reward: Reward, tokens: object) -> None:
    wanted = f"{type(reward).__name__}: column `completion_tokens` of row 1 is .*; it needs a number of tokens"
    with pytest.raises(ColumnError, match=wanted):
        reward(batch(3, tokens))


def test_wrong_counts_are_refused_behind_a_closed_gate_too() -> None:
    with pytest.raises(ColumnError, match="row 0 is None"):
        TokensWithin(1, 2).when(Constant(0.0))(batch(None))


@pytest.mark.parametrize("reward", LENGTHS, ids=lambda reward: type(reward).__name__)
def test_the_missing_column_is_named(reward: Reward) -> None:
    with pytest.raises(ColumnError, match="reads column `completion_tokens`"):
        reward(Batch(["a"]))
