"""Charts: drawn again, exact tables, answers that follow from them."""

from __future__ import annotations

import numpy as np

from sightline.core import Batch
from sightline.lab.experiments.code_as_thought import answered
from sightline.lab.worlds.charts import CHARTS
from sightline.parse.tables import csv_table
from sightline.rewards.answers import Answer
from sightline.rewards.relaxed_match import RelaxedMatch


def test_rows_can_be_drawn_again() -> None:
    rows, again = CHARTS.rows(12, "train", seed=4), CHARTS.rows(14, "train", seed=4)
    for row, same in zip(rows, again, strict=False):
        assert {k: v for k, v in row.items() if k != "images"} == {k: v for k, v in same.items() if k != "images"}
        assert np.array_equal(row["images"][0], same["images"][0])
    assert {row["kind"] for row in rows} == {"bar", "line", "pie"}


def test_answers_follow_from_the_table() -> None:
    rows = CHARTS.rows(60, "neutral", seed=5)
    read = [dict(zip(row["truth"]["names"], map(float, row["truth"]["values"]), strict=True)) for row in rows]
    said = [f"<answer>{answered(row, one)}</answer>" for row, one in zip(rows, read, strict=True)]
    assert Answer(RelaxedMatch())(Batch(said, {"answer": [row["answer"] for row in rows]})).values.all()
    for row in rows:
        assert csv_table(row["csv"]).columns[0] == tuple(row["truth"]["names"])


def test_labels_follow_from_chart_and_question() -> None:
    rows = CHARTS.rows(80, "train", seed=6)
    assert all((row["label"] == "CODE") == (row["kind"] != "pie" and row["truth"]["needs_values"]) for row in rows)
    assert 0.15 < np.mean([row["label"] == "CODE" for row in rows]) < 0.6
