"""Descriptions made, and spoiled on purpose."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ColumnError, ConfigError
from sightline.curate.constraints import Extractor
from sightline.curate.fact_corruption import RATIOS, dropped, flipped, turn, with_errors
from sightline.curate.perception_aids import AIDS, aided, contrasting_neighbours
from sightline.judges.judge import Verdict
from sightline.judges.replay import ScriptedJudge
from sightline.parse.constraints import Constraints

FACTS = Constraints("A figure.", tuple(f"fact {name} = {n}" for n, name in enumerate("abcdefghij")))


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_share_that_is_dropped_or_turned(ratio: float) -> None:
    many = [dropped(FACTS, ratio, seed) for seed in range(100)]
    assert 1 - np.mean([len(one.key_facts) for one in many]) / 10 == pytest.approx(ratio, abs=0.06)
    turned = [np.mean(np.array(flipped(FACTS, ratio, seed).key_facts) != FACTS.key_facts) for seed in range(100)]
    assert np.mean(turned) == pytest.approx(ratio, abs=0.06)


def test_repeats_on_any_machine() -> None:
    assert flipped(Constraints("", ("AB = 7",)), 1.0, 1) == flipped(Constraints("", ("AB = 7",)), 1.0, 1)
    assert len({flipped(Constraints("", ("AB = 7",)), 1.0, seed).key_facts for seed in range(20)}) > 5
    with pytest.raises(ConfigError):
        dropped(FACTS, 1.5)


@given(st.integers(-999, 999), st.integers(0, 1000))
def test_a_turned_number_is_another_by_the_formula(number: int, seed: int) -> None:
    said = turn(f"x = {number} cm", np.random.default_rng(seed))
    found = float(re.fullmatch(r"x = (-?[\d.]+) cm", said)[1])
    if number == 0:
        assert found in (1, 2, 3, 5, 10)
    else:
        assert found != number
        allowed = [number * f + d for f in (0.5, 0.8, 1.2, 1.5, 2) for d in (-2, -1, 1, 2)]
        assert min(abs(found - one) for one in allowed) < 1e-6


def test_a_relation_is_turned_only_without_a_number() -> None:
    rng = np.random.default_rng(0)
    assert all(turn("AB < CD", rng) != "AB < CD" for _ in range(20))
    assert all("<" in turn("AB < 3", rng) for _ in range(20))
    assert turn("AB is parallel", rng) == "AB is parallel"


def test_three_to_five_errors() -> None:
    spoiled = [with_errors(FACTS, seed=seed).key_facts for seed in range(40)]
    counts = [sum(a != b for a, b in zip(facts, FACTS.key_facts, strict=True)) for facts in spoiled]
    assert set(counts) == {3, 4, 5}


def test_extraction_once_a_question_and_failures_marked() -> None:
    judge = ScriptedJudge(('{"image_description": "A line."}', Verdict(error="timed out"), "no idea"))
    rows = [{"question": name, "images": ["a.png"]} for name in "aabc"]
    found = Extractor(judge)(rows)
    assert [row["constraints"] and row["constraints"]["caption"] for row in found] == ["A line.", "A line.", None, None]
    assert found[2]["constraints_error"] == "timed out"
    assert "no idea" in found[3]["constraints_error"]
    assert Extractor(judge, instead="Error")(rows)[2]["constraints"] == "Error"
    with pytest.raises(ColumnError):
        Extractor(judge)([{}])


def test_help_to_see() -> None:
    row = {"question": "How long?", "images": ["a.png"]}
    asked = {aid: aided(row, FACTS, aid) for aid in AIDS}
    assert asked["alone"] == row
    assert asked["blind"]["images"] == []
    assert FACTS.text in asked["described"]["question"]
    assert FACTS.text not in asked["misled"]["question"]
    assert asked["misled"]["images"] == ["a.png"]


def test_pairs_of_neighbours() -> None:
    rows = [{"image": i, "rating": r, "n": n} for n, (i, r) in enumerate(["a+", "b-", "b-", "b+", "b-", "c+", "c+"])]
    assert [(good["n"], bad["n"]) for good, bad in contrasting_neighbours(rows)] == [(3, 2)]
