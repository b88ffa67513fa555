"""Do details of a route and easier questions first help where right routes are rare?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds.transit import Lines, Transit
from sightline.rewards.reward import Reward

ARMS = {
    "accuracy": "accuracy and difficulty, planning from the start",
    "detail": "the same and the detail reward",
    "detail and stages": "the same, but the first third of the steps asks yes or no",
    "released details": "the same with the released arithmetic",
}
GROUP, PROMPTS, STEPS, RATE, ROWS, HELD_OUT = 8, 16, 450, 0.2, 1000, 600
MOST_SEGMENTS = 3
COLUMNS = ("type", "answer", "station_1", "station_2", "question_transfer_count", "difficulty_city", "json")
# is a station on a line; prefer lines with the goal; stop at stations that lead to it; stop riding
WEIGHTS = ("on line", "goal line", "useful transfer", "arrive")
START = np.zeros(len(WEIGHTS))


class Samples(NamedTuple):
    """Completions and the gradients (N, 4) of their log-probabilities."""

    texts: list[str]
    gradient: np.ndarray


@dataclass
class Pen:
    """Draws choices from weighted options and adds up their gradient."""

    weights: np.ndarray
    rng: np.random.Generator
    gradient: np.ndarray = field(default_factory=lambda: np.zeros(len(WEIGHTS)))

    def choose(self, options: Sequence[Sequence[float]]) -> int:
        """The number of an option, by a softmax over weighted features (options, 4)."""
        features = np.asarray(options, float)
        logits = features @ self.weights
        chance = np.exp(logits - logits.max())
        chance /= chance.sum()
        pick = int(self.rng.choice(len(chance), p=chance))
        self.gradient += features[pick] - chance @ features
        return pick


def answered(row: dict[str, Any], pen: Pen) -> str:
    """A completion on one row."""
    if row["type"] == "planning":
        return planned(row["json"], row["station_1"], row["station_2"], pen)
    # yes and no weigh what was read of the map, by the same weight as in planning
    truth = 1.0 if row["answer"] == 1 else -1.0
    said = pen.choose([[truth, 0, 0, 0], [-truth, 0, 0, 0]])
    return f"\\boxed{{{('yes', 'no')[said]}}}"


def planned(lines: Lines, start: str, end: str, pen: Pen) -> str:
    """A route written segment by segment."""
    names, here, segments = sorted(lines), start, []
    for number in range(MOST_SEGMENTS):
        name = names[pen.choose([[here in lines[one], end in lines[one], 0, 0] for one in names])]
        holds = 1.0 if end in lines[name] else -1.0
        done = number == MOST_SEGMENTS - 1 or pen.choose([[holds, 0, 0, 1], [-holds, 0, 0, 0]]) == 0
        stops = lines[name]
        arrival = end if done else stops[pen.choose([[0, 0, leads(lines, name, stop, end), 0] for stop in stops])]
        segments.append(f"Route Name: {name}\nDeparture Stop: {here}\nArrival Stop: {arrival}")
        if done:
            break
        here = arrival
    return "\n--\n".join(segments)


def leads(lines: Lines, name: str, stop: str, end: str) -> float:
    """1 if another line stops here that holds the goal; 0.5 if any other line stops here."""
    others = [stations for one, stations in lines.items() if one != name and stop in stations]
    return 1.0 if any(end in stations for stations in others) else 0.5 if others else 0.0


def sample(weights: np.ndarray, rows: Sequence[dict[str, Any]], rng: np.random.Generator) -> Samples:
    """One completion a row."""
    pens = [Pen(weights, rng) for _ in rows]
    texts = [answered(row, pen) for row, pen in zip(rows, pens, strict=True)]
    return Samples(texts, np.stack([pen.gradient for pen in pens]))


def reward(arm: str) -> Reward:
    """The system's reward, with or without details."""
    system = sightline.load("rewardmap")
    if arm == "accuracy":
        return system.variant("strict", minus=("detail",))
    return system.variant("official" if arm.startswith("released") else "strict")


def batch_of(rows: Sequence[dict[str, Any]], texts: Sequence[str], group: int) -> Batch:
    """Completions with the columns that the system reads; every `group` rows are a group."""
    return Batch(texts, {name: [row[name] for row in rows] for name in COLUMNS}, group=np.arange(len(rows)) // group)


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and plans held-out routes."""
    rng = np.random.default_rng([seed, 1])
    plans = Transit(kinds=("planning",)).rows(ROWS, "train", seed=100 + seed)
    easy = Transit(kinds=("TorF1", "TorF2")).rows(ROWS, "train", seed=200 + seed)
    pays, credit, weights = reward(arm), sightline.load("rewardmap").credit, START.copy()
    idle = []
    for step in range(STEPS):
        pool = easy if arm in ("detail and stages", "released details") and step < STEPS // 3 else plans
        asked = [pool[i] for i in rng.integers(len(pool), size=PROMPTS) for _ in range(GROUP)]
        said = sample(weights, asked, rng)
        batch = batch_of(asked, said.texts, GROUP)
        advantages, _ = credit.assign(pays(batch), batch)
        idle.append(float((np.abs(advantages).reshape(PROMPTS, GROUP).max(1) == 0).mean()))
        weights += RATE * (advantages[:, None] * said.gradient).mean(0)
    return {**figures(weights), "groups without advantage": float(np.mean(idle[: STEPS // 5]))}


def figures(weights: np.ndarray) -> dict[str, float]:
    """Accuracy of planning by number of transfers, on rows of their own seed."""
    rows = Transit(kinds=("planning",)).rows(HELD_OUT, "neutral", seed=7000)
    said = sample(weights, rows, np.random.default_rng(7000))
    right = reward("detail")(batch_of(rows, said.texts, 1)).parts["accuracy"].values
    changes = np.array([row["question_transfer_count"] for row in rows])
    return {
        "accuracy": float(right.mean()),
        "one line": float(right[changes == 0].mean()),
        "with transfers": float(right[changes > 0].mean()),
    }


EXPERIMENT = Experiment(
    slug="rewardmap",
    question="Do details of a route and easier questions first help where right routes are rare?",
    setting=(
        f"Procedural networks of three to five lines. The policy writes real completions, segment by segment, by a "
        f"softmax over lines and stops with four weights ({', '.join(WEIGHTS)}), of which the first also answers yes "
        f"or no; all begin at 0. GRPO in numpy, {PROMPTS} questions of {GROUP} completions a step, {STEPS} steps in "
        f"all arms; {HELD_OUT} held-out routes."
    ),
    arms=ARMS,
    figures={
        "accuracy": "share of right routes",
        "one line": "the same where no transfer is needed",
        "with transfers": "the same where one is",
        "groups without advantage": "share of groups with equal rewards in the first fifth of the steps",
    },
    claims=(
        Claim("details leave fewer groups without advantage", "groups without advantage", "detail", "accuracy", False),
        Claim("details help planning", "accuracy", "detail", "accuracy"),
        Claim("stages help beyond details", "accuracy", "detail and stages", "detail"),
        Claim("corrected details beat the released ones", "accuracy", "detail and stages", "released details"),
    ),
    measure=measure,
    limits=(
        "the policy reads the network, not a picture, and has four weights: it shows what the rewards teach.",
        "yes or no shares one weight with planning by construction, so that stages can transfer at all.",
    ),
)
