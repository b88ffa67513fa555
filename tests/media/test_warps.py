"""Moves of pictures agree with their matrices; hidden regions are hidden and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sightline.core.errors import ShapeError
from sightline.media.ghosts import blurred_region, flat_region
from sightline.media.warps import KINDS, RandomWarp, crop, moved_points

SIZE = (160, 120)


def dotted(x: int, y: int) -> Image.Image:
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[y - 2 : y + 2, x - 2 : x + 2] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("kind", KINDS)
def test_a_dot_goes_where_the_matrix_says(kind: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(10):
        warp = RandomWarp(kinds=(kind,), shift=(-20, 20))(*SIZE, rng)  # type: ignore[arg-type]
        x, y = (int(v) for v in rng.integers((60, 45), (100, 75)))
        there = np.asarray(warp(dotted(x, y)).convert("L"), np.float64)
        there[there == 128] = 0  # the border
        at = moved_points(warp, np.array([[x, y]], np.float64))[0]
        rows, columns = np.nonzero(there > 100)
        found = np.array([np.average(columns + 0.5, weights=there[rows, columns]), np.average(rows + 0.5)])
        np.testing.assert_allclose(found, at, atol=0.75)


def test_kinds_are_equally_likely_and_seeded() -> None:
    drawn = [RandomWarp()(640, 480, np.random.default_rng([1, i])) for i in range(600)]
    shares = [np.mean([warp.kind == kind for warp in drawn]) for kind in KINDS]
    assert all(0.27 < share < 0.4 for share in shares)
    assert drawn[5] == RandomWarp()(640, 480, np.random.default_rng([1, 5]))


def test_crops_stay_inside_and_may_be_whole() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        warp = RandomWarp(kinds=("crop",))(7, 5, rng)
        corners = moved_points(warp, np.array([[0.0, 0.0], [7.0, 5.0]]))
        assert (corners[0] <= 1e-9).all()
        assert (corners[1] >= [7 - 1e-9, 5 - 1e-9]).all()
    with pytest.raises(ShapeError):
        crop(0, 0, 0, 5, 7, 5)


def test_affine_moves_fill_the_released_ranges() -> None:
    """Rotation -10..10 degrees, scale 0.9..1.1, shift -50..50 pixels: the extremes are nearly reached, never passed."""
    rng = np.random.default_rng(5)
    drawn = np.array([RandomWarp(kinds=("affine",))(640, 480, rng).matrix for _ in range(2000)])
    a, b = drawn[:, 0, 0], drawn[:, 0, 1]
    shift_x = drawn[:, 0, 2] - ((1 - a) * 320 - b * 240)
    shift_y = drawn[:, 1, 2] - (b * 320 + (1 - a) * 240)
    for values, low, high in (
        (np.degrees(np.arctan2(b, a)), -10, 10),
        (np.hypot(a, b), 0.9, 1.1),
        (shift_x, -50, 50),
        (shift_y, -50, 50),
    ):
        slack = (high - low) / 100
        assert low - 1e-9 <= values.min() < low + slack
        assert high - slack < values.max() <= high + 1e-9


def test_crops_keep_four_fifths_or_more_of_each_side() -> None:
    rng = np.random.default_rng(5)
    kept = np.array([1 / RandomWarp(kinds=("crop",))(1000, 1000, rng).matrix[0][0] for _ in range(2000)])
    assert 0.8 <= kept.min() < 0.802
    assert 0.998 < kept.max() <= 1


def test_a_border_is_grey() -> None:
    warp = RandomWarp(kinds=("affine",), degrees=(0, 0), scale=(1, 1), shift=(30, 30))(*SIZE, np.random.default_rng(0))
    view = np.asarray(warp(Image.new("RGB", SIZE, "red")))
    assert (view[5, 5] == 128).all()
    assert (view[80, 80] == (255, 0, 0)).all()


@pytest.mark.parametrize("hide", [blurred_region, flat_region])
def test_only_the_region_changes(hide) -> None:  # type: ignore[no-untyped-def]
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    before = picture.copy()
    spoilt = hide(picture, (10, 20, 50, 55))
    assert (picture == before).all(), "the picture itself is left alone"
    outside = np.ones(picture.shape[:2], bool)
    outside[20:55, 10:50] = False
    assert (spoilt[outside] == picture[outside]).all()
    assert spoilt[20:55, 10:50].std() < picture[20:55, 10:50].std() / 4
    for empty in ((10, 20, 10, 55), (50, 55, 10, 20), (90, 0, 99, 9), (-9, -9, 0, 0)):
        assert (hide(picture, empty) == picture).all()
    assert hide(picture, (-50, -50, 900, 900)).shape == picture.shape


def test_blur_keeps_a_flat_region_and_its_mean() -> None:
    flat = np.full((30, 30, 3), 77, np.uint8)
    assert (blurred_region(flat, (0, 0, 30, 30)) == flat).all()
    one = np.zeros((1, 1, 3), np.uint8) + 9
    assert (blurred_region(one, (0, 0, 1, 1)) == 9).all()


def test_the_blur_has_51_taps_of_sigma_25() -> None:
    """One bright column of 255 leaves the Gaussian itself: 255 exp(-d^2 / 1250) / sum over |k| <= 25, 0 beyond."""
    picture = np.zeros((1, 121, 3), np.uint8)
    picture[0, 60] = 255
    blurred = blurred_region(picture, (0, 0, 121, 1))[0, :, 0]
    norm = sum(np.exp(-(k**2) / 1250) for k in range(-25, 26))
    assert blurred[60] == round(255 / norm) == 6
    assert blurred[60 + 25] == round(255 * np.exp(-0.5) / norm) == 4
    assert blurred[60 + 26] == 0


def test_the_mean_colour_is_cut_not_rounded() -> None:
    picture = np.zeros((1, 3, 3), np.uint8)
    picture[0, :2] = 4
    assert (flat_region(picture, (0, 0, 3, 1)) == 2).all(), "8 / 3 = 2.67"
