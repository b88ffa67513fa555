"""Questions about changed copies of a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from sightline.core.rollout import Rollout
from sightline.metrics.view_agreement import PixelBox
from sightline.rewards.asked_views import InMovedView, WithHidden, elsewhere
from sightline.rewards.self_views import Vanishes, ViewsAgree

SIZE = (80, 40)
NOISE = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
FLIP = [[-1, 0, SIZE[0]], [0, 1, 0], [0, 0, 1]]


def rollout(text: str = "<box>250,0,500,500</box>", **columns: Any) -> Rollout:
    given = {"images": [Image.fromarray(NOISE)], "query": "the red cup", "view_matrix": FLIP, **columns}
    return Rollout(text, None, given)


def pixels(asked: Any) -> np.ndarray:
    assert asked is not None
    return np.asarray(asked.images[0])


def test_the_moved_view_is_moved() -> None:
    asked = InMovedView()(rollout())
    assert (pixels(asked) == NOISE[:, ::-1]).all()
    assert asked is not None
    assert "the red cup" in asked.prompt[0]["content"][1]["text"]


def test_the_box_is_hidden_and_nothing_else() -> None:
    seen, hidden = (pixels(WithHidden(what)(rollout())) for what in ("nothing", "box"))
    assert (seen == NOISE).all()
    changed = (hidden != NOISE).any(-1)
    assert changed[:20, 20:40].mean() > 0.9
    changed[:20, 20:40] = False
    assert not changed.any()


def test_swapped_corners_hide_the_same_and_no_area_hides_nothing() -> None:
    one, other = (pixels(WithHidden("box")(rollout(f"<box>{b}</box>"))) for b in ("250,0,500,500", "500,500,250,0"))
    assert (one == other).all()
    assert (pixels(WithHidden("box")(rollout("<box>0,0,0,0</box>"))) == NOISE).all()


@pytest.mark.parametrize("box", [(0, 0, 20, 10), (70, 30, 80, 40), (10, 5, 75, 38), (0, 0, 80, 40)])
def test_elsewhere_is_inside_and_of_equal_size(box: tuple[int, ...]) -> None:
    found = elsewhere(PixelBox(*box), *SIZE)
    assert (found.right - found.left, found.bottom - found.top) == (box[2] - box[0], box[3] - box[1])
    assert found.left >= 0
    assert found.top >= 0
    assert found.right <= SIZE[0]
    assert found.bottom <= SIZE[1]


def test_nothing_is_asked_without_a_picture_a_view_or_a_box() -> None:
    assert InMovedView()(rollout(images=[])) is None
    assert InMovedView()(rollout(view_matrix=None)) is None
    assert WithHidden()(rollout(images=None)) is None
    assert WithHidden("box")(rollout("nowhere")) is None
    assert WithHidden()(rollout("nowhere")) is not None


def test_a_query_that_is_not_given_is_generic_and_braces_stay() -> None:
    for query, shown in ((None, "the main object"), ("a {curly} cup", "a {curly} cup")):
        asked = WithHidden()(rollout(query=query))
        assert asked is not None
        assert shown in asked.prompt[0]["content"][1]["text"]


def test_the_columns_that_are_read_are_filled() -> None:
    assert {fill.column for fill in ViewsAgree.fills} == {"moved_completion"}
    for reward in (Vanishes(), Vanishes(control=True)):
        assert {fill.column for fill in reward.fills} == set(reward.needs())
