"""What a verifier says is wrong, read strictly and without harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.check.hostile import TEXTS
from sightline.core.missing import Missing
from sightline.parse.flagged import FlaggedPieces, flagged_or_none

READ = FlaggedPieces()


@given(st.lists(st.text(max_size=12), max_size=5))
def test_a_written_list_is_read_back(pieces: list[str]) -> None:
    said = f"<answer>{pieces!r}</answer>"
    if "</answer>" not in "".join(pieces) and "response is correct" not in said:
        assert READ(said) == pieces


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
@pytest.mark.parametrize("text", TEXTS)
def test_hostile_replies_flag_nothing_harmful(text: str) -> None:
    assert isinstance(flagged_or_none(text), list)


def test_backslashes_do_not_warn() -> None:
    assert READ('<answer>["a\\d"]</answer>') == ["a\\d"]


@pytest.mark.parametrize(
    "said", ["[1 +", "[a]", "{'a': 1}", "['a'] * 3", "[" * 90 + "]" * 90, "['" + "a" * 20_001 + "']"]
)
def test_what_is_no_list_of_texts_is_missing(said: str) -> None:
    found = READ(f"<answer>{said}</answer>")
    assert isinstance(found, Missing) or found == []
