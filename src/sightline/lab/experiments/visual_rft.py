"""Does a reward for overlap and honest confidence teach detection better than imitation on the same pictures?"""

from __future__ import annotations

from typing import Any

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds import demonstrations, digits
from sightline.rewards.matched_boxes import BoxConfidence, BoxFit

ARMS = {
    "cold start": "no further training",
    "fine-tuning": "supervised on the right answers of the same pictures, as many updates with as many prompts",
    "reinforcement": "IoU, confidence and format reward with GRPO",
}
STEPS, PICTURES, HELD_OUT, TOKENS = 60, 100, 200, 56
PROMPTS = policy.COMPLETIONS // policy.GROUP


def detection_rows(n: int, split: str, seed: int) -> list[dict[str, Any]]:
    """Rows of the search world as the system reads them."""
    return [{**row, "solution": row["answer"], "task": "detection"} for row in digits.SEARCH.rows(n, split, seed=seed)]


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm on the same few pictures and reads held-out rows, sampled at temperature 1."""
    from sightline.lab.models import tiny_vlm

    rows = detection_rows(PICTURES, "train", 100 + seed)
    if arm == "cold start":
        return figures(*tiny_vlm.load("search"))
    if arm == "fine-tuning":
        said = [demonstrations.look(row) for row in rows]
        size = {"per_device_train_batch_size": PROMPTS}
        return figures(*policy.demonstrate("search", rows, said, seed, STEPS, **size))
    system = sightline.load("visual-rft")
    model, processor, _ = policy.reinforce(
        "search", system.reward, system.credit, rows, seed, STEPS, max_completion_length=TOKENS
    )
    return figures(model, processor)


def figures(model: Any, processor: Any) -> dict[str, float]:
    """Box fit and confidence reward, in and out of distribution."""
    found = {}
    for name, split in (("in", "neutral"), ("out", "shifted")):
        rows = detection_rows(HELD_OUT, split, 7000)
        said = policy.read(model, processor, rows, tokens=TOKENS)
        batch = Batch(said, {"solution": [row["solution"] for row in rows]})
        found[f"{name}: IoU"] = float(np.mean(BoxFit()(batch).values))
        found[f"{name}: confidence"] = float(np.mean(BoxConfidence()(batch).values))
    return found


EXPERIMENT = Experiment(
    slug="visual-rft",
    question="Does a reward for overlap and honest confidence teach detection better than imitating right answers?",
    setting=(
        f"Find one category among 2 to 4 small objects, boxes in 0..1000 with confidences; {PICTURES} pictures to learn"
        f" from either way, {STEPS} updates of {PROMPTS} prompts, learning rate 1e-4; reinforcement samples "
        f"{policy.GROUP} completions a prompt; {HELD_OUT} held-out pictures a split, sampled at temperature 1. Out of "
        f"distribution: larger objects on a brighter, tinted, noisier ground."
    ),
    arms=ARMS,
    figures={
        "in: IoU": "sum of matched IoU / max(gold, predicted), pictures like those of training",
        "in: confidence": "confidence reward there",
        "out: IoU": "the same out of distribution",
        "out: confidence": "confidence reward there",
    },
    claims=(
        Claim("reinforcement beats fine-tuning in distribution", "in: IoU", "reinforcement", "fine-tuning"),
        Claim("reinforcement beats fine-tuning out of distribution", "out: IoU", "reinforcement", "fine-tuning"),
        Claim("reinforcement improves on the cold start", "in: IoU", "reinforcement", "cold start"),
        Claim("confidences become more honest than imitated ones", "in: confidence", "reinforcement", "fine-tuning"),
    ),
    measure=measure,
    limits=(
        "same pictures and updates are not the same compute: reinforcement samples eight completions a prompt.",
        "all seeds share one cold start and one test set.",
    ),
)
