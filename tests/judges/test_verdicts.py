"""What a judge's text says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.missing import Missing
from sightline.judges import JsonRating, Rating, json_verdict, zero_or_one


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1), ("0", 0), (" 1.\n", 1), ("0.7", 0), ("10", None), ("10 but 1", 1), ("100% sure: 0", 0),
        ("21 31", None),
        ("e=1", 1), ("x1y", 1), ("1/2", 1), ("yes", 1), ("YES!", 1), ("True", 1), ("no", 0), ("FALSE", 0),
        ("not yes", 1), ("nothing known", None), ("yesterday", None), ("no, 1", 1), ("yes 10", 1), ("", None),
        ("The answer is false. True?", 0), ("2", None), ("-1", 1), ("٣1", None),
    ],
)  # fmt: skip
def test_zero_or_one(text: str, expected: int | None) -> None:
    found = zero_or_one(text)
    assert isinstance(found, Missing) if expected is None else found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7.0), (" 7.5 ", 7.5), ("Score: 7", 7.0), ("**Rating: 7**", 7.0), ("The overall score is 7.", 7.0),
        ("7/10", 7.0), ("7 out of 10", 7.0), ("7/5", None), ("0", None), ("11", None), ("-3", None), ("7 8", None),
        ("I give 7", None), ("", None), ("nan", None), ("9" * 150, None), ("7" + " " * 500, None), ("7,5", None),
    ],
)  # fmt: skip
def test_rating(text: str, expected: float | None) -> None:
    found = Rating(1, 10)(text)
    assert isinstance(found, Missing) if expected is None else found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ('```json\n{"a": [1, {"b": 2}]}\n```', {"a": [1, {"b": 2}]}),
        ('Since \\frac{1}{2} holds: {"a": 1}', {"a": 1}),
        ('{"a": 1} as I said: {"a": 1}', {"a": 1}),
        ('{"a": 1} {"a": 2}', None),
        ('{"a": 1, "a": 2}', None),
        ('{"x": {"a": 1}, "b": ', None),  # cut off: the inner object is not the verdict
        ('{"x": "unended', None),
        ('{"a": ' * 5_000, None),
        ("{" * 50_000, None),
        ("[1]", None),
        ("", None),
    ],
)
def test_json_verdict(text: str, expected: Any) -> None:
    found = json_verdict(text)
    assert isinstance(found, Missing) if expected is None else found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"score": 3}', 3.0), ('{"score": 2.5, "why": "x"}', 2.5), ('{"score": "3"}', None), ('{"score": 6}', None),
        ('{"score": NaN}', None), ('{"score": null}', None), ('{"score": 1' + "0" * 400 + "}", None),
    ],
)  # fmt: skip
def test_json_rating(text: str, expected: float | None) -> None:
    found = JsonRating("score", 0, 5)(text)
    assert isinstance(found, Missing) if expected is None else found == expected


@given(st.text(alphabet=st.sampled_from('01279.{}[]":,yesnotrufal \n*/-')) | st.text())
def test_no_text_raises(text: str) -> None:
    assert zero_or_one(text) in (0, 1) or isinstance(zero_or_one(text), Missing)
    assert isinstance(Rating(0, 1)(text), (float, Missing))
    assert isinstance(json_verdict(text), (dict, Missing))
    assert isinstance(JsonRating("a", 0, 1)(text), (float, Missing))
