"""Filters and orders are what a plain loop over the rows would find, and say no more than they know."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import RolloutFileError
from sightline.view.beside import check_same, scored_as
from sightline.view.results import read_results
from sightline.view.selection import Selection, Wanted

NAN = float("nan")


def table(rewards, whys, **more):
    columns = {"reward": rewards, "part": rewards, "why": whys, "why_part": whys, **more}
    return pa.table({name: pa.array(values) for name, values in columns.items()})


class Rows(list):
    """A list that is not printed."""

    def __repr__(self) -> str:
        return f"<{len(self)} rows>"


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Some thousand rollouts in several row groups, with every kind of reason."""
    rng = np.random.default_rng(0)
    size = 3000
    rewards = [None if i % 11 == 0 else round(float(v), 2) for i, v in enumerate(rng.normal(size=size))]
    whys = ["error: 503" if i % 22 == 0 else "abstain: no gold" if i % 11 == 0 else f"IoU {i % 7}" for i in range(size)]
    more = {
        "group": [i // 8 for i in range(size)],
        "given_group": [f"g{i // 8}" for i in range(size)],
        "completion": [[{"role": "assistant", "content": f"Answer {i}"}] for i in range(size)],
        "advantage": [0.1 * i for i in range(size)],
    }
    path = tmp_path_factory.mktemp("many") / "scored.parquet"
    pq.write_table(table(rewards, whys, **more), path, row_group_size=700)
    rows = [
        {"reward": NAN if r is None else r, "why": w, "group": g, "text": c[0]["content"]}
        for r, w, g, c in zip(rewards, whys, more["given_group"], more["completion"], strict=True)
    ]
    return Selection(read_results([path])), Rows(rows)


STATES = {
    "all": lambda row: True,
    "scored": lambda row: row["reward"] == row["reward"],
    "abstained": lambda row: row["why"].startswith("abstain"),
    "failed": lambda row: row["why"].startswith("error"),
}


@given(
    low=st.none() | st.floats(-2, 2),
    high=st.none() | st.floats(-2, 2),
    state=st.sampled_from(sorted(STATES)),
    reason=st.sampled_from(["", "iou 3", "503", "nothing"]),
    text=st.sampled_from(["", "answer 1", "ANSWER 29", "role"]),
    group=st.sampled_from(["", "g0", "g200", "0"]),
    order=st.sampled_from(["file", "latest", "lowest", "highest"]),
)
def test_a_filter_finds_what_a_loop_finds(many, low, high, state, reason, text, group, order):
    selection, rows = many
    expected = [
        number
        for number, row in enumerate(rows)
        if (low is None or row["reward"] >= low)
        and (high is None or row["reward"] <= high)
        and STATES[state](row)
        and reason in row["why"].lower()
        and text.lower() in row["text"].lower()
        and group in ("", row["group"])
    ]
    found = selection.rows(Wanted("part", low, high, state, reason, text, group, order=order)).tolist()
    assert sorted(found) == expected
    values = [rows[row]["reward"] for row in found if rows[row]["reward"] == rows[row]["reward"]]
    in_order = {"file": found == expected, "latest": found == expected[::-1]}
    in_order |= {"lowest": values == sorted(values), "highest": values == sorted(values, reverse=True)}
    assert in_order[order]


def test_other_numbers_can_be_asked_for_too(many):
    selection, _ = many
    found = selection.rows(Wanted("advantage", low=299.85))
    assert found.tolist() == [2999]


def test_rows_are_read_from_any_row_group_in_the_order_asked_for(many):
    selection, rows = many
    wanted = [2999, 0, 700, 699, 1400]
    found = selection.results.rows(wanted, ["completion"])
    assert [row["completion"][0]["content"] for row in found] == [rows[row]["text"] for row in wanted]
    assert all(list(row) == ["completion"] for row in found)


@given(
    st.dictionaries(
        st.sampled_from(["part", "low", "high", "state", "order", "text", "disagree"]), st.text() | st.none()
    )
)
def test_any_form_is_a_filter(many, form):
    selection, _ = many
    selection.rows(Wanted.read(form, ("reward", "part")))


@pytest.mark.timeout(120)
def test_a_million_rollouts_are_arrays(tmp_path):
    size = 1_000_000
    values = np.random.default_rng(0).random(size)
    whys = pa.array(["abstain: no gold", "found"]).take(pa.array(np.arange(size) % 2))
    columns = {"reward": values, "why": whys, "group": np.arange(size) // 8, "completion": pa.array(["<think>"] * size)}
    pq.write_table(pa.table(columns), tmp_path / "big.parquet", row_group_size=65_536)
    selection = Selection(read_results([tmp_path / "big.parquet"]))
    best = selection.rows(Wanted(order="highest"))
    assert best[0] == values.argmax()
    assert selection.results.rows(best[:3].tolist(), ["reward"])[0]["reward"] == values.max()
    assert len(selection.rows(Wanted(reason="FOUND"))) == size // 2


def write(path, rewards, completions, **facts):
    made = table(rewards, [""] * len(rewards), completion=completions)
    if facts:
        made = made.replace_schema_metadata({b"sightline": json.dumps(facts)})
    pq.write_table(made, path)
    return read_results([path])


def test_two_results_must_hold_the_same_rollouts(tmp_path):
    first = write(tmp_path / "a.parquet", [1.0, 2.0], ["x", "y"])
    check_same(first, write(tmp_path / "b.parquet", [0.0, 2.0], ["x", "y"]))
    with pytest.raises(RolloutFileError, match="row 1 has another completion"):
        check_same(first, write(tmp_path / "c.parquet", [0.0, 2.0], ["x", "z"]))
    with pytest.raises(RolloutFileError, match="2 and 1"):
        check_same(first, write(tmp_path / "d.parquet", [0.0], ["x"]))
    known = write(tmp_path / "e.parquet", [1.0], ["x"], input=[["r.jsonl", 3, "abc"]])
    check_same(known, write(tmp_path / "f.parquet", [1.0], ["the same"], input=[["r.jsonl", 3, "abc"]]))


def test_disagreement_and_difference(tmp_path):
    first = write(tmp_path / "a.parquet", [1.0, 2.0, None, 3.0], ["x"] * 4)
    second = write(tmp_path / "b.parquet", [1.0, 2.5, 1.0, 1.0], ["x"] * 4)
    selection = Selection(first, second)
    assert selection.rows(Wanted(disagree=True)).tolist() == [1, 2, 3]
    assert selection.rows(Wanted(disagree=True, order="apart")).tolist() == [3, 1, 2]


def test_a_row_with_the_scores_of_another_system(tmp_path):
    results = write(tmp_path / "a.parquet", [1.0], ["x"])
    row = {"reward": 1.0, "why": "", "part": 1.0, "why_part": "", "given_part": 7, "completion": "x", "answer": "B"}
    other = {"reward": 0.0, "why": "no", "rank": 0.0, "why_rank": "low"}
    assert scored_as(row, results, other) == {"given_part": 7, "completion": "x", "answer": "B", **other}
