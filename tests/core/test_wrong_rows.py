"""What a newcomer passes by mistake is named, and what notebooks show of scores holds no markup of a policy."""

from __future__ import annotations

import numpy as np
import pytest

from sightline import Batch, Score, Scores, abstain
from sightline.core.errors import ColumnError, ShapeError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Batch.from_rows("abc"), "needs a list of dictionaries, one a rollout; got str 'abc'"),
        (lambda: Batch.from_rows({"completion": "a"}), "needs a list of dictionaries, one a rollout; got dict"),
        (lambda: Batch.from_rows([{"completion": "a"}, "b"]), "row 1 needs to be a dictionary; got str 'b'"),
        (lambda: Batch.from_rows(None), "got NoneType None"),
        (lambda: Batch("abc"), "completions need a list, one a rollout; got str 'abc'"),
        (lambda: Batch(["a"], {"answer": "A"}), "column `answer` needs a list of 1; got str 'A'"),
        (lambda: Batch(["a"], group=3), "column `group` needs a list of 1; got int 3"),
    ],
)
def test_what_is_no_batch_is_named(make, message):
    with pytest.raises(ShapeError, match=message):
        make()


def test_a_group_that_is_no_id_is_named():
    with pytest.raises(ColumnError, match=r"column `group` needs an id per rollout, a number or a text: .*list"):
        Batch(["a"], group=[[{"role": "user"}]])


@pytest.mark.parametrize("wrong", [None, 5, b"x", {"role": "assistant"}, ["a", 3]])
def test_a_completion_that_is_no_text_is_named_with_its_row(wrong):
    batch = Batch.from_rows([{"completion": "fine"}, {"completion": wrong}])
    with pytest.raises(ColumnError, match=f"`completion` of row 1 is {type(wrong).__name__}"):
        batch.texts  # noqa: B018 - reading is what raises


def test_messages_and_arrays_of_texts_are_no_mistake():
    chat = [{"role": "assistant", "content": "a"}, {"role": "tool", "content": "b"}]
    assert Batch(np.array(["x", "y"], object)).texts == ["x", "y"]
    assert Batch([chat, np.array(chat, object)]).texts == ["a", "a"]


def test_notebooks_show_values_parts_and_reasons_as_text():
    part = Scores.from_rows([Score(1.0, "<script>")] * 30)
    whole = Scores.from_rows([Score(0.5, "a & b")] * 29 + [abstain("x" * 500)])
    shown = Scores(whole.values, whole.why, whole.marks, {"<p>": part})._repr_html_()
    assert shown.count("<tr>") == 21
    assert "<td>0.5</td><td>1</td><td>a &amp; b; &lt;p&gt;: &lt;script&gt;</td>" in shown
    assert "<p>10 more</p>" in shown
    last = Scores.from_rows([abstain("x" * 500)])._repr_html_()
    assert "<td>nan</td>" in last
    assert len(last) < 400


def test_an_empty_cell_of_a_table_is_no_answer():
    from sightline.rewards.answers import Answer, same_letter

    with pytest.raises(ColumnError, match="`answer` of row 0 is nan; it needs a text or a number"):
        Answer(same_letter)(Batch(["A"], {"answer": [float("nan")]}))
