"""Lists in the dialects that policies write."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.parse import LENIENT_LIST, Fence, JsonList, close_list, collapse_brackets, double_quotes, drop_newlines
from sightline.parse.json import load

SINGLE_QUOTED = JsonList(rewrite=(collapse_brackets, drop_newlines, double_quotes), repair=(close_list,))
A, B = {"Position": [1, 2, 3, 4], "Confidence": 0.5}, {"Position": [5, 6, 7, 8], "Confidence": 1}

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(st.lists(values))
def test_strict_lists_come_back(items):
    text = json.dumps(items)
    # integers beyond 64 bits come back as floats
    whole = json.loads(text, parse_int=lambda n: int(n) if -(2**63) <= int(n) < 2**64 else float(n))
    assert JsonList()(text) == whole


printable = st.text(st.characters(exclude_categories=["Cs"]).filter(str.isprintable))


@given(st.lists(st.dictionaries(printable, st.integers(0, 999))))
def test_python_reprs_come_back_leniently(items):
    assert LENIENT_LIST(f"Sure, here: {items!r} Done.") == items


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (str([A, B]), [A, B]),
        (f"[{[A, B]}]", [A, B]),
        (str([A, B]).replace(" ", "\n"), [A, B]),
        (f"[{A}, {B}, {{'Position': [9, 9", [A, B]),
        (f"[{A}, {B}, ", [A, B]),
        ("[]", []),
    ],
)
def test_single_quoted_lists(text, items):
    assert SINGLE_QUOTED(text) == items


@pytest.mark.parametrize("text", [f"[{A}", f"[{A}, {B}", "No Objects", "", f"[{A},]", "{'Position': [1, 2, 3, 4]}"])
def test_single_quoted_lists_that_are_beyond_repair(text):
    found = SINGLE_QUOTED(text)
    assert found == ([A] if text == f"[{A}, {B}" else found)
    assert text == f"[{A}, {B}" or found.why in ("not JSON", "JSON, but not a list")


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ('```json\n[{"a": 1},]\n```', [{"a": 1}]),
        ('[{"a": "x ] , }"}, {"a": [1, 2], ', [{"a": "x ] , }"}, {"a": [1, 2]}][:1]),
        ("boxes: [[1, 2, 3, 4], [5, 6, 7, 8]] as asked", [[1, 2, 3, 4], [5, 6, 7, 8]]),
        ("[1, 2, 3", [1, 2]),
        ("[", []),
        ("[{'it': \"dog's\", 'ok': None}]", [{"it": "dog's", "ok": None}]),
    ],
)
def test_lenient_lists(text, items):
    assert LENIENT_LIST(text) == items


def test_strict_lists_forgive_nothing():
    for text in ("[1,]", "['a']", "[1", "x [1]", "```json\n[1]\n```"):
        assert JsonList()(text).why == "not JSON"
    assert JsonList()('{"a": 1}').why == "JSON, but not a list"
    assert JsonList(single=True)('{"a": 1}') == [{"a": 1}]


def test_numbers_beyond_json_load_as_floats():
    nan, inf, huge, digits = load(f"[NaN, 1e999, {'9' * 5000}, {'9' * 30}]")
    assert nan != nan
    assert inf == huge == float("inf")
    assert digits == pytest.approx(1e30)


def test_fences():
    text = "a ```python\n1\n``` b ```json\n[1]\n``` c ```json\n[2]\n```"
    assert (Fence()(text), Fence(which="last")(text)) == ("[1]", "[2]")
    assert (Fence(None)(text), Fence(None, "last")(text)) == ("1", "[2]")
    assert Fence()("```json\n[1]").why == "no closed ```json fence"
    assert Fence(otherwise="text")(" [1] ") == "[1]"
    assert Fence(None)("```[1]```") == "[1]"
