"""Does average precision alone flood the answer with boxes, and does the over-prediction factor stop it?"""

from __future__ import annotations

from typing import Any

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds import digits
from sightline.parse.boxes import Detections, FoundBoxes
from sightline.parse.json import Fence
from sightline.parse.tags import Block, Inside
from sightline.rewards.labelled_boxes import AveragePrecision
from sightline.rewards.reward import Reward

ARMS = {
    "mAP only": "accuracy method od_ap",
    "odLength": "accuracy method odLength: od_ap times min(1, gold boxes / predicted boxes)",
}
METHODS = {"mAP only": "od_ap", "odLength": "odLength"}
STEPS, ROWS, HELD_OUT, TOKENS = 45, 1500, 150, 64
FOUND = Inside(Block("answer", which="last"), Inside(Fence("json", which="last"), Detections()))


def reward() -> Reward:
    """The system's accuracy. The format reward is off: it would stop a flood that runs over the token limit."""
    return sightline.load("vlm-r1").variant("strict", minus=("format",))


def detection_rows(n: int, split: str, seed: int, method: str) -> list[dict[str, Any]]:
    """Rows of the crowd world as the system reads them."""
    rows = digits.CROWD.rows(n, split, seed=seed)
    return [{**row, "solution": row["answer"], "accu_reward_method": method} for row in rows]


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads held-out rows, sampled at temperature 1."""
    rows = detection_rows(ROWS, "train", 100 + seed, METHODS[arm])
    credit = sightline.load("vlm-r1").credit
    model, processor, _ = policy.reinforce(
        "crowd", reward(), credit, rows, seed, STEPS, learning_rate=3e-4, max_completion_length=TOKENS
    )
    return figures(model, processor)


def figures(model: Any, processor: Any) -> dict[str, float]:
    """Boxes per object, average precision with and without the factor, and lists that were closed."""
    rows = detection_rows(HELD_OUT, "neutral", 7000, "od_ap")
    said = policy.read(model, processor, rows, tokens=TOKENS)
    batch = Batch(said, {"solution": [row["solution"] for row in rows]})
    found = batch.parse(FOUND)
    closed = [isinstance(one, FoundBoxes) for one in found]
    # boxes of lists that ran over the limit count too: a flood often does
    written = [text.count("bbox_2d") for text in said]
    objects = sum(len(row["boxes"]) for row in rows)
    return {
        "boxes per object": sum(written) / objects,
        "mAP": float(np.mean(AveragePrecision()(batch).values)),
        "mAP x factor": float(np.mean(AveragePrecision(price=True)(batch).values)),
        "lists closed": float(np.mean(closed)),
    }


EXPERIMENT = Experiment(
    slug="vlm-r1",
    question="Does average precision alone flood the answer with boxes, and does the over-prediction factor stop it?",
    setting=(
        f"Pictures of 2 to 4 small objects, the answer is a list of labelled boxes; GRPO, groups of {policy.GROUP}, "
        f"{policy.COMPLETIONS} completions a step, {STEPS} steps, at most {TOKENS} tokens, from a cold start whose "
        f"teacher drops or adds a box in 30 % of the lists; {HELD_OUT} held-out pictures, sampled at temperature 1."
    ),
    arms=ARMS,
    figures={
        "boxes per object": "predicted boxes, also of unclosed lists, per object in the pictures",
        "mAP": "mean over pictures of COCO average precision; an unclosed list earns 0",
        "mAP x factor": "the same times min(1, gold / predicted)",
        "lists closed": "share of answers with a complete list",
    },
    claims=(
        Claim("without the factor the answer has more boxes", "boxes per object", "mAP only", "odLength"),
        Claim("with the factor evaluation AP is higher", "mAP", "odLength", "mAP only"),
        Claim("with the factor precision-aware AP is higher", "mAP x factor", "odLength", "mAP only"),
    ),
    measure=measure,
    seeds=(0, 1, 2, 3, 4, 5),
    limits=(
        "three seeds left every claim inconclusive (boxes per object +0.339 [-0.232, +0.911]), so three more were run.",
        "at this size the flood is a doubling, not dozens of boxes, and the factor costs some recall.",
        "the strict parser reads closed lists only, which by itself holds back floods that hit the token limit.",
        "all seeds share one cold start and one test set.",
    ),
)
