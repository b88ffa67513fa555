"""Large scenes: seeded, true to what they say, and unanswerable without the small object."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sklearn")
from sightline.lab.worlds import SPLITS
from sightline.lab.worlds.canvas import COLOURS, DIGITS, SIDE, apart
from sightline.lab.worlds.grounding import claims
from sightline.lab.worlds.wide import PLACES, WIDE, Wide

ROWS = WIDE.rows(24, "neutral", seed=1)


def test_rows_depend_on_seed_split_and_number_alone() -> None:
    for split in SPLITS:
        many, one = WIDE.rows(3, split, seed=4), WIDE.rows(1, split, seed=4)[0]
        assert many[0]["images"][0].tobytes() == one["images"][0].tobytes()
        assert many[0]["truth"] == one["truth"]
        assert len({row["row"] for row in many}) == 3


def test_truth_is_what_is_drawn() -> None:
    for row in ROWS[:8]:
        pixels = np.asarray(row["images"][0], np.float64)
        boxes = [thing["box"] for thing in row["truth"]["objects"]]
        assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
        background = np.ones(pixels.shape[:2], bool)
        for thing in row["truth"]["objects"]:
            x1, y1, x2, y2 = thing["box"]
            background[y1:y2, x1:x2] = False
            ink = np.array(COLOURS[thing["colour"]])
            off = np.abs(pixels[y1:y2, x1:x2] - ink).max(-1) < 45
            assert off.any(), f"no {thing['colour']} ink in the box of {thing}"
        assert np.abs(pixels[background] - 40).max() < 60


def test_answers_follow_from_the_truth() -> None:
    for row in ROWS:
        digit = row["truth"]["objects"][row["truth"]["asked"][0]]
        x, y = ((digit["box"][i] + digit["box"][i + 2]) / 2 for i in (0, 1))
        same = [t for t in row["truth"]["objects"] if t["colour"] == digit["colour"]]
        assert digit["name"] in DIGITS
        assert [t for t in same if t["name"] in DIGITS] == [digit], "the question names one digit"
        assert len(same) > 1, "colour alone does not lead to the digit"
        right = {
            "identify": digit["name"],
            "locate": json.dumps({"bbox_2d": digit["box"]}),
            "quarter": PLACES[2 * (y > row["image_size"][1] / 2) + (x > row["image_size"][0] / 2)],
            "neighbour": row["labels"][-1].split()[-1],
        }
        assert row["answer"] == right[row["kind"]]
        assert digit["colour"] in row["prompt"][0]["content"][1]["text"]
    assert {row["kind"] for row in ROWS} == set(WIDE.kinds)


def test_statements_are_checkable_and_true() -> None:
    for row in ROWS[:8]:
        objects = row["truth"]["objects"]
        assert row["captions"][0] == f"the scene shows {len(objects)} objects"
        for statement in (*row["evidence"], *row["captions"][1:]):
            (claim,) = claims(statement)
            assert {"name": claim.name, "colour": claim.colour, "box": list(claim.box)} in objects


def test_the_nearest_shape_is_nearest() -> None:
    for row in Wide(kinds=("neighbour",)).rows(10, "neutral", seed=2):
        digit, found = (np.array(box) for box in row["boxes"])
        small = [t for t in row["truth"]["objects"] if t["name"] not in DIGITS and t["box"][2] - t["box"][0] < 20]
        away = [np.hypot(*(np.array(t["box"]) - digit).reshape(2, 2).mean(0)) for t in small]
        assert np.hypot(*(found - digit).reshape(2, 2).mean(0)) <= min(away) + 2


def test_what_is_asked_about_is_lost_on_a_small_picture() -> None:
    for row in ROWS[:8]:
        x1, y1, x2, y2 = row["boxes"][0]
        assert row["share"] < 0.003
        assert (y2 - y1) * SIDE / row["image_size"][1] < 2.5
        shrunk = row["images"][0].resize((SIDE, SIDE), Image.Resampling.BOX).resize(row["images"][0].size)
        seen, left = (np.asarray(image, np.float64)[y1:y2, x1:x2].std() for image in (row["images"][0], shrunk))
        assert left < 0.7 * seen


def test_the_prior_gives_training_answers_away_and_never_the_reversed_ones() -> None:
    world = Wide(kinds=("identify",), prior=0.9)
    follows = [
        np.mean([r["answer"] == r["truth"]["prior"] for r in world.rows(40, s, 3)]) for s in ("train", "reversed")
    ]
    assert follows[0] > 0.75
    assert follows[1] == 0.0
