"""Named text fields in a JSON answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Missing
from sightline.parse.fields import FieldsForm, TextFields

READ = TextFields(("clear", "final"))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).filter(lambda text: "</answer>" not in text)


@given(texts, texts, st.booleans())
def test_texts_come_back(clear: str, final: str, escaped: bool) -> None:
    said = json.dumps({"clear": clear, "final": final, "more": [1]}, ensure_ascii=escaped)
    assert READ(f"<answer>\n{said} </answer>") == {"clear": clear, "final": final}
    assert FieldsForm(READ)(f"<think></think><answer>{said}</answer>") == {"clear": clear, "final": final}


@pytest.mark.parametrize("said", ["", "[]", "7", '"clear"', "{'clear': 'a'}", '{"clear": "a"', "null", "```{}```"])
def test_anything_but_an_object_is_missing(said: str) -> None:
    assert isinstance(READ(f"<answer>{said}</answer>"), Missing)


@pytest.mark.parametrize("value", ["7", "null", "true", "[]", '["a"]', "{}"])
def test_a_field_that_is_no_text_is_missing_alone(value: str) -> None:
    found = READ(f'<answer>{{"clear": {value}, "final": "b"}}</answer>')
    assert isinstance(found["clear"], Missing)
    assert found["final"] == "b"


def test_long_fields_are_missing() -> None:
    found = TextFields(("a", "b"), longest=3)('<answer>{"a": "abcd", "b": "abc"}</answer>')
    assert isinstance(found["a"], Missing)
    assert found["b"] == "abc"


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_floods_cost_little() -> None:
    for said in ('{"clear": "' + "a" * 10**6, '{"clear":' * 100_000, "<answer>" * 100_000, '{"clear": "a",' * 70_000):
        FieldsForm(READ)(f"<think></think><answer>{said}</answer>")
