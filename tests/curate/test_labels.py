"""Labels in the policy's own words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ColumnError
from sightline.curate.labels import aligned_label, with_labels

ITEMS = st.lists(st.dictionaries(st.sampled_from("cab"), st.lists(st.integers(-5, 5), max_size=3)), max_size=3)


@given(ITEMS)
def test_a_label_is_the_answer_with_blanks_behind_commas_and_colons(items: list[dict[str, list[int]]]) -> None:
    label = aligned_label(items)
    inner = label.removeprefix("<answer>").removesuffix("</answer>")
    assert json.loads(inner) == items
    assert [list(item) for item in json.loads(inner)] == [list(item) for item in items], "keys keep their order"
    assert inner.count(",") == inner.count(", ")
    assert inner.count(":") == inner.count(": ")


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ColumnError, match="cannot be written as JSON"):
        aligned_label([float("nan")])
    with pytest.raises(ColumnError, match="row 0 has \\['answer'\\]"):
        list(with_labels([{"answer": 1}]))
