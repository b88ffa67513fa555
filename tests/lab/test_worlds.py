"""The worlds keep their promises: exact truth, seeded rows, a prior to follow or reverse, no leaking frames."""

import json
from dataclasses import replace

import numpy as np
import pytest

from sightline.lab.worlds import SPLITS, clips, demonstrations, digits, frozen, grounding
from sightline.lab.worlds.canvas import COLOURS, TRAIN_GLYPHS, Look, Thing, draw, glyphs_of, place

WORLDS = {
    "plain": digits.PLAIN,
    "prior": digits.PRIOR,
    "crowd": digits.CROWD,
    "search": digits.SEARCH,
    "clips": clips.FOUR,
    "long clips": clips.EIGHT,
}
KEYS = {
    *("prompt", "images", "answer", "problem_type", "boxes", "labels", "category", "evidence", "captions", "truth"),
    *("world", "kind", "seed", "row"),
}


def question(row):
    return row["prompt"][0]["content"][-1]["text"]


@pytest.mark.parametrize("name", WORLDS)
def test_rows_are_whole_and_reproducible(name):
    world = WORLDS[name]
    rows = world.rows(5, split="neutral", seed=4)
    for row, again in zip(rows, world.rows(7, split="neutral", seed=4), strict=False):
        assert set(row) == KEYS
        assert json.loads(json.dumps(row["truth"])) == row["truth"]
        parts = [part["type"] for part in row["prompt"][0]["content"]]
        assert parts.count("image") == len(row["images"])
        assert parts[-1] == "text"
        assert len(row["boxes"]) == len(row["labels"]) == len(row["evidence"])
        assert {k: v for k, v in row.items() if k != "images"} == {k: v for k, v in again.items() if k != "images"}
        assert all(np.array_equal(a, b) for a, b in zip(row["images"], again["images"], strict=True))


def test_row_numbers_are_unique_across_splits_and_seeds():
    numbers = [r["row"] for split in SPLITS for seed in (0, 1) for r in digits.PLAIN.rows(3, split, seed)]
    assert len(set(numbers)) == len(numbers)


def test_unknown_split_names_the_known_ones():
    with pytest.raises(ValueError, match="biased"):
        digits.PLAIN.rows(1, split="validation")


def test_boxes_are_tight_around_the_ink():
    rng = np.random.default_rng(0)
    for name in ("7", "circle", "square", "triangle"):
        thing = place(rng, name, "yellow", 16, [], held_out=True)
        picture = np.asarray(draw([thing], Look(noise=0.0), rng)).astype(int)
        inked = np.abs(picture - picture[0, 0]).sum(-1) > 60
        inked[: thing.box[1]] &= False
        rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
        found = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        assert grounding.overlap(found, thing.box) > 0.8


def test_held_out_splits_never_show_training_scans():
    for name in "0123456789":
        train, held_out = glyphs_of(name, False), glyphs_of(name, True)
        assert train.max() < TRAIN_GLYPHS <= held_out.min()


@pytest.mark.parametrize("world", [digits.PRIOR, clips.PRIOR, replace(digits.PLAIN, kinds=("count",), prior=0.9)])
def test_prior_is_followed_reversed_or_absent(world):
    def share(split):
        rows = world.rows(150, split=split, seed=1)
        return np.mean([row["answer"] == row["truth"]["prior"] for row in rows])

    assert 0.84 < share("train") < 0.96
    assert 0.84 < share("biased") < 0.96
    assert share("reversed") == 0
    assert share("neutral") < 0.6


def test_answers_follow_from_truth():
    for row in digits.PLAIN.rows(150, split="neutral", seed=2):
        things = row["truth"]["objects"]
        asked = [things[i] for i in row["truth"]["asked"]]
        if row["kind"] == "identify":
            assert asked[0]["colour"] in question(row)
            assert asked[0]["name"] == row["answer"]
        if row["kind"] == "count":
            assert row["answer"] == str(len(asked))
        if row["kind"] == "compare":
            assert (row["answer"] == "A") == (int(asked[0]["name"]) > int(asked[1]["name"]))
        if row["kind"] == "relation":
            axis = 0 if "left" in question(row) else 1
            assert (row["answer"] == "A") == (sum(asked[0]["box"][axis::2]) < sum(asked[1]["box"][axis::2]))
        if row["kind"] == "locate":
            assert json.loads(row["answer"]) == {"bbox_2d": asked[0]["box"]}
        if row["kind"] == "detect":
            listed = json.loads(row["answer"].removeprefix("```json").removesuffix("```"))
            assert [item["bbox_2d"] for item in listed] == row["boxes"]
            assert len(listed) == len(things)


def test_clip_answers_follow_from_truth():
    for row in clips.FOUR.rows(120, split="neutral", seed=2):
        asked = [row["truth"]["objects"][i] for i in row["truth"]["asked"]]
        if row["kind"] == "flashes":
            assert row["answer"] == str(len(asked)) == str(len({a["frame"] for a in asked}))
        if row["kind"] == "order":
            assert asked[0]["frame"] < asked[1]["frame"]
            assert row["answer"] == asked[0]["colour"]
            assert all(a["colour"] in question(row) for a in asked)
        if row["kind"] == "direction":
            dx, dy = (asked[1]["box"][axis] - asked[0]["box"][axis] for axis in (0, 1))
            assert {(-1, 0): "A", (1, 0): "B", (0, -1): "C", (0, 1): "D"}[np.sign(dx), np.sign(dy)] == row["answer"]


def test_a_single_frame_does_not_tell_the_sense_of_a_motion():
    """Frames drawn at random from left and right clips have the same distribution of places."""
    rows = replace(clips.FOUR, kinds=("direction",)).rows(600, split="neutral", seed=3)
    left, right = (
        [t["box"][0] + t["box"][2] for row in rows if row["answer"] == way for t in row["truth"]["objects"]]
        for way in "AB"
    )
    assert abs(np.mean(left) - np.mean(right)) < 3
    assert abs(np.std(left) - np.std(right)) < 3


def test_frozen_clip_repeats_one_frame():
    row = clips.FOUR.rows(1, split="neutral", seed=5)[0]
    still = frozen(row)
    assert len(still["images"]) == 4
    assert all(image is still["images"][0] for image in still["images"])
    assert still["answer"] == row["answer"]


def test_clips_refuse_paths_that_leave_the_canvas():
    with pytest.raises(ValueError, match="leave no room"):
        clips.Clips(frames=8, step=6)
    with pytest.raises(ValueError, match="2 to 8"):
        clips.Clips(frames=1)


def test_looking_is_grounded_and_guessing_is_not():
    for row in [*digits.PRIOR.rows(20, "biased", 1), *clips.PRIOR.rows(20, "biased", 1)]:
        looked, guessed = demonstrations.look(row), demonstrations.guess(row)
        assert grounding.grounded(looked, row["truth"])
        assert grounding.has_form(looked)
        assert not grounding.has_form(guessed)
        assert not grounding.grounded(guessed, row["truth"])
        assert all(grounding.supported(looked, row["evidence"]))


def test_grounding_asks_for_colour_name_and_place():
    truth = {"objects": [{"name": "3", "colour": "red", "box": [10, 10, 20, 20]}], "asked": [0]}
    said = "<think>{}</think> <answer>3</answer>".format
    assert grounding.grounded(said("red 3 at [10, 10, 20, 19]"), truth)
    assert not grounding.grounded(said("blue 3 at [10, 10, 20, 19]"), truth)
    assert not grounding.grounded(said("red 8 at [10, 10, 20, 19]"), truth)
    assert not grounding.grounded(said("red 3 at [30, 30, 40, 40]"), truth)
    assert not grounding.grounded(said("red 3 at [20, 20, 10, 10]"), truth), "swapped corners are no box"
    assert not grounding.grounded(said("red 8 at [1, 1, 2, 2] red 3 at [10, 10, 20, 20]"), truth), "one try only"
    assert not grounding.grounded("<answer>red 3 at [10, 10, 20, 20]</answer>", truth), "outside the think block"


@pytest.mark.parametrize(
    "text", ["", "<think>", "red 3 at [" + "9" * 5000 + ", 1, 2, 3]", "frame 99999999999999 red 3 at"]
)
def test_grounding_survives_hostile_text(text):
    assert grounding.claims(text) == [] or len(grounding.claims(text)) == 1


def test_captions_speak_of_every_object_and_evidence_of_the_asked_ones():
    row = digits.PRIOR.rows(1, split="neutral", seed=1)[0]
    assert len(row["evidence"]) == 1
    assert len(row["captions"]) == 3
    other = next(t for i, t in enumerate(row["truth"]["objects"]) if i not in row["truth"]["asked"])
    beside = f"<think>{other['colour']} {other['name']} at {other['box']}</think>"
    assert any(grounding.supported(beside, row["captions"]))
    assert not any(grounding.supported(beside, row["evidence"]))


def test_flawed_teacher_errs_as_often_as_asked():
    rows = digits.CROWD.rows(300, seed=6)
    rng = np.random.default_rng(0)
    wrong = sum(demonstrations.taught_detections(row, rng, error=0.3) != demonstrations.look(row) for row in rows)
    assert 60 <= wrong <= 120


def test_colours_on_a_picture_are_distinct():
    for row in digits.PLAIN.rows(50, seed=8):
        colours = [thing["colour"] for thing in row["truth"]["objects"]]
        assert len(set(colours)) == len(colours) <= len(COLOURS)


def test_thing_truth_is_plain():
    assert Thing("3", "red", (1, 2, 3, 4), 9, 5).truth() == {"name": "3", "colour": "red", "box": [1, 2, 3, 4]}
