"""Patch sets by their corners against sets that are built, and the grid they lie on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.media.patches import PatchGrid
from sightline.metrics.patches import box_f1, patch_count, patch_f1, point_inside

index = st.integers(0, 6)
patches = st.tuples(index, index, index, index)


def built(box: tuple[int, ...]) -> set[tuple[int, int]]:
    r1, c1, r2, c2 = box
    return {(r, c) for r in range(r1, r2 + 1) for c in range(c1, c2 + 1)}


@given(patches, patches)
def test_f1_is_that_of_the_sets(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    left, right = built(a), built(b)
    both = len(left & right)
    expected = 0.0
    if both:
        precision, recall = both / len(left), both / len(right)
        expected = 2 * precision * recall / (precision + recall)
    assert patch_f1([a], [b])[0, 0] == pytest.approx(expected)
    assert patch_count(a) == len(left)


def test_huge_boxes_cost_nothing_and_padding_never_matches() -> None:
    huge = [[0, 0, 1e15, 1e15], [np.nan] * 4]
    likeness = patch_f1(huge, [[0, 0, 0, 0]])
    assert likeness[0, 0] < 1e-20
    assert likeness[1, 0] == 0.0


def test_axes_in_front_are_a_batch() -> None:
    a, b = np.zeros((3, 2, 4)), np.zeros((3, 5, 4))
    assert patch_f1(a, b).shape == (3, 2, 5)
    assert point_inside(a[..., :2], b).shape == (3, 2, 5)


@given(st.tuples(*[st.floats(0, 560)] * 2), st.tuples(*[st.floats(0, 560)] * 2))
def test_every_pixel_box_lies_in_its_patches(one: tuple[float, float], other: tuple[float, float]) -> None:
    grid = PatchGrid.of_size(560, 560)
    x1, x2 = sorted((one[0], other[0]))
    y1, y2 = sorted((one[1], other[1]))
    r1, c1, r2, c2 = grid.cover([x1, y1, x2, y2])
    assert 0 <= r1 <= r2 < grid.rows
    assert 0 <= c1 <= c2 < grid.columns
    assert r1 * 28 <= y1
    assert c1 * 28 <= x1


def test_fine_patches_approach_areas() -> None:
    a, b = [0, 0, 300, 200], [100, 50, 400, 250]
    fine = PatchGrid(4000, 4000, patch=1)
    # both ends are included, so a patch box ends one before the pixel edge
    inner = [fine.cover(box) - [0, 0, 1, 1] for box in (a, b)]
    assert patch_f1(inner[:1], inner[1:])[0, 0] == pytest.approx(box_f1([a], [b])[0, 0])


def test_a_grid_has_whole_patches() -> None:
    with pytest.raises(ShapeError, match="resize"):
        PatchGrid.of_size(100, 28)
    with pytest.raises(ShapeError, match=r"\(\.\.\., 4\)"):
        PatchGrid(2, 2).cover([1, 2, 3])
    assert PatchGrid(2, 3).frame.width == 3
