"""Turned pictures: inner rectangles against a search, quarter turns against numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sightline.media.rotation import centre_square, inner_rectangle, turned


def fits(width: float, height: float, w: float, h: float, degrees: float) -> bool:
    """Whether an upright w x h rectangle lies inside a turned width x height one, same centre."""
    angle = math.radians(degrees)
    across = w / 2 * abs(math.cos(angle)) + h / 2 * abs(math.sin(angle))
    down = w / 2 * abs(math.sin(angle)) + h / 2 * abs(math.cos(angle))
    return across <= width / 2 + 1e-6 and down <= height / 2 + 1e-6


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 359))
def test_the_inner_rectangle_fits_and_none_larger_of_its_width_does(width: int, height: int, degrees: int) -> None:
    w, h = inner_rectangle(width, height, degrees)
    assert fits(width, height, w, h, degrees)
    areas = [a * b for a in range(1, 566, 7) for b in (1, 5, 20, 80, 300) if fits(width, height, a, b, degrees)]
    assert max(areas, default=0) <= (w + 1) * (h + 1)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 360, -90])
@given(side=st.integers(1, 3000))
def test_quarter_turns_of_squares_lose_nothing(degrees: int, side: int) -> None:
    assert inner_rectangle(side, side, degrees) == (side, side)


@settings(max_examples=20)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 3))
def test_quarter_turns_move_pixels_and_change_none(width: int, height: int, quarters: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)
    found = np.asarray(turned(Image.fromarray(pixels), 90 * quarters))
    np.testing.assert_array_equal(found, np.rot90(pixels, quarters))


def test_other_angles_have_no_empty_corner() -> None:
    found = np.asarray(turned(Image.new("L", (90, 60), 255), 31))
    assert found.min() > 200


def test_squares() -> None:
    assert centre_square(Image.new("L", (7, 4))).size == (4, 4)
    assert inner_rectangle(0, 5, 30) == (0, 0)
