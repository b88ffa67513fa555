r"""Code-as-Thought: a policy that announces whether it rebuilds a chart's table in code or looks directly.

    R      = 0.8 r_acc + 0.3 r_dec + 0.15 r_data + 0.05 r_fmt
    r_acc  = 1 if the boxed answer is right: equal text, or a number within 5 %
    r_dec  = 1 if the strategy suits the question and the answer is right, 0.5 if it is wrong; 0 for the other strategy
    r_data = 0.2 columns + 0.1 rows + 0.7 values of the true table found in the code, on the code path only
    r_fmt  = 1 for a strategy token at the beginning and a boxed answer

Without r_dec the extra 0.15 of the code path wins everywhere. Code is parsed for literals, never run.
"""

from __future__ import annotations

from sightline.credit import GroupRelative
from sightline.parse.last_box import LastBox
from sightline.parse.strategy import AnnouncedAndBoxed
from sightline.rewards.answers import Answer
from sightline.rewards.format import Format
from sightline.rewards.relaxed_match import RelaxedMatch
from sightline.rewards.strategy import RightStrategy, UsesStrategy
from sightline.rewards.table_data import TableData
from sightline.system import Stage, System

accuracy = Answer(RelaxedMatch(), LastBox()).named("accuracy")
decision = (RightStrategy() * (0.5 + 0.5 * accuracy)).named("decision")
# a chart without a true table: the part is NaN with its reason, the term is left out of the sum
data = TableData().when(UsesStrategy("CODE")).named("data").fill(0.0)
official_data = TableData(matching="best each").when(UsesStrategy("CODE")).named("data").fill(0.0)
format_ = Format(AnnouncedAndBoxed()).named("format")

TABLE = "Year,Sales (M)\n2019,10\n2020,20\n2021,30\n"
CODE = (
    "<CODE>\n```python\nimport pandas as pd\nchart_data = pd.DataFrame({'Year': [2019, 2020, 2021], "
    "'Sales (M)': [10, 20, 30]})\nprint(chart_data['Sales (M)'].max())\n```\nSo \\boxed{30}"
)

SYSTEM = System(
    slug="code-as-thought",
    title="Visual Programmability: A Guide for Code-as-Thought in Chart Understanding",
    arxiv="2509.09286",
    year=2025,
    family="strategies and tables",
    formula="R = 0.8 r_acc + 0.3 r_dec + 0.15 r_data + 0.05 r_fmt;  r_data = 0.2 r_col + 0.1 r_row + 0.7 r_val",
    reward=0.8 * accuracy + 0.3 * decision + 0.15 * data + 0.05 * format_,
    official=0.8 * accuracy + 0.3 * decision + 0.15 * official_data + 0.05 * format_,
    credit=GroupRelative(eps=1e-6),
    recipe=(
        Stage(
            "GRPO",
            "grpo",
            {
                "group size": 5,
                "learning rate": 1e-6,
                "optimizer": "adamw_torch",
                "rollout batch size": 256,
                "batch size": 64,
                "temperature": 1.0,
                "top-p": 0.99,
                "kl coefficient": 0.0,
                "clip range": 0.2,
                "max gradient norm": 1.0,
                "epochs": 4,
                "precision": "bf16",
                "seed": 42,
                "freeze vision": True,
                "max prompt tokens": 5120,
                "max completion tokens": 3072,
                "base model": "Qwen2.5-VL-7B",
                "data": "4,800 charts with code, one question each, both labels equally often",
            },
        ),
    ),
    columns={
        "answer": "the right answer, a text or a number",
        "label": "CODE or DIRECT: the strategy that suits this chart and this question",
        "csv": "the true table: CSV text with a header, rows with a header, columns by name; or None",
    },
    departs=(
        "columns are matched one to one; official lets two true columns match the same predicted one",
        "values are averaged over all true columns; official looks at matched columns only, so the easy one suffices",
        "surplus columns lower the column share; official does not see them",
        "the value of a suitable strategy with a wrong answer (0.5), the answer's tolerance (5 %), the fuzzy match and "
        "how names are resolved in code are assumed in both variants",
        "the paper's table says 4 passes over the data, its text 200: the recipe has 4",
        "code of more than 20,000 characters or 100 columns earns nothing for data, in both variants",
    ),
    specimen=(
        {"completion": CODE, "answer": "30", "label": "CODE", "csv": TABLE},
        {"completion": CODE, "answer": "40", "label": "DIRECT", "csv": TABLE},
        {"completion": "<DIRECT> The last bar. \\boxed{31}", "answer": 30, "label": "CODE", "csv": TABLE},
        {"completion": "<DIRECT> The last bar. \\boxed{10}", "answer": "30", "label": "DIRECT", "csv": None},
        {"completion": CODE.replace("30]", "33]"), "answer": "30", "label": "CODE", "csv": None},
        {"completion": CODE.replace("[10, 20, 30]", "list(x)"), "answer": "30", "label": "CODE", "csv": TABLE},
        {
            "completion": "<CODE> ```python\nchart_data = DataFrame({'Year': [2019, 2020, 2021]})\n```",
            "answer": "30",
            "label": "CODE",
            "csv": TABLE,
        },
        {"completion": "\\boxed{30}", "answer": "30", "label": "CODE", "csv": TABLE},
    ),
)
