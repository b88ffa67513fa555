"""Do sharpened and rising criteria keep teaching where plain ones are content with loose boxes?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds import digits
from sightline.parse.tags import Inside
from sightline.rewards.box_criteria import BoxPairing, BoxPrecision, BoxRecall
from sightline.rewards.box_lists import BoxList
from sightline.rewards.format import Format
from sightline.rewards.matched_boxes import ANSWER_OR_TEXT, POSITIONS
from sightline.rewards.reward import Reward, rebuilt
from sightline.rewards.staged import Staged

STEPS, PICTURES, HELD_OUT, TOKENS = 60, 100, 200, 56
HALF = STEPS // 2
ARMS = {
    "cold start": "no further training",
    "unrefined": "format, recall at 0.5 and mean quality of the boxes, without differentiation and stages",
    "one stage": "with differentiation, thresholds of stage 1 to the end",
    "progressive": f"with differentiation, thresholds of stage 2 from step {HALF} on",
}
STARTS = {"one stage": STEPS, "progressive": HALF}
# one category is asked for, and the policy writes no labels
PAIRING = BoxPairing(find=Inside(ANSWER_OR_TEXT, replace(POSITIONS, score=None)), labels_count=False)


def as_written(node: Reward) -> Reward:
    """The same criteria on what the lab's policy writes: think block, answer block, boxes under `Position`."""
    if isinstance(node, BoxRecall | BoxPrecision):
        return replace(node, pairing=PAIRING)
    return Format() if isinstance(node, BoxList) else node


def reward(arm: str) -> Reward:
    """The system's strict reward; its second stage begins where the arm says."""
    system = sightline.load("vision-r1")
    if arm == "unrefined":
        return rebuilt(system.extra("unrefined"), as_written)
    return rebuilt(rebuilt(system.reward, as_written), Restarted(STARTS[arm]))


@dataclass(frozen=True)
class Restarted:
    """A staged reward whose second stage begins at another step."""

    step: int

    def __call__(self, node: Reward) -> Reward:
        if isinstance(node, Staged):
            return Staged(((0, node.stages[0][1]), (self.step, node.stages[1][1])))
        return node


def localisation_rows(n: int, split: str, seed: int) -> list[dict[str, Any]]:
    """Rows of the search world as the system reads them, in thousandths of the side."""
    return [
        {
            **row,
            "solution": [[row["category"], [v * 1000 / row["truth"]["size"][0] for v in box]] for box in row["boxes"]],
            "width": 1000,
            "height": 1000,
        }
        for row in digits.SEARCH.rows(n, split, seed=seed)
    ]


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm on the same few pictures and reads held-out rows, sampled at temperature 1."""
    from sightline.lab.models import tiny_vlm

    if arm == "cold start":
        return figures(*tiny_vlm.load("search"))
    rows = localisation_rows(PICTURES, "train", 100 + seed)
    credit = sightline.load("vision-r1").credit
    model, processor, _ = policy.reinforce(
        "search", reward(arm), credit, rows, seed, STEPS, max_completion_length=TOKENS
    )
    return figures(model, processor)


def figures(model: Any, processor: Any) -> dict[str, float]:
    """Recall and precision at two qualities, and boxes per object."""
    rows = localisation_rows(HELD_OUT, "neutral", 7000)
    said = policy.read(model, processor, rows, tokens=TOKENS)
    found = Batch(said, {"solution": [row["solution"] for row in rows]}).once(PAIRING)
    good, fine = (float((found.quality >= bar).sum()) for bar in (0.5, 0.75))
    boxes, objects = max(1, int(found.said.sum())), int(found.gold.sum())
    return {
        "recall at 0.5": good / objects,
        "recall at 0.75": fine / objects,
        "precision at 0.5": good / boxes,
        "precision at 0.75": fine / boxes,
        "mean quality": float(np.sum(np.maximum(found.quality, 0.0)) / boxes),
        "boxes per object": boxes / objects,
    }


EXPERIMENT = Experiment(
    slug="vision-r1",
    question="Do sharpened and rising criteria keep teaching where plain ones are content with loose boxes?",
    setting=(
        f"Find one category among 2 to 4 small objects, boxes in 0..1000, or say that there is none; {PICTURES} "
        f"pictures to learn from, GRPO, groups of {policy.GROUP}, {policy.COMPLETIONS} completions a step, {STEPS} "
        f"steps, learning rate 1e-4; {HELD_OUT} held-out pictures, sampled at temperature 1. Quality of a pair is GIoU."
    ),
    arms=ARMS,
    figures={
        "recall at 0.5": "objects with a box of quality 0.5 or more, share of all objects",
        "recall at 0.75": "the same at quality 0.75",
        "precision at 0.5": "boxes of quality 0.5 or more, share of all boxes",
        "precision at 0.75": "the same at quality 0.75",
        "mean quality": "of all predicted boxes, 0 for those without a pair and for negative GIoU",
        "boxes per object": "predicted boxes per object in the pictures",
    },
    claims=(
        Claim("criteria from the annotation improve on the cold start", "precision at 0.5", "unrefined", "cold start"),
        Claim("differentiation places boxes better", "precision at 0.75", "one stage", "unrefined"),
        Claim("rising bars place them better still", "precision at 0.75", "progressive", "one stage"),
        Claim("progressive refinement finds more objects precisely", "recall at 0.75", "progressive", "unrefined"),
    ),
    measure=measure,
    limits=(
        "sixty steps on one small world; the paper refines over thousands.",
        "pictures of one category at a time, so labels play no part.",
        "all seeds share one cold start and one test set.",
    ),
)
