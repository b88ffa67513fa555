"""Random views: seeded, of one size, with every step reachable."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sightline.media.views import PLAIN_VIEW, STRONG_VIEW, RandomView

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8))
QUIET = {"chance_jitter": 0.0, "chance_grey": 0.0, "chance_blur": 0.0, "chance_flip": 0.0}


@pytest.mark.parametrize("view", [PLAIN_VIEW, STRONG_VIEW])
def test_the_generator_decides(view: RandomView) -> None:
    first, again = (np.asarray(view(PICTURE, np.random.default_rng(5))) for _ in range(2))
    other = np.asarray(view(PICTURE, np.random.default_rng(6)))
    assert first.shape == (224, 224, 3)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("step", ["jitter", "grey", "blur", "solarise", "equalise", "flip"])
def test_each_step_changes_the_view_and_keeps_its_size(step: str) -> None:
    plain = RandomView(side=32, area=(1.0, 1.0), **QUIET)
    changed = RandomView(side=32, area=(1.0, 1.0), **{**QUIET, f"chance_{step}": 1.0})
    square = Image.fromarray(np.random.default_rng(1).integers(0, 200, (40, 40, 3), dtype=np.uint8))
    a, b = (np.asarray(view(square, np.random.default_rng(3))) for view in (plain, changed))
    assert a.shape == b.shape
    assert (a != b).any()


def test_area_of_the_crop() -> None:
    """A crop of a quarter of the area of a ramp spans about half of its range."""
    ramp = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (256, 1)))
    view = RandomView(side=64, area=(0.25, 0.25), **QUIET)
    spans = [np.ptp(np.asarray(view(ramp, np.random.default_rng(seed)))[:, :, 0].astype(int)) for seed in range(20)]
    assert 90 < np.mean(spans) < 160


def test_a_picture_too_narrow_for_any_crop_gives_its_middle() -> None:
    assert RandomView(side=8, area=(1.0, 1.0), **QUIET)(Image.new("L", (100, 2)), np.random.default_rng(0)).size == (
        8,
        8,
    )
