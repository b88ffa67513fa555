"""Self-supervised items: the answer is true, follows from the seed, and nothing else gives it away."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sightline.core import Batch
from sightline.core.missing import Missing
from sightline.curate.graph_pretext import link_item, neighbour_item
from sightline.curate.pretext import QUADRANTS, Contrastive, Jigsaw, Position, Rotation, goldilocks
from sightline.media.views import RandomView
from sightline.rewards.patch_order import PatchOrder
from sightline.system import load


def noise(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def pixels(row: dict[str, Any], place: int) -> np.ndarray:
    return np.asarray(row["images"][place])


@given(st.integers(0, 10_000))
def test_rotation_is_the_angle(seed: int) -> None:
    row = Rotation()(noise(40, 32), seed)
    turned = np.rot90(pixels(row, 0), int(row["answer"]) // 90)
    np.testing.assert_array_equal(turned, pixels(row, 1))


def test_rotation_sizes_do_not_tell_the_angle_unless_as_released() -> None:
    strict = {(row["answer"], row["images"][1].size) for seed in range(40) if (row := Rotation()(noise(60, 40), seed))}
    released = Rotation(square_first=False, exact=False)
    leaky = {(row["answer"], row["images"][1].size) for seed in range(40) if (row := released(noise(320, 240), seed))}
    assert len({size for _, size in strict}) == 1
    assert len(strict) == 4
    assert len({size for _, size in leaky}) == 4, "every angle has a size of its own"


@given(st.integers(0, 10_000), st.integers(56, 91), st.integers(56, 91))
def test_position_is_where_the_cut_lies(seed: int, width: int, height: int) -> None:
    row = Position()(noise(width, height), seed)
    if isinstance(row, Missing):
        assert "no room" in row.why
        return
    whole, cut = pixels(row, 0), pixels(row, 1)
    h, w = whole.shape[0] // 2, whole.shape[1] // 2
    top, left = divmod(QUADRANTS.index(row["answer"]), 2)
    quarter = whole[h * top : h * (top + 1), w * left : w * (left + 1)]
    windows = np.lib.stride_tricks.sliding_window_view(quarter, cut.shape)
    assert (windows == cut).all(axis=(-1, -2, -3)).any()
    assert min(cut.shape[:2]) >= 28


def test_a_recoloured_cut_keeps_its_size_and_place() -> None:
    grey = RandomView(chance_jitter=0, chance_grey=1, chance_blur=0, chance_flip=1)
    for seed in range(8):
        plain, shown = Position()(noise(96, 80), seed), Position(view=grey)(noise(96, 80), seed)
        assert shown["answer"] == plain["answer"]
        wanted = np.asarray(plain["images"][1].convert("L").convert("RGB"))
        np.testing.assert_array_equal(pixels(shown, 1), wanted)


def test_position_cuts_have_the_same_sizes_in_every_quadrant() -> None:
    rows = [row for seed in range(600) if (row := Position()(noise(81, 81), seed))]
    sizes = {name: {row["images"][1].width for row in rows if row["answer"] == name} for name in QUADRANTS}
    assert len({frozenset(found) for found in sizes.values()}) == 1


@pytest.mark.parametrize("cells", [2, 3, 5])
def test_jigsaw_answers_put_the_picture_together(cells: int) -> None:
    picture = noise(28 * cells + 1, 30 * cells + 1)
    row = Jigsaw(cells)(picture, seed=4)
    shown, (height, width) = pixels(row, 0), (30, 28)
    patches = [
        shown[height * r : height * (r + 1), width * c : width * (c + 1)] for r in range(cells) for c in range(cells)
    ]
    order = [int(number) - 1 for number in row["answer"].split(",")]
    lines = [np.concatenate([patches[i] for i in order[r * cells : (r + 1) * cells]], axis=1) for r in range(cells)]
    np.testing.assert_array_equal(np.concatenate(lines), picture[: height * cells, : width * cells])
    assert PatchOrder()(Batch([f"<answer>{row['answer']}</answer>"], {"answer": [row["answer"]]})).values[0] == 1


def test_contrastive_views_are_of_one_or_of_two() -> None:
    plain = RandomView(side=32, chance_jitter=0, chance_grey=0, chance_blur=0)
    dark, bright = noise(50, 50) // 4, 255 - noise(50, 50, 1) // 4
    for seed in range(12):
        row = Contrastive(plain)(dark, seed, bright)
        same = abs(pixels(row, 0).mean() - pixels(row, 1).mean()) < 60
        assert same == (row["answer"] == "positive")


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        (Rotation(), 4),
        (Position(), 4),
        (Jigsaw(), 24),
        (lambda picture, seed: Contrastive(RandomView(side=8))(picture, seed, noise(64, 64, 9)), 2),
    ],
    ids=["rotation", "position", "jigsaw", "contrastive"],
)
def test_answers_are_drawn_alike_and_scored_by_the_system(kind: Any, answers: int) -> None:
    rows = [kind(noise(90, 90), seed) for seed in range(480)]
    counts = Counter(row["answer"] for row in rows)
    assert len(counts) == answers
    assert max(counts.values()) < 2.2 * 480 / answers
    batch = Batch(
        [f"<answer>{row['answer']}</answer>" for row in rows],
        {name: [row[name] for row in rows] for name in ("task", "answer")},
    )
    assert load("ssl4rl").reward(batch).values.min() == 1


def test_rows_carry_pixels_only_and_follow_from_the_seed() -> None:
    picture = Image.fromarray(noise(90, 90))
    picture.info["comment"] = b"turned by 90"
    for kind in (Rotation(), Position(), Jigsaw()):
        first, again = kind(picture, 3), kind(picture, 3)
        assert all(image.info == {} for image in first["images"])
        assert {image.mode for image in first["images"]} == {"RGB"}
        assert [image.tobytes() for image in first["images"]] == [image.tobytes() for image in again["images"]]
        assert len(first["prompt"][0]["content"]) == len(first["images"]) + 1


def test_pictures_that_look_alike_make_no_item() -> None:
    blank = np.full((80, 80, 3), 90, np.uint8)
    tiled = np.tile(noise(40, 40), (2, 2, 1))
    assert Rotation()(blank, 0).why == "looks the same when it is turned"
    assert Jigsaw()(tiled, 0).why == "two patches look the same"
    assert Position()(tiled, 0).why == "another quadrant looks the same there"
    assert Contrastive()(blank, 0, noise(80, 80)).why == "a picture is nearly blank"
    assert not isinstance(Rotation(distinct=0)(blank, 0), Missing)


def test_small_pictures_make_no_item() -> None:
    assert "20 x 20 pixels are left" in Rotation()(noise(20, 30), 0).why
    assert Jigsaw(3)(noise(80, 90), 0).why == "patches of 26 x 30 pixels: both sides need 28"


@given(st.floats(0, 1), st.floats(0, 0.9))
def test_goldilocks(accuracy: float, chance: float) -> None:
    assert (
        goldilocks(accuracy, chance) == (accuracy - chance >= 0.05 - 1e-12 and accuracy <= 0.9)
        or abs(accuracy - chance - 0.05) < 1e-9
    )


EDGES = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=12)


@given(EDGES, st.integers(0, 99))
def test_links_are_hidden_and_counts_are_right(edges: list[tuple[str, str]], seed: int) -> None:
    real = {frozenset(edge) for edge in edges if len(set(edge)) == 2}
    row = link_item(edges, seed)
    if not isinstance(row, Missing):
        text = row["prompt"][0]["content"]
        a, b = text.partition("between ")[2][0], text.partition(" and ")[2][0]
        assert (row["answer"] == "yes") == (frozenset((a, b)) in real)
        assert f"{a}-{b}" not in text.partition(". Is")[0]
        assert all(node in text.partition(". Is")[0] for node in (a, b)), "both ends have links that are shown"
    counted = neighbour_item(edges, seed)
    if real:
        node = counted["prompt"][0]["content"].partition("does ")[2][0]
        assert int(counted["answer"]) == sum(node in edge for edge in real)
    else:
        assert counted.why == "a graph without links"
