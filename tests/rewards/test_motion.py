"""Trajectory, grounding and sighting rewards: data of many shapes, and what cannot be earned."""

from __future__ import annotations

import json

import pytest

import sightline
from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.core.motion import Motion
from sightline.curate.motion_tags import with_motion_tags
from sightline.media.frozen import frozen
from sightline.rewards.motion import MotionTrajectory
from sightline.rewards.sightings import SightingFit, TimesNear

REWARD, ROWS = MotionTrajectory.specimen()
RIGHT = ROWS[0]


def value(**changes: object) -> float:
    return float(REWARD(Batch.from_rows([{**RIGHT, **changes}])).values[0])


def test_columns_as_json_text_and_as_arrow_gives_them() -> None:
    assert value(key_frames=json.dumps(RIGHT["key_frames"]), key_items=json.dumps(RIGHT["key_items"])) == 1
    arrow = {**RIGHT["key_items"], "7": None, "30": {**RIGHT["key_items"]["30"], "cat": None}}
    assert value(key_items=arrow) == 1


@pytest.mark.parametrize(
    ("column", "given"),
    [
        ("key_frames", "soon"),
        ("key_frames", [{"idx": 0}]),
        ("key_items", [1]),
        ("key_items", {"x": {"dog": [[0, 0, 1, 1]]}}),
        ("image_size", [0, 100]),
        ("image_size", None),
        ("gt_motion", {"dog": "E"}),
    ],
)
def test_unusable_columns_are_named(column: str, given: object) -> None:
    with pytest.raises(ColumnError, match=f"`{column}` of row 0"):
        value(**{column: given})


def test_a_video_without_annotated_frames_earns_nothing() -> None:
    assert value(key_frames=None, key_items=None, image_size=None) == 0
    assert value(key_frames=None) == 1, "frames that only key_items names are at number / 30"


def test_inventing_objects_earns_nothing() -> None:
    tags = "".join(f'<motion obj="x{i}" dir="E" speed="fast" scale="stable"/>' for i in range(50))
    assert value(completion=f"<think>{tags}</think>") == 0


def test_marks_lie_on_the_tag() -> None:
    (mark,) = REWARD(Batch.from_rows([RIGHT])).marks[0]
    start, end = map(int, mark.place)
    assert RIGHT["completion"][start:end] == '<motion obj="dog" dir="E" speed="fast" scale="stable"/>'


def test_times_get_stricter_with_the_step() -> None:
    reward, rows = TimesNear.specimen()
    values = [float(reward(Batch.from_rows(rows[:1], step=step)).values[0]) for step in (0, 50, 90, 1000)]
    assert values == pytest.approx([0.9922, 0.9692, 0.8825, 0.8825], abs=1e-4)
    assert reward(Batch.from_rows(rows[:1])).values[0] == values[0]


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_flood_of_sightings_is_quick() -> None:
    flood = "<obj>dog</obj><box>[10,10,20,20]</box>at<t>0</t>s" * 20_000
    batch = Batch.from_rows([{**RIGHT, "completion": f"<think>{flood}</think>"}])
    for reward in (REWARD, SightingFit()):
        reward(batch)


def test_a_written_trace_gets_its_tags_and_earns_everything() -> None:
    bare = RIGHT["completion"].split(" <motion")[0] + "</think>"
    tagged = with_motion_tags(bare, {"Dog": Motion("E", "fast", "stable"), "cat": Motion("W", "slow", "stable")})
    assert tagged.count("<motion") == 1
    assert value(completion=tagged) == 1


def test_every_part_of_the_system_varies_on_its_specimen() -> None:
    """A reward that is constant on all rows teaches nothing: the released grounding reward was."""
    system = sightline.load("motion-o")
    parts = system.reward(Batch.from_rows(system.specimen)).parts
    assert all(len(set(part.values.tolist())) > 1 for part in parts.values()), parts


def test_frozen_clips() -> None:
    assert frozen([1, 2, 3]) == [1, 1, 1]
    with pytest.raises(ValueError, match="frame 3 of 3"):
        frozen([1, 2, 3], 3)
