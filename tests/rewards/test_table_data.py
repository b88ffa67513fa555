"""Strategy and data rewards: what the data must be, and what cannot be gamed."""

from __future__ import annotations

import pytest

import sightline
from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.relaxed_match import RelaxedMatch
from sightline.rewards.strategy import RightStrategy, UsesStrategy
from sightline.rewards.table_data import TableData

TRUE = "Year,Sales (M)\n2019,10\n2020,20\n2021,30"


def code(frame: str) -> str:
    return f"<CODE>\n```python\nchart_data = pd.DataFrame({frame})\n```\n\\boxed{{7}}"


RIGHT = code("{'Year': [2019, 2020, 2021], 'Sales (M)': [10, 20, 30]}")


@pytest.mark.parametrize(
    "frame",
    [
        "{'Year': [2019, 2020, 2021]}",
        "{'Year': [2019, 2020, 2021], **{}}",
        "{'Year': [2019, 2020, 2021], 'Sales (M)': [0, 0, 0]}",
        "{f'Sales (M)': [10, 20, 30]}",
        "{'Year': [], 'Sales (M)': []}",
        "{" + ", ".join(f"'Sales {i}': [10, 20, 30]" for i in range(60)) + "}",
    ],
)
def test_partial_tables_earn_less_than_most_of_the_table(frame: str) -> None:
    near = code("{'Year': [2019, 2020, 2021], 'Sales (M)': [10, 20, 33]}")
    values = TableData()(Batch([code(frame), near], {"csv": [TRUE, TRUE]})).values
    assert values[0] < values[1] < 1


def test_data_is_paid_on_the_code_path_only() -> None:
    rows = [{"completion": text, "answer": "7", "label": "CODE", "csv": TRUE} for text in (RIGHT, RIGHT[6:])]
    scores = sightline.load("code-as-thought").reward(Batch.from_rows(rows))
    assert scores.values.tolist() == pytest.approx([1.3, 0.8])


def test_a_missing_table_is_flagged() -> None:
    scores = TableData()(Batch([RIGHT], {"csv": [None]}))
    assert scores.abstained.all()
    assert scores.why == ["abstain: no true table"]


@pytest.mark.parametrize(
    ("reward", "columns", "what"),
    [
        (TableData(), {"csv": ["a,b\n1"]}, "column `csv` of row 0"),
        (TableData(key="Month"), {"csv": [TRUE]}, "has no key 'Month'"),
        (RightStrategy(), {"label": ["code"]}, "column `label` of row 0"),
    ],
)
def test_wrong_data_is_the_callers(reward: sightline.rewards.Reward, columns: dict[str, list[str]], what: str) -> None:
    with pytest.raises(ColumnError, match=what):
        reward(Batch([""], columns))


def test_marks_point_at_the_token() -> None:
    (mark,) = RightStrategy()(Batch(["I go <DIRECT>"], {"label": ["DIRECT"]})).marks[0]
    assert mark.place == (5, 13)
    assert UsesStrategy("CODE")(Batch(["I go <DIRECT>"])).why == ["announces DIRECT"]


def test_relaxed_numbers() -> None:
    pairs = {("95", "100"): 1, ("94.9", "100"): 0, ("1.9", "2"): 1, ("-95", "-100"): 1, ("", "0"): 0}
    assert {pair: RelaxedMatch()(*pair) for pair in pairs} == pairs


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_large_table_is_compared_in_time() -> None:
    names = [f"Column number {i} of the table" for i in range(60)]
    true = "\n".join([",".join(names), *[",".join(["1"] * 60)] * 3])
    said = code("{" + ", ".join(f"'{name}': [1, 1, 1]" for name in names) + "}")
    assert TableData()(Batch([said], {"csv": [true]})).values[0] == pytest.approx(1.0)
