"""Frames of models, box conventions and crops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sightline.core import Boxes, Frame, Missing
from sightline.core.errors import FrameError, ShapeError
from sightline.media.regions import (
    crop,
    cxcywh_to_xyxy,
    grid_frame,
    model_frame,
    smart_resize,
    xywh_to_xyxy,
    xyxy_to_xywh,
    yxyx_to_xyxy,
)

sides = st.integers(1, 6000)


@pytest.mark.parametrize(
    ("size", "factor", "seen"),
    [
        ((480, 640), 28, (476, 644)),
        ((1080, 1920), 28, (728, 1316)),
        ((10, 10), 28, (56, 56)),
        (
            (14, 2800),
            28,
            (28, 812),
        ),  # 14/28 rounds to even, 0: "too small", hence scaled by sqrt(3136/39200), rounded up
        ((480, 640), 32, (480, 640)),
    ],
)
def test_sizes_by_hand(size, factor, seen):
    assert smart_resize(*size, factor) == seen


@given(sides, sides, st.sampled_from([28, 32]), st.sampled_from([3136, 200_704]), st.sampled_from([401_408, 1_003_520]))
def test_sizes_are_those_of_the_processor(height, width, factor, least, most):
    try:
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize as theirs
    except ImportError:
        pytest.skip("no Qwen2-VL processor that imports here")
    if max(height, width) > 200 * min(height, width):
        with pytest.raises(ShapeError):
            smart_resize(height, width, factor, least, most)
    else:
        assert smart_resize(height, width, factor, least, most) == theirs(height, width, factor, least, most)


@given(st.integers(30, 4000), st.integers(30, 4000))
def test_sizes_keep_their_promises(height, width):
    seen = smart_resize(height, width)
    assert all(side % 28 == 0 for side in seen)
    assert 3136 <= seen[0] * seen[1] <= 28 * 28 * 1280


@pytest.mark.parametrize("size", [(0, 5), (-1, 5), (1, 201)])
def test_impossible_sizes(size):
    with pytest.raises(ShapeError, match="smart_resize"):
        smart_resize(*size)


def test_boxes_travel_between_frames():
    image, seen = Frame.pixels(640, 480), model_frame(640, 480)
    assert seen == grid_frame(rows=34, columns=46) == Frame.pixels(644, 476)
    boxes = Boxes([[322, 238, 644, 476]], seen).to(image)
    np.testing.assert_allclose(boxes.xyxy, [[320, 240, 640, 480]])
    np.testing.assert_allclose(boxes.to(Frame.thousand()).xyxy, [[500, 500, 1000, 1000]])
    np.testing.assert_allclose(boxes.to(Frame.patches(46, 34)).to(seen).xyxy, [[322, 238, 644, 476]])
    with pytest.raises(FrameError):
        boxes.to(model_frame(640, 480, image=1))


@given(st.lists(st.lists(st.integers(-1000, 1000), min_size=4, max_size=4), min_size=1))
def test_conventions_round_trip(boxes):
    xyxy = np.array(boxes, dtype=float)
    np.testing.assert_array_equal(xywh_to_xyxy(xyxy_to_xywh(xyxy)), xyxy)
    np.testing.assert_array_equal(yxyx_to_xyxy(yxyx_to_xyxy(xyxy)), xyxy)
    centred = np.concatenate([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], axis=1)
    np.testing.assert_array_equal(cxcywh_to_xyxy(centred), xyxy)


def test_conventions_refuse_other_shapes():
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        xywh_to_xyxy([1, 2, 3])


def ramp():
    return Image.fromarray(np.arange(100, dtype=np.uint8)[None].repeat(50, axis=0)).convert("RGB")


@pytest.mark.parametrize(
    ("box", "frame", "pad", "size", "left"),
    [
        ([10, 5, 30, 25], None, 0, (20, 20), 10),
        ([10.5, 5, 29.2, 25], None, 0, (20, 20), 10),
        ([0.1, 0.1, 0.3, 0.5], Frame.unit(), 0, (20, 20), 10),
        ([100, 100, 300, 500], Frame.thousand(), 0.5, (40, 35), 0),
        ([90, 40, 200, 200], None, 0, (10, 10), 90),
        ([20, 10, 60, 50], Frame.pixels(200, 100), 0, (20, 20), 10),
    ],
)
def test_crops(box, frame, pad, size, left):
    part = crop(ramp(), box, frame, pad)
    assert part.size == size
    assert part.getpixel((0, 0))[0] == left


@pytest.mark.parametrize(
    ("box", "why"),
    [
        ([30, 5, 10, 25], "has no area"),
        ([1, 1, 1, 9], "has no area"),
        ([float("nan"), 1, 2, 3], "has no area"),
        ([200, 0, 300, 50], "lies outside the image"),
        ([-9, -9, 0, 0], "lies outside the image"),
    ],
)
def test_a_box_that_cannot_be_cropped_says_why(box, why):
    found = crop(ramp(), box)
    assert isinstance(found, Missing)
    assert why in found.why


def test_a_crop_needs_one_box():
    with pytest.raises(ShapeError, match="needs one box"):
        crop(ramp(), [])
