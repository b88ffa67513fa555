"""Pivotal tokens, weights of rollouts, and the rule that joins them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sightline.core import Batch, Scores
from sightline.credit import GroupRelative, ImageDependency, Tokens
from sightline.credit.clipped_loss import clipped_loss
from sightline.credit.pivotal import top_share, trajectory_weights
from sightline.credit.token_perception import TokenPerception
from sightline.media.corruption import BlackPatches, Blur, GaussianNoise, SolidFill

VALUES = arrays(np.float64, (3, 7), elements=st.floats(0, 10))
MASKS = arrays(np.bool_, (3, 7))


@given(VALUES, MASKS, st.floats(0.05, 1.0))
def test_as_many_tokens_as_the_share_says_and_the_largest(values: np.ndarray, mask: np.ndarray, share: float) -> None:
    kept = top_share(values, mask, share, bypass_zero=False)
    assert not (kept & ~mask).any()
    assert kept.sum(1).tolist() == np.ceil(share * mask.sum(1) - 1e-9).tolist()
    for row in range(3):
        left, taken = values[row, mask[row] & ~kept[row]], values[row, kept[row]]
        assert not len(left) or not len(taken) or taken.min() >= left.max()


@given(arrays(np.float64, 6, elements=st.floats(0, 10)))
def test_weights_have_mean_1_and_the_least_is_the_lowest_score(scores: np.ndarray) -> None:
    weights = trajectory_weights(scores)
    assert weights.mean() == pytest.approx(1.0, abs=1e-6)
    assert weights.min() >= 0.9 - 1e-9
    assert (np.diff(weights[np.argsort(scores)]) >= 0).all()


def test_a_score_that_is_not_finite_is_in_no_statistic() -> None:
    weights = trajectory_weights(np.array([0.1, np.inf, 0.3, np.nan]))
    np.testing.assert_allclose(weights, [0.9, 1.0, 1.1, 1.0], atol=1e-6)


def test_prompts_without_signal_can_be_left_out_of_the_weights() -> None:
    dependency, mask = np.array([[0.1], [0.3], [9.0], [0.0]]), np.ones((4, 1), dtype=bool)
    batch = Batch([""] * 4, group=[0, 0, 1, 1])
    tokens = Tokens(mask, measured={"dependency": dependency})
    rule = TokenPerception(SolidFill(), GroupRelative(scale=None), only_informative=True)
    found, _ = rule.assign(Scores.of([1, 0, 1, 1]), batch, tokens)
    np.testing.assert_allclose(found[:, 0], [0.5 * 0.9, -0.5 * 1.1, 0, 0], atol=1e-6)


def test_the_entropy_penalty_is_an_advantage_of_every_token() -> None:
    tokens = Tokens(np.array([[True, True, False]] * 2), measured={"dependency": np.array([[1.0, 0, 0]] * 2)})
    batch = Batch([""] * 2, group=[0, 0])
    plain, sharp = (
        TokenPerception(SolidFill(), sharpen=c).assign(Scores.of([1, 0]), batch, tokens)[0] for c in (0.0, 0.06)
    )
    np.testing.assert_allclose(sharp - plain, 0.06 * tokens.mask)


def test_what_is_to_be_measured_follows_from_the_arguments() -> None:
    assert TokenPerception(Blur()).measures == (ImageDependency(Blur()),)
    names = [m.name for m in TokenPerception(Blur(), entropy_share=0.2).measures]
    assert names == ["dependency", "entropy"]


def test_the_loss_per_rollout_ignores_length() -> None:
    mask = np.array([[1, 1, 1, 1], [1, 0, 0, 0]])
    assert clipped_loss([1.0, -1.0], mask, mean="rollout") == pytest.approx(0.0)
    assert clipped_loss([1.0, -1.0], mask) == pytest.approx(-3 / 5)


@pytest.mark.parametrize("corrupt", [BlackPatches(), GaussianNoise(), SolidFill(), Blur()])
def test_corruptions_are_seeded_and_keep_the_shape(corrupt: object) -> None:
    assert callable(corrupt)
    picture = np.random.default_rng(0).integers(0, 255, (30, 45, 3)).astype(np.uint8)
    before = picture.copy()
    one, same = (corrupt(picture, np.random.default_rng(5)) for _ in range(2))
    assert one.shape == picture.shape
    assert one.dtype == np.uint8
    assert (one == same).all()
    assert (one != picture).any()
    assert (picture == before).all()


def test_black_patches() -> None:
    picture = np.full((29, 29, 3), 7, np.uint8)
    rng = np.random.default_rng(0)
    assert (BlackPatches(probability=0.0)(picture, rng) == picture).all()
    assert not BlackPatches(probability=1.0)(picture, rng).any()
    wide = np.full((14 * 60, 14 * 60, 3), 7, np.uint8)
    assert abs((BlackPatches()(wide, rng) == 0).mean() - 0.5) < 0.03
