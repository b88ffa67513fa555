"""Queries, boxes of four numbers and visibility."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.parse.referring import FourNumbers, Visibility, referring_query


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4), st.sampled_from(",;| \n"))
def test_numbers_come_back_as_written(numbers: list[float], between: str) -> None:
    found = FourNumbers()(f"<box>{between.join(map(repr, numbers))}</box>")
    assert isinstance(found, Missing) if between in ";|" else found == tuple(numbers)


@given(st.text(max_size=60))
def test_any_text_gives_a_box_or_a_reason(text: str) -> None:
    for said in (text, f"<box>{text}</box>"):
        for parser in (FourNumbers(), FourNumbers("blanks")):
            found = parser(said)
            assert (isinstance(found, Missing) and found.why) or len(found) == 4
        assert isinstance(referring_query(said), str)
        assert isinstance(Visibility("no")(said), bool)


def test_spellings_that_only_python_reads() -> None:
    for number in ("1_0", "٣", "0x10", "1e5_0"):
        assert isinstance(FourNumbers()(f"<box>{number},2,3,4</box>"), Missing)
    assert FourNumbers("blanks")("<box>1_0,2,3,4</box>") == (10, 2, 3, 4)
