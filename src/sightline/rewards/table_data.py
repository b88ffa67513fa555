"""How much of a chart's table is in the code that a policy wrote; the code is parsed, never executed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, abstain
from sightline.metrics.tables import table_fit
from sightline.parse.tables import FrameLiteral, Table, csv_table
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class TableData(GoldReward):
    """How much of the true table the code holds.

    value = 0.2 * columns found + 0.1 * 1[as many rows] + 0.7 * values equal

    Args:
        table: text -> table or Missing.
        matching: `one to one` pairs columns without using one twice, counts missing true columns as wrong values and
            surplus columns against the column share; `best each` gives each true column its best match and looks at
            matched columns only.
        key: a true column by whose values rows are paired; None: row by row.
        column: the true table: CSV text with a header, rows with a header, columns by name, or None.

    Reads: `column`. Range: 0..1. Low: 0 without a table made of literals. Not applicable: no true table.

    Raises:
        ColumnError: a true table cannot be read, or lacks the key.

    Example:
        >>> frame = "pd.DataFrame({'year': [2019, 2020, 2021], 'Sales(M)': [10.05, 20, 33]})"
        >>> code = f"```python\\nchart_data = {frame}\\n```"
        >>> TableData()(Batch([code], {"csv": ["Year,Sales (M)\\n2019,10\\n2020,20\\n2021,30"]})).values.round(6)
        array([0.883333])

    References:
        Visual Programmability, arXiv 2509.09286, data-accuracy reward; `one to one` is ours.
    """

    table: Callable[[str], Table | Missing] = FrameLiteral()
    matching: Literal["one to one", "best each"] = "one to one"
    key: str | None = None
    column: str = "csv"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), table_rows()

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(self.table)
        return Scores.from_rows([self._one(*row) for row in zip(found, self.right(batch), strict=True)])

    def right(self, batch: Batch) -> list[Table | None]:
        who = type(self).__name__
        tables = gold(batch, self.column, who, _table_or_none)
        for row, table in enumerate(tables):
            if table is not None and self.key is not None and self.key not in table.names:
                raise ColumnError(f"{who}: column `{self.column}` of row {row} has no key {self.key!r}: {table.names}")
        return tables

    def _one(self, found: Table | Missing, true: Table | None) -> Score:
        if true is None:
            return abstain("no true table")
        if isinstance(found, Missing):
            return Score(0.0, found.why)
        fit = table_fit(found, true, self.matching, self.key)
        why = f"columns {fit.columns:.3g}, rows {fit.rows:.0f}, values {fit.values:.3g}"
        return Score(fit.total, why if fit.total < 1 else "")


def _table_or_none(value: Any) -> Table | Missing | None:
    return None if value is None else csv_table(value)


def table_rows() -> list[dict[str, Any]]:
    """Rows of every kind: right, rounded, one column, more rows, surplus, no literals, no code, no true table."""
    true = "Year,Sales (M)\n2019,10\n2020,20\n2021,30\n"
    frames = (
        "pd.DataFrame({'Year': [2019, 2020, 2021], 'Sales (M)': [10, 20, 30]})",
        "pandas.DataFrame([{'year': 2019, 'Sales(M)': 10.05}, {'year': 2020}])",
        "DataFrame(data=[[2019, 1], [2020, 2]], columns=['Year', 'Profit'])",
        "pd.DataFrame({'Year': range(3)})",
        "pd.read_csv('x.csv')",
    )
    said = [f"<CODE>\n```python\nimport pandas as pd\nchart_data = {frame}\n```\n\\boxed{{30}}" for frame in frames]
    return [{"completion": text, "csv": table} for text in (*said, "<DIRECT> \\boxed{30}") for table in (true, None)]
