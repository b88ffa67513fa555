"""Lists of differences: what is read, what is lost, what floods cost; hedges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.claim_differences import ClaimError, Differences, Verifications
from sightline.parse.hedging import Hedging

READERS = (Differences(), Differences("official"), Verifications(), Verifications("official"))
FLOODS = ("[DIFFERENCE 1]\n" * 10_000, "CAPTION_A_ERROR:\n" * 10_000, "A" * 150_000, "```" * 40_000, "\n" * 150_000)
BLOCK = "[DIFFERENCE 1]\nASPECT: colour\nCAPTION_A_CLAIM: a red car: parked\nJUDGMENT: B\n{}[OVERALL_WINNER]\nB\n"


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("text", FLOODS, ids=lambda text: text[:5])
@pytest.mark.parametrize("read", READERS, ids=str)
def test_floods_cost_little(read, text: str) -> None:
    read(text)


@given(st.text(alphabet="[]DIFERNCOVALW_1ab:\n ") | st.text())
def test_any_text_is_read_or_missing(text: str) -> None:
    for read in READERS:
        read(text)
    assert 0 < Hedging()(text) <= 1
    assert Hedging(numbers=True).count(text) >= Hedging().count(text)


@pytest.mark.parametrize("form", ["strict", "official"])
def test_fields_of_a_difference(form) -> None:
    errors = "CAPTION_A_ERROR:\nERROR_TYPE: t\nERROR_DETAIL: d\nSEVERITY_LEVEL: 2\n"
    found = Differences(form)(BLOCK.format(errors)).differences[0]
    assert (found.aspect, found.claim_a, found.claim_b, found.judgment) == ("colour", "a red car: parked", "", "B")
    assert found.error_a == ClaimError("t", "d", "2")
    assert found.error_b == ClaimError()


def test_a_missing_judgment_is_unknown() -> None:
    for read in READERS[:2]:
        assert read("[DIFFERENCE 1]\nASPECT: x\n[OVERALL_WINNER]\nA").differences[0].judgment == "unknown"


def test_a_severity_of_the_other_caption_is_not_taken() -> None:
    errors = "CAPTION_A_ERROR:\nERROR_TYPE: t\nCAPTION_B_ERROR:\nERROR_TYPE: u\nSEVERITY_LEVEL: 1\n"
    found = Differences()(BLOCK.format(errors)).differences[0]
    assert (found.error_a.severity, found.error_b.severity) == ("NA", "1")


@pytest.mark.parametrize("kind", ["", "NONE", "none", "NA", " Na "])
def test_no_error(kind: str) -> None:
    assert not ClaimError(kind).found


def test_a_marker_beside_differences_does_not_hide_them() -> None:
    text = BLOCK.format("CAPTION_A_ERROR:\nERROR_TYPE: t\n") + "[NO_DIFFERENCE]"
    assert len(Differences()(text).differences) == 1


def test_too_many_and_too_long() -> None:
    assert isinstance(Differences()("[DIFFERENCE 1]\n" * 600), Missing)
    assert isinstance(Differences()("a" * 300_000), Missing)
    assert isinstance(Verifications()("a" * 300_000), Missing)


def test_one_hedge_in_ninety_words_is_free() -> None:
    assert Hedging()("likely " + "word " * 89) == 1.0
    assert Hedging()("likely " + "word " * 88) < 1.0
