"""Does salience make a policy of few words find what matters, and does paying any way keep ways alive?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.credit import GroupRelative
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.models.cold_start import example
from sightline.lab.models.language_stage import Example, Recipe
from sightline.lab.starts import taught
from sightline.lab.worlds import demonstrations, statements
from sightline.lab.worlds.canvas import DIGITS
from sightline.lab.worlds.digits import Digits
from sightline.metrics.boxes import proper_boxes
from sightline.parse.pathways import HEURISTICS
from sightline.parse.tagged_boxes import FoundMentions
from sightline.parse.tags import Span
from sightline.rewards.pathways import ADMISSIBLE, Pathways
from sightline.rewards.target_boxes import ReadTargets, SalientBoxes, best_overlaps, mentioned

WORLD = Digits(kinds=("detect",), objects=(4, 4), sizes=(11, 15))
STEPS, ROWS, HELD_OUT, TOKENS = 50, 1500, 200, 24
SALIENCE = {"digit": 1.0, "shape": 0.1}
BOXES = {
    "cold start": "no further training: objects in any order",
    "uniform": "salience IoU with all objects alike",
    "salient": "salience IoU, digits 1 and shapes 0.1",
}
WAYS = {
    "one way": "pathway reward that admits the reference way only",
    "any way": "pathway reward that admits all five ways, rarer ones slightly more",
}
ROUNDS, RATE, GROUPS, GROUP = 300, 0.3, 8, 8
ITEM = re.compile(r'"bbox_2d": \[(\d{1,3}), (\d{1,3}), (\d{1,3}), (\d{1,3})\]')
RECIPE = Recipe(steps=150, size=32, lr=1e-3, muon=None, blur=0.0)


def listed(text: str) -> FoundMentions:
    """The boxes of a list that may be cut off: what this policy writes in place of box tags."""
    found = list(ITEM.finditer(text))
    boxes = [(float(one[1]), float(one[2]), float(one[3]), float(one[4])) for one in found]
    number = {box: i for i, box in enumerate(dict.fromkeys(boxes))}
    spans = [Span(one[0], one.start(), one.end()) for one in found]
    return FoundMentions(len(number), list(number), [(s, number[b]) for s, b in zip(spans, boxes, strict=True)])


def salient_rows(n: int, split: str, seed: int) -> list[dict[str, Any]]:
    """Rows with all objects as targets; digits matter, shapes are there."""
    rows = WORLD.rows(n, split, seed=seed)
    return [
        {
            **row,
            "targets": row["boxes"],
            "salience": [SALIENCE["digit" if label[-1] in DIGITS else "shape"] for label in row["labels"]],
        }
        for row in rows
    ]


def any_order() -> Sequence[Example]:
    """Lists of all objects in an order that means nothing."""
    rng = np.random.default_rng(5)
    examples = []
    for row in WORLD.rows(4000, "train", seed=50):
        order = rng.permutation(len(row["boxes"]))
        items = [{"bbox_2d": row["boxes"][i], "label": row["labels"][i]} for i in order]
        examples.append(example(row, demonstrations.completion("look", statements.fenced(items))))
    return examples


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads what it does."""
    return boxes(arm, seed) if arm in BOXES else ways(arm, seed)


def boxes(arm: str, seed: int) -> dict[str, float]:
    """Recall of critical objects and of the others with room for two boxes, sampled at temperature 1."""
    from sightline.lab.models import tiny_vlm

    start = taught("any-order", any_order, RECIPE, __file__)
    if arm == "cold start":
        return recalls(*tiny_vlm.load(start))
    rows = salient_rows(ROWS, "train", 100 + seed)
    if arm == "uniform":
        rows = [{**row, "salience": [1.0] * len(row["targets"])} for row in rows]
    model, processor, _ = policy.reinforce(
        start, SalientBoxes(listed), GroupRelative(), rows, seed, STEPS, max_completion_length=TOKENS
    )
    return recalls(model, processor)


def recalls(model: Any, processor: Any) -> dict[str, float]:
    """Objects with a box at IoU 0.5 or more, by salience."""
    rows = salient_rows(HELD_OUT, "neutral", 7000)
    said = policy.read(model, processor, rows, tokens=TOKENS)
    batch = Batch(said, {name: [row[name] for row in rows] for name in ("targets", "salience")})
    targets = batch.once(ReadTargets())
    best, _ = best_overlaps(mentioned(batch.parse(listed)), targets)
    critical = targets.flat[:, 4] == SALIENCE["digit"]
    found = best >= 0.5
    written = [sum(map(bool, proper_boxes(np.array(listed(text).boxes).reshape(-1, 4)))) for text in said]
    return {
        "critical recall": float(found[critical].mean()),
        "other recall": float(found[~critical].mean()),
        "boxes": float(np.mean(written)),
        "way entropy": float("nan"),
        "right": float("nan"),
    }


def ways(arm: str, seed: int) -> dict[str, float]:
    """A policy that only chooses a way of reasoning, each right equally often: softmax over ways, exact GRPO steps.

    Completions are real texts scored by the system's reward; only the policy is a table.
    """
    rng = np.random.default_rng([seed, 11])
    logits, credit, reward = rng.normal(0.0, 0.3, len(ADMISSIBLE)), GroupRelative(), Pathways()
    admitted = {"heuristics": [[ADMISSIBLE[0]]] * (GROUPS * GROUP)} if arm == "one way" else {}
    right_share = 0.7
    entropies: list[float] = []
    for _ in range(ROUNDS):
        chance = np.exp(logits - logits.max())
        chance /= chance.sum()
        taken = rng.choice(len(ADMISSIBLE), GROUPS * GROUP, p=chance)
        right = rng.random(len(taken)) < right_share
        batch = Batch(
            [said_by(int(way), bool(ok)) for way, ok in zip(taken, right, strict=True)],
            {"answer": ["B"] * len(taken), "targets": [[]] * len(taken), **admitted},
            group=np.arange(len(taken)) // GROUP,
        )
        advantage = credit.advantages(reward(batch).values, batch.group)
        logits = logits + RATE * (advantage[:, None] * (np.eye(len(ADMISSIBLE))[taken] - chance)).mean(axis=0)
        entropies.append(float(np.mean([entropy(group) for group in taken.reshape(GROUPS, GROUP)])))
    return {
        "critical recall": float("nan"),
        "other recall": float("nan"),
        "boxes": float("nan"),
        "way entropy": float(np.mean(entropies[-50:])),
        "right": right_share,
    }


@cache
def said_by(way: int, right: bool) -> str:
    """A completion that takes one way."""
    words = dict(HEURISTICS)
    return f"<think>{words[ADMISSIBLE[way]][0]}</think><answer>{'B' if right else 'A'}</answer>"


def entropy(taken: np.ndarray) -> float:
    """Entropy in nats of the ways in one group."""
    share = np.bincount(taken) / len(taken)
    return float(-(share[share > 0] * np.log(share[share > 0])).sum())


EXPERIMENT = Experiment(
    slug="grip",
    question="Does salience make a policy of few words find what matters, and does paying any way keep ways alive?",
    setting=(
        f"Boxes: pictures of 4 small objects, some digits and some shapes, a list of objects cut off at {TOKENS} "
        f"tokens, which is room for two; GRPO on the salience IoU alone, groups of {policy.GROUP}, "
        f"{policy.COMPLETIONS} completions a step, {STEPS} steps, from a cold start that lists objects in any order; "
        f"{HELD_OUT} held-out pictures, sampled at temperature 1. Ways: a table of probabilities of five ways of "
        f"reasoning, all right equally often, {ROUNDS} steps of {GROUPS} groups of {GROUP} on the pathway reward."
    ),
    arms={**BOXES, **WAYS},
    figures={
        "critical recall": "digits with a box at IoU 0.5 or more, share of all digits (arms on boxes)",
        "other recall": "the same of shapes",
        "boxes": "boxes a completion",
        "way entropy": "mean entropy of the ways within a group over the last 50 steps, in nats (arms on ways)",
        "right": "share of right answers, the same for every way by construction",
    },
    claims=(
        Claim("salience raises the recall of critical objects", "critical recall", "salient", "uniform"),
        Claim("and lowers that of the others", "other recall", "salient", "uniform", more=False),
        Claim("paying any valid way keeps ways alive within groups", "way entropy", "any way", "one way"),
    ),
    measure=measure,
    limits=(
        "the reward's other terms are off; without the cut all objects would be listed in both arms.",
        "the table of ways shows what the reward asks for, not that a language model would follow.",
        "all seeds share one cold start and one test set.",
    ),
)
