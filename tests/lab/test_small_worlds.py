"""Worlds of tables, absent objects and quarters: seeded, and true to what they say."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.lab.worlds import quarters
from sightline.lab.worlds.absent import NOTHING, Absent
from sightline.lab.worlds.phrasings import RIGHT, TRIVIAL, Table


def test_absent_objects_are_absent() -> None:
    rows = Absent(0.5).rows(120, "neutral", seed=2)
    assert 0.35 < np.mean([row["absent"] for row in rows]) < 0.65
    for row in rows:
        colour = row["prompt"][0]["content"][-1]["text"].split()[3]
        shown = {thing["colour"] for thing in row["truth"]["objects"]}
        assert (colour in shown) != row["absent"]
        assert (row["answer"] == NOTHING) == row["absent"] == (not row["boxes"])
    again = Absent(0.5).rows(3, "neutral", seed=2)
    assert [row["answer"] for row in again] == [row["answer"] for row in rows[:3]]


def test_a_table_learns_what_is_rewarded_and_shares_it() -> None:
    table = Table(questions=6, seed=1)
    before = table.chances()
    np.testing.assert_allclose(before.sum(-1), 1)
    picks, advantages = np.array([RIGHT, TRIVIAL]), np.array([1.0, -1.0])
    table.learn(0, 0, picks, advantages, rate=1.0, shared=0.5)
    after = table.chances()
    assert (after[0, :, RIGHT] > before[0, :, RIGHT]).all(), "both phrasings of the question know more"
    assert (after[1:, :, TRIVIAL] < before[1:, :, TRIVIAL]).all(), "the leaning is shared by all questions"
    np.testing.assert_allclose(table.chances_of(3, 1), after[3, 1])


def test_replies_name_the_answer_of_their_question() -> None:
    rows = Table(questions=3).rows(2, np.array([[TRIVIAL, RIGHT], [RIGHT, 2]]))
    assert [row["completion"] for row in rows] == ["\\boxed{1}", "\\boxed{31}", "\\boxed{31}", "\\boxed{32}"]
    assert [row["side"] for row in rows] == ["original", "original", "rephrased", "rephrased"]


def test_quarters_are_seeded_and_shown_digits_are_other_scans() -> None:
    pytest.importorskip("sklearn")
    first, again = quarters.rows(3, 5), quarters.rows(3, 5)
    assert [row["images"][0].tobytes() for row in first] == [row["images"][0].tobytes() for row in again]
    assert {row["answer"] for row in quarters.rows(40, 5)} == set(quarters.PLACES)
    assert (first[0]["images"][0].size, first[0]["images"][1].size) == ((96, 96), (48, 48))
    assert len(quarters.pictures(2, 1)) == len(quarters.digits(2, 1)) == 2
