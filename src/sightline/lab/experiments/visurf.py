"""Does a label among the rollouts teach what the policy never samples, without forgetting what it can?"""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

import sightline
from sightline.credit import GroupRelative
from sightline.credit.credit import Credit
from sightline.curate.labels import with_labels
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.models import reading, tiny_vlm
from sightline.lab.worlds.absent import Absent
from sightline.rewards.answers import Answer, same_text
from sightline.rewards.format import Format
from sightline.rewards.reward import Reward
from sightline.rewards.written import WrittenByPolicy

ARMS = {
    "cold start": "no further training",
    "fine-tuning": "the label alone, which has no reasoning",
    "reinforcement": "rollouts alone",
    "one after the other": "fine-tuning for half of the steps, then reinforcement",
    "label injection": "the system's credit: the label is one of the rollouts, and switched off where one reaches it",
}
STEPS, ROWS, HELD_OUT, TOKENS, RATE = 120, 2000, 200, 16, 5e-4
WORLD = Absent(share=0.4)
REWARD: Reward = 3.0 * Answer(same_text).named("accuracy") + Format().when(WrittenByPolicy()).named("thinking")


PROMPTS = policy.COMPLETIONS // policy.GROUP


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads held-out rows, sampled at temperature 1."""
    rows = list(with_labels(WORLD.rows(ROWS, "train", seed=100 + seed), column="answer"))
    if arm == "cold start":
        return figures(*tiny_vlm.load("base"))
    if arm == "fine-tuning":
        return figures(*fine_tuned(rows, seed, STEPS))
    if arm != "one after the other":
        credit = GroupRelative(eps=1e-6) if arm == "reinforcement" else sightline.load("visurf").credit
        return figures(*reinforced("base", credit, rows, seed, STEPS))
    with tempfile.TemporaryDirectory() as folder:
        start = tiny_vlm.save(fine_tuned(rows, seed, STEPS // 2)[0], folder)
        return figures(*reinforced(start, GroupRelative(eps=1e-6), rows, seed + 50, STEPS // 2))


def fine_tuned(rows: list[dict[str, Any]], seed: int, steps: int) -> tuple[Any, Any]:
    """The labels alone, as many prompts a step as in the other arms."""
    said = [row["label"] for row in rows]
    options: dict[str, Any] = {"per_device_train_batch_size": PROMPTS, "learning_rate": RATE}
    return policy.demonstrate("base", rows, said, seed, steps, **options)


def reinforced(start: Any, credit: Credit, rows: list[dict[str, Any]], seed: int, steps: int) -> tuple[Any, Any]:
    """Rollouts, with labels among them if the credit rule asks for them."""
    options: dict[str, Any] = {"max_completion_length": TOKENS, "learning_rate": RATE}
    model, processor, _ = policy.reinforce(start, REWARD, credit, rows, seed, steps, **options)
    return model, processor


def figures(model: Any, processor: Any) -> dict[str, float]:
    """Right answers where the object is there and where it is not, and how often the policy reasons first."""
    rows = WORLD.rows(HELD_OUT, "neutral", seed=7000)
    said = policy.read(model, processor, rows, tokens=TOKENS)
    right = np.array([reading.right(row, text) for row, text in zip(rows, said, strict=True)])
    absent = np.array([row["absent"] for row in rows])
    return {
        "absent": float(right[absent].mean()),
        "present": float(right[~absent].mean()),
        "balanced": float((right[absent].mean() + right[~absent].mean()) / 2),
        "reasons": float(np.mean([text.startswith("<think>") and "</think>" in text for text in said])),
    }


EXPERIMENT = Experiment(
    slug="visurf",
    question="Does a label among the rollouts teach what the policy never samples, without forgetting what it can?",
    setting=(
        f"What is the object of a colour in a picture of digits and shapes; in {WORLD.share:.0%} of the rows there is "
        f"none, which the cold start (0.93 right where there is one) never says. Reward 3 for the right answer, 1 for "
        f"a think block, which labels cannot earn. {policy.COMPLETIONS} places a step in groups of {policy.GROUP}, of "
        f"which the label takes one where there is one, {STEPS} steps, learning rate {RATE:g}, vision frozen; "
        f"{HELD_OUT} held-out rows, sampled at temperature 1."
    ),
    arms=ARMS,
    figures={
        "absent": "share of right answers where the object is not there",
        "present": "share of right answers where it is",
        "balanced": "mean of both",
        "reasons": "share of answers behind a closed think block",
    },
    claims=(
        Claim("the label teaches what rollouts alone never find", "absent", "label injection", "reinforcement"),
        Claim(
            "what the policy could do is kept better than by fine-tuning", "present", "label injection", "fine-tuning"
        ),
        Claim("one stage beats fine-tuning", "balanced", "label injection", "fine-tuning"),
        Claim("one stage beats two", "balanced", "label injection", "one after the other"),
        Claim("reasoning survives better than under fine-tuning", "reasons", "label injection", "fine-tuning"),
    ),
    measure=measure,
    limits=(
        "the tiny model has no words for points: the reward is not the system's, its credit rule and the trainer are.",
        "rate and steps were chosen for all arms alike after looking at seed 0: at 1e-4 and 60 steps neither "
        "fine-tuning nor injection moves the policy at all, at 5e-4 the change comes between 80 and 120 steps, at 8e-4 "
        "injection too forgets what it could do.",
        "with a label the group has 7 rollouts instead of 8; the budget of places is the same.",
        "all seeds share one cold start and one test set.",
    ),
)
