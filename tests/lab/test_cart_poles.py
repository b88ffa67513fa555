"""Cart-pole pictures and the tiny encoder trained on them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("gymnasium", reason="needs the extra `robotics`")
pytest.importorskip("stable_baselines3", reason="needs the extra `robotics`")

from sightline.judges import DualEncoder, Question
from sightline.lab.models import frame_encoder
from sightline.lab.worlds import cart_poles


def test_captions_tell_the_truth_and_not_the_goal() -> None:
    shown = cart_poles.scenes(120, seed=3)
    captions = {scene.caption for scene in shown}
    assert cart_poles.GOAL not in captions
    words = {word for said in cart_poles.POSTURES.values() for one in said for word in one.split()}
    assert set(cart_poles.GOAL.split()) <= words | {"cart"}
    for scene in shown:
        assert scene.upright == (abs(scene.angle) <= math.radians(12))
        if "upright" in scene.caption or "vertically" in scene.caption:
            assert scene.upright
        if "to the left" in scene.caption or "tilted left" in scene.caption:
            assert scene.angle < 0
        if "on the right" in scene.caption:
            assert scene.x >= 0.8
    assert {scene.upright for scene in shown} == {True, False}


def test_rounding_is_finer_than_a_pixel() -> None:
    world = cart_poles.SeenCartPole()
    world.reset(seed=0)
    for x, angle in ((0.31, 0.1), (-1.02, 2.0)):
        world.state = np.array([x, 0, angle, 0])
        exact = super(cart_poles.SeenCartPole, world).render().astype(float)
        rounded = np.abs(world.render() - exact).mean()
        world.state = np.array([x + 0.2, 0, angle + 0.2, 0])
        assert rounded < 0.3 * np.abs(world.render() - exact).mean()


def test_an_encoder_trains_and_loads_as_any_clip(tmp_path: Path) -> None:
    shown = cart_poles.scenes(80, seed=0)
    pictures, captions = [scene.picture for scene in shown], [scene.caption for scene in shown]
    losses = frame_encoder.train(pictures, captions, tmp_path, steps=3)
    assert np.isfinite(losses).all()
    judge = DualEncoder(str(tmp_path), fit="square", device="cpu")
    text, picture, other = judge.embed(
        [Question(cart_poles.GOAL), Question("", images=(pictures[0],)), Question("", images=(pictures[1],))]
    )
    assert len(text.value or ()) == len(picture.value or ()) == frame_encoder.SHARED
    assert picture.value != other.value
