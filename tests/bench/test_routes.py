"""Map scores, by hand."""

from __future__ import annotations

import math

import pytest

from sightline.bench.routes import Leg, count_score, list_score, short_score, weighted_accuracy
from sightline.core.errors import ColumnError

PLAN = [Leg("Line 1", "Alpha", "Gamma", via=("Beta",)), Leg("Line 2", "Gamma", "Zeta", via=("Epsilon", "Eta"))]


def test_short_scores_keep_the_best_plan() -> None:
    other = [Leg("Line 3", "Alpha", "Beta"), Leg("Line 4", "Beta", "Zeta")]
    assert short_score(PLAN, [other, PLAN], right=False) == 9.0
    # against the other plan: 1, the first departure, the last arrival
    assert short_score(PLAN, [other], right=True) == 13.0
    assert short_score(PLAN, [], right=False) == 0.0


def test_wrong_ends_earn_nothing_of_a_plan() -> None:
    wrong = [Leg("Line 1", "Beta", "Gamma"), *PLAN[1:]]
    assert (
        short_score(wrong, [PLAN], False)
        == count_score(wrong, [PLAN], False)
        == list_score(wrong, [PLAN], False)
        == 0.0
    )
    assert short_score([], [PLAN], False) == 0.0


def test_short_scores_are_capped_at_ten() -> None:
    three = [Leg("1", "A", "B"), Leg("2", "B", "C"), Leg("3", "C", "D")]
    assert short_score(three, [three], right=True) == 20.0


def test_counts_of_via_stops() -> None:
    said = [Leg("Line 1", "Alpha", "Gamma", count=1), Leg("Line 2", "Gamma", "Zeta", count=3)]
    assert count_score(said, [PLAN], right=False) == 9 + 4 + 2
    none = [Leg("Line 1", "Alpha", "Gamma", count=0)]
    assert count_score(none, [none], right=True) == 5 + 0 + 20


def test_lists_of_via_stops() -> None:
    said = [
        Leg("Line 1", "Alpha", "Gamma", via=("beta Station",)),
        Leg("Line 9", "Gamma", "Zeta", via=("Eta", "Theta")),
    ]
    # lines: 2 + 0; IoU over the first segment only: 1; hits: 2
    assert list_score(said, [PLAN], right=False) == 7 + (10 + 2) / 2
    assert list_score(PLAN, [PLAN], right=True) == min(20, 9 + (10 + 3) / 2) + 20


def test_weighted_accuracy_names_what_it_does_not_know() -> None:
    assert math.isnan(weighted_accuracy([], []))
    with pytest.raises(ColumnError, match="medium"):
        weighted_accuracy([1], ["medium"])
