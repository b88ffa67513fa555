"""Does paying for a look at disputed objects find more of them, and do precision and recall alone go astray?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.models.cold_start import example
from sightline.lab.models.language_stage import Example, Recipe
from sightline.lab.starts import taught
from sightline.lab.worlds import demonstrations, statements
from sightline.lab.worlds.digits import CROWD
from sightline.lab.worlds.grounding import CLAIM
from sightline.parse.boxes import Detections, FoundBoxes
from sightline.parse.json import Fence
from sightline.parse.tags import ANSWER, THINK, Inside, Span
from sightline.rewards.crowds import Crowd, CrowdFound
from sightline.rewards.format import Format
from sightline.rewards.looking import Disagreement, LookRegions, LooksWhereUnsure
from sightline.rewards.reward import Reward
from sightline.rewards.target_boxes import best_overlaps

STEPS, ROWS, HELD_OUT, DISPUTED, SAMPLES, TOKENS = 40, 1500, 150, 0.05, 5, 96
ARMS = {
    "balanced": "format and weighted precision and recall",
    "with look": "the same and the look reward",
    "precision only": "format and precision",
    "recall only": "format and recall",
}
CROWD_READ = Crowd(Inside(ANSWER, Inside(Fence("json"), Detections(label=None, bad_item="fail"))))
RECIPE = Recipe(steps=200, size=32, lr=1e-3, muon=None, blur=0.0)


def looked_at(text: str) -> FoundBoxes | Missing:
    """The boxes that a think block claims: what this policy writes in place of a look block."""
    think = THINK.span(text)
    if not isinstance(think, Span):
        return think
    boxes = [[float(n) for n in one["box"].split(",")] for one in CLAIM.finditer(text, think.start, think.end)]
    size = len(boxes)
    return FoundBoxes(size, list(boxes), [None] * size, [float("nan")] * size, [True] * size)


def reward(arm: str) -> Reward:
    """The system's sum on what the lab's policy writes."""
    weights = {"precision only": (1.0, 0.0), "recall only": (0.0, 1.0)}.get(arm, (0.5, 0.5))
    total = Format().named("format") + CrowdFound(CROWD_READ, *weights).named("accuracy")
    if arm != "with look":
        return total
    look = LooksWhereUnsure(Disagreement(CROWD_READ), LookRegions(looked_at))
    return total + look.named("look").fill(0.0)


def crowd_rows(n: int, split: str, seed: int) -> list[dict[str, Any]]:
    """Rows of the crowd world as the system reads them."""
    rows = CROWD.rows(n, split, seed=seed)
    return [{**row, "query": "object", "image_size": row["truth"]["size"]} for row in rows]


def looking_teacher() -> Sequence[Example]:
    """Lists by a teacher who errs in 30 % of them, after a look at none, one or two objects chosen at random."""
    rng = np.random.default_rng(6)
    examples = []
    for row in CROWD.rows(4000, "train", seed=60):
        things = [row["truth"]["objects"][i] for i in row["truth"]["asked"]]
        seen = rng.permutation(len(things))[: int(rng.integers(0, 3))]
        look = " ".join(statements.claim(things[i]) for i in sorted(seen)) or "look"
        said = demonstrations.taught_detections(row, rng).replace("<think>look<", f"<think>{look}<")
        examples.append(example(row, said))
    return examples


def start() -> Path:
    """The cold start, trained if it is not there."""
    return taught("looking", looking_teacher, RECIPE, __file__)


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads held-out rows, sampled at temperature 1."""
    place = start()
    rows = crowd_rows(ROWS, "train", 100 + seed)
    credit = sightline.load("dip-r1").credit
    model, processor, _ = policy.reinforce(place, reward(arm), credit, rows, seed, STEPS, max_completion_length=TOKENS)
    return figures(model, processor)


@cache
def disputed() -> np.ndarray:
    """(M,) which held-out objects the cold start sometimes finds and sometimes misses, over `SAMPLES` samples."""
    from sightline.lab.models import tiny_vlm

    model, processor = tiny_vlm.load(start())
    rows = crowd_rows(HELD_OUT, "neutral", 7000)
    sampled = [*rows] * SAMPLES
    said = policy.read(model, processor, sampled, tokens=TOKENS)
    spread = columns(sampled, said, [*range(len(rows))] * SAMPLES).once(Disagreement(CROWD_READ))
    # every rollout of a group carries the disagreement of all: the first sample of each picture has it once
    return spread[: sum(len(row["boxes"]) for row in rows)] >= DISPUTED


def columns(rows: Sequence[dict[str, Any]], said: Sequence[str], group: Sequence[int] | None = None) -> Batch:
    """Completions with what the rewards read."""
    names = ("boxes", "query", "image_size")
    return Batch(list(said), {name: [row[name] for row in rows] for name in names}, group=group)


def figures(model: Any, processor: Any) -> dict[str, float]:
    """Precision, recall, recall of disputed objects, boxes and looks."""
    rows = crowd_rows(HELD_OUT, "neutral", 7000)
    said = policy.read(model, processor, rows, tokens=TOKENS)
    batch = columns(rows, said)
    found = batch.once(CROWD_READ)
    best, fits = best_overlaps(found.said, found.gold)
    hard = disputed()
    written = max(1, int(np.maximum(found.counts, 0).sum()))
    looks = [looked_at(text) for text in said]
    return {
        "precision": float((fits >= 0.5).sum()) / written,
        "recall": float((best >= 0.5).mean()),
        "disputed recall": float((best[hard] >= 0.5).mean()),
        "boxes per object": written / len(best),
        "regions": float(np.mean([0 if isinstance(one, Missing) else one.count for one in looks])),
    }


EXPERIMENT = Experiment(
    slug="dip-r1",
    question="Does paying for a look at disputed objects find more, and does precision or recall alone mislead?",
    setting=(
        f"Pictures of 2 to 4 small objects; the think block may look at some of them, the answer lists all. GRPO, "
        f"groups of {policy.GROUP}, {policy.COMPLETIONS} completions a step, {STEPS} steps at 1e-4, at most {TOKENS} "
        f"tokens, from a cold start whose teacher looks at up to two objects at random and drops or adds a box in 30 % "
        f"of the lists; {HELD_OUT} held-out pictures, sampled at temperature 1. Labels play no part."
    ),
    arms=ARMS,
    figures={
        "precision": "boxes with IoU >= 0.5 to some object, share of all boxes",
        "recall": "objects with such a box, share of all objects",
        "disputed recall": f"the same where the best IoU has variance >= {DISPUTED} over {SAMPLES} cold-start samples",
        "boxes per object": "predicted boxes per object",
        "regions": "regions looked at per picture",
    },
    claims=(
        Claim("the look reward raises recall on disputed objects", "disputed recall", "with look", "balanced"),
        Claim("it makes the policy look", "regions", "with look", "balanced"),
        Claim("precision alone shrinks the lists", "boxes per object", "precision only", "balanced", more=False),
        Claim("recall alone inflates them", "boxes per object", "recall only", "balanced"),
    ),
    measure=measure,
    limits=(
        "four objects are no crowd; what is disputed is disputed by the cold start, not by each policy on its way.",
        "all seeds share one cold start and one test set.",
    ),
)
