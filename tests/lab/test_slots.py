"""The log-linear policy learns what a reward pays for; the world of tracks tells the truth."""

from __future__ import annotations

from collections import Counter

import numpy as np

from sightline.credit import GroupRelative
from sightline.lab import slots
from sightline.lab.worlds import tracks
from sightline.metrics.tracks import describe
from sightline.rewards.answers import Answer, same_text


def test_it_learns_to_answer() -> None:
    rows = [{"answer": "ab"[i % 2], "row": i} for i in range(20)]
    policy = slots.Slots.blank(
        [("a", "b", "c")],
        2,
        lambda row, said: np.eye(2)[row["row"] % 2],
        lambda row, words: f"<answer>{words[0]}</answer>",
    )
    rng = np.random.default_rng(0)
    curve = slots.reinforce(policy, Answer(same_text), GroupRelative(), rows, rng, steps=60, rate=2.0)
    assert curve[0] < 0.5 < 0.9 < np.mean(curve[-5:])
    assert policy.say(rows[:2]) == ["<answer>a</answer>", "<answer>b</answer>"]


def test_it_imitates() -> None:
    policy = slots.Slots.blank([("x", "y")], 1, lambda row, said: np.ones(1), lambda row, words: words[0])
    policy.imitate([{}], [["y"]], steps=20)
    assert policy.say([{}]) == ["y"]


def test_tracks_are_inside_the_picture_and_described_from_their_boxes() -> None:
    for row in tracks.FOUR.rows(30, "neutral", seed=3):
        boxes = np.array(row["boxes"])
        assert (boxes >= 0).all()
        assert (boxes <= 48).all()
        assert len(row["images"]) == 4
        (told,) = row["gt_motion"].values()
        found = describe(boxes, range(4), 0.24)
        assert (told["dir"], told["speed"], told["scale"]) == found[:3]


def test_tracks_follow_the_prior_as_their_split_asks() -> None:
    world = tracks.Tracks(prior=0.9)
    sent = Counter(row["answer"] == row["truth"]["prior"] for row in world.rows(100, "train", 1))
    assert sent[True] > 75
    assert world.rows(2, "train", 1)[1]["boxes"] == world.rows(5, "train", 1)[1]["boxes"]


def test_later_slots_know_what_was_said() -> None:
    see = lambda row, said: np.eye(3)[["", "x", "y"].index(said[0] if said else "")]  # noqa: E731
    policy = slots.Slots.blank([("x", "y"), ("p", "q")], 3, see, lambda row, words: " ".join(words))
    policy.imitate([{}, {}], [["x", "p"], ["y", "q"]], steps=200)
    said = policy.say([{}] * 200, np.random.default_rng(0))
    assert np.mean([text in ("x p", "y q") for text in said]) > 0.95
