"""Does a checklist of what must be seen make right answers rest on seeing, or only more of them right?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.credit.branches import Branches
from sightline.credit.credit import Credit
from sightline.credit.prompt_gate import EitherInformative
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds.glances import FACTS, KINDS, Glancer, Questions, figures, row
from sightline.systems import pearl

ARMS = {
    "start": "no training",
    "GRPO": "the reasoning reward alone",
    "gate and weight": "the mean of the checklist stops or scales the reasoning, but is not learned itself",
    "checklist loss": "the checklist learned beside the reasoning, weight 0.1",
    "PEARL": "the system's credit: loss, gate, weight and filter",
    "released": "the same with the weight applied twice",
}
STEPS, PROMPTS, REPLIES, RATE = 300, 16, 5, 0.02
GUESSABLE, SPREAD = 0.45, 1.0
LEVEL = 0.45


def rule(arm: str) -> Credit:
    """The credit of an arm; all but GRPO's are the system's with something left out."""
    branches = replace(pearl.PRINTED, mean="token")
    loss = (("checklist", 0.1),)
    rules: dict[str, Credit] = {
        "GRPO": _filtered(replace(branches, weights=(("checklist", 0.0),), reweigh=()), "reason"),
        "gate and weight": replace(
            pearl.CREDIT, credit=replace(pearl.CREDIT.credit, credit=replace(branches, weights=(("checklist", 0.0),)))
        ),
        "checklist loss": _filtered(replace(branches, weights=loss, reweigh=()), "both"),
        "PEARL": pearl.CREDIT,
        "released": replace(
            pearl.CREDIT,
            credit=replace(
                pearl.CREDIT.credit, credit=replace(branches, weights=loss, reweigh=(pearl.WEIGHT, pearl.WEIGHT))
            ),
        ),
    }
    return rules[arm]


def _filtered(branches: Branches, clauses: str) -> Credit:
    return EitherInformative(branches, pearl.CREDIT.clauses[: 1 if clauses == "reason" else 2])


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm by policy gradient and reads questions that it has not met."""
    rng = np.random.default_rng([seed, 11])
    held_out = Questions.drawn(2000, GUESSABLE, SPREAD, np.random.default_rng(7000))
    policy, curve = Glancer(), []
    credit = None if arm == "start" else rule(arm)
    reward = sightline.load("pearl").reward
    state, stopped = None, []
    for _ in range(STEPS if credit else 0):
        asked = Questions.drawn(PROMPTS, GUESSABLE, SPREAD, rng)
        curve.append(figures(policy, held_out))
        told, rows = [], []
        for question in range(PROMPTS):
            for pair in range(REPLIES):
                looked, seen, said = policy.reply(asked, question, rng)
                told.append((question, seen, looked))
                rows.append(row(asked, question, "reason", said, pair))
            for pair in range(REPLIES):
                seen, said = policy.glance(asked, question, rng)
                told.append((question, seen, None))
                rows.append(row(asked, question, "checklist", said, pair))
        batch = Batch.from_rows(rows)
        scores = reward(batch)
        advantages, state = credit.assign(scores, batch, None, state)
        now = replace(policy, skill=policy.skill.copy())
        for (question, seen, looked), step in zip(told, advantages.tolist(), strict=True):
            if step:
                before = replace(now, skill=now.skill.copy())
                before.learn(asked, question, seen, looked, RATE * step)
                policy.skill += before.skill - now.skill
                policy.habit += before.habit - now.habit
                policy.sense += before.sense - now.sense
    curve.append(figures(policy, held_out))
    level = next((f for f in curve if f["accuracy"] >= LEVEL), curve[-1])
    return {**curve[-1], "lucky at level": level["lucky"], "guessed at level": level["guessed"], "looks": float(policy.looks(held_out).mean()), "level":level["accuracy"]}
