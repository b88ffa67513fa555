"""Spoilt pictures and what can still be read on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.media.degrade import cover, low_contrast, motion_blur, noise, patch_over
from sightline.media.legibility import covered_shares, legible_strings


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (12, 20, 3), dtype=np.uint8)


def test_nothing_asked_changes_nothing() -> None:
    same = picture()
    assert np.array_equal(motion_blur(same, 1), same)
    assert np.array_equal(low_contrast(same, 1.0), same)
    assert np.array_equal(noise(same, 0.0, np.random.default_rng(0)), same)
    spoilt, mask = cover(same, [])
    assert np.array_equal(spoilt, same)
    assert not mask.any()


def test_blur_follows_its_angle_and_keeps_the_mean() -> None:
    dot = np.zeros((9, 9, 3), np.uint8)
    dot[4, 4] = 200
    assert (motion_blur(dot, 5, 0)[..., 0] > 0).nonzero()[0].tolist() == [4] * 5
    assert (motion_blur(dot, 5, 90)[..., 0] > 0).nonzero()[1].tolist() == [4] * 5
    assert motion_blur(dot, 5, 0)[..., 0].sum() == 200


@given(st.integers(2, 20), st.integers(2, 20), st.floats(0, 1), st.integers(0, 99))
def test_a_patch_covers_about_its_share(wide: int, high: int, share: float, seed: int) -> None:
    box = (3, 4, 3 + wide, 4 + high)
    patch = patch_over(box, share, np.random.default_rng(seed))
    mask = cover(np.zeros((40, 40, 3), np.uint8), [patch])[1]
    assert abs(covered_shares(mask, [box])[0] - share) <= 0.5 / min(wide, high) + 1e-9
    outside = mask.copy()
    outside[4 : 4 + high, 3 : 3 + wide] = False
    assert not outside.any()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), max_size=12))
def test_every_character_is_in_one_class(characters: list[tuple[str, float]]) -> None:
    text, shares = "".join(c for c, _ in characters), [share for _, share in characters]
    found = legible_strings(text, shares)
    hidden = sum(share > 0.6 for share in shares)
    assert len(found.clear) + len(found.not_clear) + hidden == len(text) == len(found.final)
    assert found.final.count(" ") == hidden
    assert sorted(found.clear + found.not_clear) == sorted(found.final.replace(" ", ""))


def test_wrong_shapes_are_named() -> None:
    with pytest.raises(ShapeError, match="1 shares for 2 characters"):
        legible_strings("ab", [0.0])
    with pytest.raises(ShapeError, match="mask"):
        covered_shares(np.zeros((2, 2, 3), bool), [[0, 0, 1, 1]])


def test_boxes_outside_the_picture_count_as_covered() -> None:
    assert covered_shares(np.zeros((4, 4), bool), [[9, 9, 12, 12], [-2, 0, 2, 4]]).tolist() == [1.0, 0.0]
