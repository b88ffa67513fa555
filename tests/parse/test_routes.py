"""Routes as policies write them, station names, and short stated answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Missing
from sightline.parse.routes import MOST, Route, RouteLines, Segment, TightRoute
from sightline.parse.stated import StatedAnswer, bare_answer, letter_place, whole_number
from sightline.parse.stations import bare_station, station_key

names = st.text("abc XY'.", min_size=1, max_size=8).map(str.strip).filter(bool)
segments = st.lists(st.builds(Segment, names, names, names), min_size=1, max_size=5)


def written(route: list[Segment], line: str = "\n") -> str:
    return f"{line}--{line}".join(
        f"Route Name: {s.line}{line}Departure Stop: {s.departure}{line}Arrival Stop: {s.arrival}" for s in route
    )


@given(segments)
def test_both_readers_read_what_was_asked_for(route: list[Segment]) -> None:
    for reader in (RouteLines(), TightRoute()):
        found = reader(written(route))
        assert found == Route(tuple(route), False, route[-1])
    assert RouteLines()(written(route, "\r\n").upper().replace("XY", "xy")) is not None


def test_text_behind_belongs_to_the_last_arrival_only_in_released_code() -> None:
    text = written([Segment("1", "a", "b")]) + "\nEnjoy."
    assert RouteLines()(text).last.arrival == "b"
    assert TightRoute()(text).last.arrival == "b\nEnjoy."


def test_the_first_line_of_a_key_counts() -> None:
    found = RouteLines()("Arrival Stop: x\nRoute Name: 1\nRoute Name: 2\nDeparture Stop: a\nArrival Stop: y")
    assert found.segments == (Segment("1", "a", "x"),)


@pytest.mark.parametrize(
    "text",
    ["", "--", "Route Name: 1\nDeparture Stop: a", "Route Name 1, Departure Stop a, Arrival Stop b"],
)
def test_anything_else_is_missing(text: str) -> None:
    assert isinstance(RouteLines()(text), Missing)
    assert isinstance(TightRoute()(text), Missing)


@pytest.mark.parametrize(
    "text",
    [
        "--" * 500_000,
        written([Segment("1", "a", "b")] * 15_000),
        "Route Name: " * 80_000,
        "\n" * 10**6,
        " " * 10**6 + "Route Name:" + ":" * 9,
        ":::Arrival Stop:" * 60_000,
    ],
    ids=range(6),
)
@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_floods_cost_little(text: str) -> None:
    for reader in (RouteLines(), TightRoute()):
        found = reader(text)
        assert isinstance(found, Missing) or len(found.segments) <= MOST


@given(st.text("abSt.'-* (x)站（y）", max_size=20))
def test_keys_have_no_blanks_and_are_short_of_capitals(name: str) -> None:
    key = station_key(name)
    assert key == key.lower()
    assert not set(key) & set(" -*,'\n")


def test_remarks_go_when_a_network_is_read() -> None:
    assert bare_station("汉口站（支线起始站）（换乘站）") == "汉口站"
    assert bare_station("110 St (Central Park)") == "110 St (Central Park)"


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("\\boxed{1} and the answer is 2", "1"),
        ("The final answer is 3. The answer is 4", "3"),
        ("The answer is 4. The final answer is 3", "3"),
        ("the correct answer is B) x. So", "b)x"),
        ("the answer should be: 5", "5"),
        ("a = b = 7", "7"),
        ("no box", "nobox"),
        ("", ""),
    ],
)
def test_stated_answers(text: str, bare: str) -> None:
    span = StatedAnswer().span(text)
    assert text[span.start : span.end] == span.text
    assert bare_answer(span.text) == bare


@given(st.text("0123456789.-+e_ ", max_size=8))
def test_whole_numbers_are_those_of_python_without_underscores(text: str) -> None:
    found = whole_number(text)
    try:
        wanted: int | None = None if "_" in text or text != text.strip() else int(text)
    except ValueError:
        wanted = None
    assert (None if isinstance(found, Missing) else found) == wanted


def test_letters() -> None:
    assert [letter_place(one) for one in "abcd"] == [0, 1, 2, 3]
    assert letter_place("d:x", with_text=True) == 3
    for text in ("e", "ab", "", "aorb"):
        assert isinstance(letter_place(text, with_text=True), Missing)
