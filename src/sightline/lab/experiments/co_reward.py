"""Does a vote across two phrasings hold off the collapse that a policy's vote for itself ends in?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import sightline
from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds.phrasings import RIGHT, TRIVIAL, Table
from sightline.rewards.reward import Reward

ARMS = {
    "cold start": "no training",
    "majority": "1 for the most frequent answer on a reply's own phrasing",
    "cross agreement": "1 for the most frequent answer on the other phrasing",
    "true labels": "1 for the right answer",
}
STEPS, QUESTIONS, REPLIES, RATE = 200, 16, 8, 0.3


def reward(arm: str) -> Reward | None:
    """The reward of an arm; the label-free ones are the system's own."""
    system = sightline.load("co-reward")
    if arm == "true labels":
        return None
    return system.reward if arm == "cross agreement" else system.extra("majority")


def scored(arm: str, table: Table, questions: NDArray[np.int64], picks: NDArray[np.int64]) -> tuple[Scores, Batch]:
    """Scores of the replies (questions, 2, replies), as rollouts of one group a question."""
    rows = [row for question, both in zip(questions, picks, strict=True) for row in table.rows(int(question), both)]
    batch = Batch.from_rows(rows)
    chosen = reward(arm)
    return (Scores.of((picks.reshape(-1) == RIGHT).astype(float)) if chosen is None else chosen(batch)), batch


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm by policy gradient on a table of answers."""
    table, rng = Table(seed=seed), np.random.default_rng([seed, 5])
    credit = sightline.load("co-reward").credit
    best = before = right(table)
    for _ in range(0 if arm == "cold start" else STEPS):
        questions = rng.choice(table.questions, QUESTIONS, replace=False)
        chances = table.chances()[questions]
        picks = np.array([[rng.choice(len(p), REPLIES, p=p) for p in both] for both in chances])
        scores, batch = scored(arm, table, questions, picks)
        advantages = credit.assign(scores, batch)[0].reshape(picks.shape)
        for place, question in enumerate(questions.tolist()):
            for side in (0, 1):
                table.learn(question, side, picks[place, side], advantages[place, side], RATE, RATE / QUESTIONS)
        best = max(best, right(table))
    chances = table.chances()
    return {
        "right": right(table),
        "trivial": float(chances[..., TRIVIAL].mean()),
        "gain": right(table) - before,
        "fallen": best - right(table),
        "vote share": float(chances.max(-1).mean()),
    }


def right(table: Table) -> float:
    """Chance of the right answer, mean over questions and phrasings."""
    return float(table.chances()[..., RIGHT].mean())


WORLD = Table()
EXPERIMENT = Experiment(
    slug="co-reward",
    question="Does a vote across two phrasings hold off the collapse that a policy's vote for itself ends in?",
    setting=(
        f"A policy that is a table: {WORLD.questions} questions in two phrasings, each with a right answer, "
        f"{WORLD.wrong} wrong ones and the trivial 1. What is known of a question serves both phrasings; every "
        f"phrasing has temptations of its own, and {WORLD.confusing:.0%} of them, drawn independently, invite the 1 "
        f"(log-odds {WORLD.invited:+g}, else {-WORLD.invited:+g}). One leaning towards 1 is shared by all questions. "
        f"{STEPS} policy-gradient steps of {QUESTIONS} questions with {REPLIES} replies a phrasing, rate {RATE}; texts "
        "are scored by the system's rewards and credited by its rule."
    ),
    arms=ARMS,
    figures={
        "right": "chance of the right answer after training, mean over questions and phrasings",
        "trivial": "chance of the trivial answer",
        "gain": "chance of the right answer minus that of the cold start",
        "fallen": "best chance of the right answer on the way minus the last: how far it fell again",
        "vote share": "chance of the most likely answer: confidence, right or not",
    },
    claims=(
        Claim("crossing ends with more right answers than the own vote", "right", "cross agreement", "majority"),
        Claim("the own vote collapses into the trivial answer", "trivial", "majority", "cross agreement"),
        Claim("crossing improves on the cold start without labels", "right", "cross agreement", "cold start"),
        Claim("crossing falls back less than the own vote", "fallen", "cross agreement", "majority", more=False),
        Claim("true labels are still better than crossing", "right", "true labels", "cross agreement"),
    ),
    measure=measure,
    limits=(
        "a table, not a language model: it shows the mechanism, not its size.",
        "phrasings tempt independently of each other; what tempts both is rewarded by both rules.",
        "with fewer inviting phrasings (30 %) the own vote collapses on part of the questions only; with invitations "
        "of +2.5 crossing first loses ground for some fifty steps (both seen while the world was built).",
    ),
)
