"""Modes of counted differences: ranges, directions, what weighting may not do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.metrics import claim_rewards as room
from sightline.metrics.claim_rewards import OnScale, OwnErrors, OwnErrorsSmooth, Tally, TwoTerms

MODES = (
    room.relative_to_listed,
    room.relative,
    room.by_wins,
    OwnErrors(),
    OwnErrorsSmooth(),
    room.unblamed,
    TwoTerms(),
)
LEVELS = st.lists(st.sampled_from([1, 2, 3]), max_size=12)


def tally(own: list[int], other: list[int], clean: int, weighted: bool) -> Tally:
    cost = [room.WEIGHTS[level] if weighted else 1.0 for level in own]
    against = [room.WEIGHTS[level] if weighted else 1.0 for level in other]
    listed = len(own) + len(other) + clean
    hallucinated = sum(room.WEIGHTS[level] for level in own)
    unit = room.TOP if weighted else 1.0
    return Tally(sum(cost), sum(against), len(other), len(own), listed, "Tie", hallucinated, 0.0, unit, len(own))


@given(LEVELS, LEVELS, st.integers(0, 5), st.booleans())
def test_in_the_unit_interval_and_no_better_for_one_more_error(own, other, clean, weighted) -> None:
    before, after = tally(own, other, clean + 1, weighted), tally([*own, 1], other, clean, weighted)
    for mode in MODES:
        assert 0 <= mode(before) <= 1
        assert mode(after) <= mode(before) + 1e-12


@given(LEVELS, LEVELS, st.integers(0, 5))
def test_weighting_never_pays_more_than_counting(own, other, clean) -> None:
    for mode in (OwnErrors(), OwnErrorsSmooth()):
        assert mode(tally(own, other, clean, True)) <= mode(tally(own, other, clean, False)) + 1e-12
    # released arithmetic: one mild error costs less with weights than without
    assert OwnErrors(by_unit=True)(tally([1], [], 0, True)) > OwnErrors()(tally([1], [], 0, False))


def test_captions_that_agree() -> None:
    assert [mode(Tally()) for mode in MODES] == [0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0]


def test_two_terms_are_tuned_apart() -> None:
    made_up, left_out = Tally(differences=2, hallucinated=1.6), Tally(differences=2, omitted=1.6)
    assert TwoTerms(2, 1)(made_up) == pytest.approx(0.0)
    assert TwoTerms(2, 1)(left_out) == pytest.approx(0.5)
    assert TwoTerms(0.5, 0)(left_out) == 1.0


def test_another_scale() -> None:
    assert OnScale(room.relative, scale=3.0)(Tally()) == 1.0
    assert OnScale(room.relative, low=-1.0)(Tally(10, 0, differences=10)) == -1.0


@pytest.mark.parametrize(("told", "weight"), [("1", 1.0), ("3", 1.6), ("4", 1.25), ("2.0", 1.25), ("NA", 1.25)])
def test_severities_of_the_judge(told: str, weight: float) -> None:
    assert room.weigh([("other", told)]) == [weight]
