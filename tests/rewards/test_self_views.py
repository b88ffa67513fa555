"""What a policy says of one object in changed copies of one picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sightline
from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.media.warps import RandomWarp
from sightline.metrics.view_agreement import projected_box
from sightline.rewards.self_views import Vanishes, ViewsAgree, view_rows

YES, NO = "<visible>yes</visible>", "<visible>no</visible>"


def tagged(box: Any) -> str:
    return f"<box>{','.join(f'{float(v):.6f}' for v in box)}</box>"


@given(st.integers(0, 10_000))
def test_a_policy_that_follows_the_move_earns_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    width, height = (int(v) for v in rng.integers(200, 1200, 2))
    warp = RandomWarp()(width, height, rng)
    box = [*rng.uniform(250, 450, 2), *rng.uniform(550, 750, 2)]
    there = projected_box(box, warp.matrix, width, height)
    columns = {"moved_completion": [tagged(there)], "view_matrix": [warp.matrix], "image_size": [(width, height)]}
    assert ViewsAgree()(Batch([tagged(box)], columns)).values == pytest.approx([1.0], abs=1e-5)


@given(st.lists(st.floats(allow_nan=True, width=64), min_size=4, max_size=4), st.floats(-1e9, 1e9))
def test_no_numbers_break_either_variant(numbers: list[float], shift: float) -> None:
    said = f"<box>{','.join(map(repr, numbers))}</box>"
    row = {**view_rows()[0], "completion": said, "moved_completion": said}
    row["view_matrix"] = [[1.1, shift, -5], [0, 0.9, shift], [0, 0, 1]]
    system = sightline.load("vise")
    strict, official = (system.variant(name)(Batch.from_rows([row])).values[0] for name in ("strict", "official"))
    assert 0 <= strict <= 1
    assert np.isnan(official) or np.isfinite(official)


def test_no_trick_earns_more_than_an_honest_wrong_box() -> None:
    honest = {**view_rows()[0], "moved_completion": tagged((650, 150, 850, 350)), "seen_after": YES}
    said = ("", "<box></box>", "<box>0,0,0,0</box>", "<box>nan,nan,nan,nan</box>", "<box>1e999,0,0,1</box>")
    tricks = [{**honest, "completion": text, "moved_completion": text, "seen_after": ""} for text in said]
    values = sightline.load("vise").reward(Batch.from_rows([honest, *tricks])).values
    assert (values[1:] <= values[0]).all()
    assert not np.isnan(values).any()


def test_reasons_name_what_is_wrong() -> None:
    rows = view_rows()
    geometric, semantic = ViewsAgree()(Batch.from_rows(rows)), Vanishes(max_area=0.7)(Batch.from_rows(rows))
    assert geometric.why[5].startswith("in the moved view: ")
    assert geometric.why[7] == "in the moved view: no reply"
    assert semantic.why[2] == "the box covers 100% of the picture"
    assert semantic.why[6] == "before: no closed <visible> block"
    assert [mark.place for mark in semantic.marks[0]] == [(100.0, 200.0, 300.0, 400.0)]


@pytest.mark.parametrize(
    ("column", "value"),
    [("moved_completion", 7), ("seen_after", [1]), ("view_matrix", "flip"), ("view_matrix", [[0, 0, 1]] * 3)],
)
def test_wrong_data_is_named(column: str, value: Any) -> None:
    row = {**view_rows()[0], column: value}
    with pytest.raises(ColumnError, match=f"`{column}` of row 0"):
        sightline.load("vise").reward(Batch.from_rows([row]))


def test_the_control_column_is_asked_for_only_with_the_guard() -> None:
    row = {"completion": tagged((0, 0, 9, 9)), "seen_before": YES, "seen_after": NO}
    assert Vanishes()(Batch.from_rows([row])).values == [1.0]
    with pytest.raises(ColumnError, match="`seen_control`"):
        Vanishes(control=True)(Batch.from_rows([row]))


def test_chat_replies_are_read_as_text() -> None:
    row = {**view_rows()[0], "seen_after": [{"role": "assistant", "content": NO}]}
    assert Vanishes()(Batch.from_rows([row])).values == [1.0]


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_megabyte_costs_little() -> None:
    row = view_rows()[0]
    for text in ("<box>" * 200_000, "<box>" + "1," * 500_000 + "</box>", "<box>" + "9" * 10**6 + "</box>"):
        values = (
            sightline.load("vise")
            .reward(Batch.from_rows([{**row, "completion": text, "moved_completion": text, "seen_after": text}]))
            .values
        )
        assert values == [0.0]


def test_the_policy_is_asked_within_the_papers_limits() -> None:
    """Grounding in 64 tokens, sampled; visibility in 16, greedily."""
    asked = {one.column: (one.max_tokens, one.greedy) for one in (*ViewsAgree.fills, *Vanishes(control=True).fills)}
    assert asked == {
        "moved_completion": (64, False),
        "seen_before": (16, True),
        "seen_after": (16, True),
        "seen_control": (16, True),
    }
