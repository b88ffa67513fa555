"""Does a policy keep both strategies only if the choice itself is rewarded?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds import charts
from sightline.rewards.reward import Reward

ARMS = {
    "accuracy": "accuracy and format",
    "with data": "accuracy, format and data accuracy",
    "with decision": "accuracy, format and the decision reward",
    "full": "all four rewards",
}
OFF = {"accuracy": ("decision", "data"), "with data": ("decision",), "with decision": ("data",), "full": ()}
GROUP, PROMPTS, STEPS, RATE, ROWS, HELD_OUT = 5, 32, 600, 0.3, 1000, 1000
# relative error of a value that is read from an axis, which care makes smaller, or guessed from a slice
ERROR = {"bar": 0.10, "line": 0.12, "pie": 0.45}
# looking directly: how often a comparison, or a value, is right
COMPARED, ESTIMATED = 0.95, 0.40
# weights: code in general, chart with axis, question for values, both; and care in copying numbers
START = np.zeros(5)
SPREAD = 0.3  # of the sampled care, in nats


class Samples(NamedTuple):
    """Completions and the gradients (N, 5) of their log-probabilities."""

    texts: list[str]
    code: np.ndarray
    gradient: np.ndarray


def seen(row: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """What the policy notices: axis, kind of question; each is mistaken once in five times."""
    axis = float((row["kind"] != "pie") != (rng.random() < 0.2))
    values = float(row["truth"]["needs_values"] != (rng.random() < 0.2))
    return np.array([1.0, axis, values, axis * values])


def sample(weights: np.ndarray, rows: Sequence[dict[str, Any]], rng: np.random.Generator) -> Samples:
    """Announces a strategy and follows it: writes the table as it was read and computes from it, or guesses."""
    signals = np.stack([seen(row, rng) for row in rows])
    chance = 1 / (1 + np.exp(-signals @ weights[:4]))
    code = rng.random(len(rows)) < chance
    slips = rng.normal(size=len(rows))
    gradient = np.zeros((len(rows), len(weights)))
    gradient[:, :4] = (code - chance)[:, None] * signals
    gradient[:, 4] = np.where(code, slips / SPREAD, 0.0)
    texts = [
        coded(row, weights[4] + SPREAD * slip, rng) if use else looked(row, rng)
        for row, use, slip in zip(rows, code, slips, strict=True)
    ]
    return Samples(texts, code, gradient)


def coded(row: dict[str, Any], care: float, rng: np.random.Generator) -> str:
    """A table as it was read, and the answer that follows from it. No care helps where there is no axis."""
    names, values = row["truth"]["names"], np.array(row["truth"]["values"], float)
    error = ERROR[row["kind"]] * (1.0 if row["kind"] == "pie" else np.exp(-np.clip(care, -1.0, 2.0)))
    read = np.maximum(values * (1 + error * rng.normal(size=len(values))), 0.1).round(1).tolist()
    table = f"chart_data = pd.DataFrame({{'Fruit': {names}, 'Sold': {read}}})"
    return f"<CODE>\n```python\n{table}\n```\n\\boxed{{{answered(row, dict(zip(names, read, strict=True)))}}}"


def answered(row: dict[str, Any], read: dict[str, float]) -> str:
    """The answer to the row's question from values that were read."""
    text = row["prompt"][0]["content"][-1]["text"]
    named = [name for name in read if name in text]
    if text.startswith("How many"):
        return f"{sum(read.values()):.1f}"
    if text.startswith("By how much"):
        return f"{abs(read[named[0]] - read[named[1]]):.1f}"
    pick, among = (max, [*read]) if "most" in text else (min, named)
    return str(pick(among, key=lambda name: read[name]))


def looked(row: dict[str, Any], rng: np.random.Generator) -> str:
    """The right answer as often as a look gives it, else another one."""
    values = row["truth"]["needs_values"]
    if rng.random() < (ESTIMATED if values else COMPARED):
        return f"<DIRECT> \\boxed{{{row['answer']}}}"
    wrong = str(2 * float(row["answer"]) + 9) if values else "none of them"
    return f"<DIRECT> \\boxed{{{wrong}}}"


def reward(arm: str) -> Reward:
    """The system's reward without the parts that the arm leaves out."""
    return sightline.load("code-as-thought").variant("strict", minus=OFF[arm])


def batch_of(rows: Sequence[dict[str, Any]], texts: Sequence[str]) -> Batch:
    """Completions with the columns that the system reads; every GROUP rows are a group."""
    columns = {name: [row[name] for row in rows] for name in ("answer", "label", "csv")}
    return Batch(texts, columns, group=np.arange(len(rows)) // GROUP)


def balanced(split: str, n: int, seed: int) -> list[dict[str, Any]]:
    """Rows with both labels equally often."""
    rows = charts.CHARTS.rows(4 * n, split, seed=seed)
    halves = [[row for row in rows if row["label"] == label][: n // 2] for label in ("CODE", "DIRECT")]
    return [row for pair in zip(*halves, strict=True) for row in pair]


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and samples answers to held-out questions."""
    rng = np.random.default_rng([seed, 1])
    rows = balanced("train", ROWS, 100 + seed)
    pays, credit, weights = reward(arm), sightline.load("code-as-thought").credit, START.copy()
    for _ in range(STEPS):
        asked = [rows[i] for i in rng.integers(len(rows), size=PROMPTS) for _ in range(GROUP)]
        said = sample(weights, asked, rng)
        batch = batch_of(asked, said.texts)
        advantages, _ = credit.assign(pays(batch), batch)
        weights += RATE * (advantages[:, None] * said.gradient).mean(0)
    return figures(weights)


def figures(weights: np.ndarray) -> dict[str, float]:
    """Accuracy and use of code, on rows of their own seed."""
    rows = balanced("neutral", HELD_OUT, 7000)
    said = sample(weights, rows, np.random.default_rng(7000))
    scores = reward("full")(batch_of(rows, said.texts))
    suits = np.array([row["label"] == "CODE" for row in rows])
    return {
        "accuracy": float(scores.parts["accuracy"].values.mean()),
        "code use": float(said.code.mean()),
        "code where it suits": float(said.code[suits].mean()),
        "code elsewhere": float(said.code[~suits].mean()),
        "right strategy": float((said.code == suits).mean()),
        "data accuracy": float(np.nanmean(scores.parts["data"].values[said.code])) if said.code.any() else 0.0,
    }


EXPERIMENT = Experiment(
    slug="code-as-thought",
    question="Does a policy keep both strategies only if the choice itself is rewarded?",
    setting=(
        f"Bar, line and pie charts with questions for values or for an order, both labels equally often. The policy "
        f"chooses a strategy by four weights on what it notices (mistaken once in five times), and has one weight for "
        f"care in copying numbers; it writes real completions: a table with reading errors as code, and the answer "
        f"that follows from it, or a direct answer that is right in {COMPARED:.0%} of comparisons and {ESTIMATED:.0%} "
        f"of values. GRPO in numpy, {PROMPTS} questions of {GROUP} completions a step, {STEPS} steps, from an even "
        f"start; {HELD_OUT} held-out questions."
    ),
    arms=ARMS,
    figures={
        "accuracy": "share of right answers",
        "code use": "share of completions that announce CODE",
        "code where it suits": "the same where the label is CODE",
        "code elsewhere": "the same where the label is DIRECT",
        "right strategy": "share of completions whose strategy is the label",
        "data accuracy": "of the tables in code",
    },
    claims=(
        Claim("the data reward alone pulls towards code everywhere", "code elsewhere", "with data", "accuracy"),
        Claim("the decision reward stops that", "code elsewhere", "full", "with data", more=False),
        Claim("the choice is right more often with the decision reward", "right strategy", "full", "with data"),
        Claim("tables are more exact with the data reward", "data accuracy", "full", "with decision"),
        Claim("all four are more accurate than accuracy and format", "accuracy", "full", "accuracy"),
    ),
    measure=measure,
    limits=(
        "how often each strategy succeeds is set by hand: the study shows what the rewards select, not what models do.",
        "the policy has five weights, so it cannot collapse by forgetting a strategy.",
    ),
)
