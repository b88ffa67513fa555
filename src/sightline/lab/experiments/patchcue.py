"""Does a reward for pointing at the right patches keep a policy looking, and are coarse cues easier to earn?"""

from __future__ import annotations

from typing import Any

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds import digits
from sightline.lab.worlds.canvas import SIDE
from sightline.lab.worlds.grounding import CLAIM
from sightline.media.patches import PatchGrid
from sightline.metrics.patches import box_f1
from sightline.parse.cues import FoundCues
from sightline.parse.tags import THINK, Span
from sightline.rewards.answers import Answer
from sightline.rewards.format import Format
from sightline.rewards.plain_answers import SamePlain
from sightline.rewards.reward import Reward
from sightline.rewards.visual_cues import VisualCues

PATCH = 12  # of the lab's vision tower
GRID = PatchGrid.of_size(SIDE, SIDE, PATCH)
STEPS, ROWS, HELD_OUT, TOKENS = 60, 2000, 200, 16
ARMS = {
    "no cue reward": "accuracy and format",
    "patch cues": "the same and the cue reward: patch-set F1 >= 0.5 with the reference patches",
    "pixel cues": "the same and the cue reward on pixels: F1 of areas >= 0.5 with the reference box",
}


def pixel_claims(text: str) -> FoundCues:
    """The boxes that a think block claims: what this policy writes in place of cue tags."""
    think = THINK.span(text)
    if isinstance(think, Missing):
        return FoundCues(0, [], [])
    found = list(CLAIM.finditer(text, think.start, think.end))
    boxes = [tuple(float(number) for number in one["box"].split(",")) for one in found]
    return FoundCues(len(found), list(boxes), [Span(one[0], one.start(), one.end()) for one in found])


def patch_claims(text: str) -> FoundCues:
    """The patches under the boxes that a think block claims."""
    found = pixel_claims(text)
    places = [tuple(GRID.cover(box).tolist()) for box in found.places if box is not None]
    return FoundCues(found.count, list(places), found.spans)


PATCHES = VisualCues(patch_claims, patch=None)
PIXELS = VisualCues(pixel_claims, box_f1, "pixel_cues", patch=None)


def reward(arm: str) -> Reward:
    """The system's sum; tags of cues are not in the policy's vocabulary, so the plain format stands for its format."""
    rest = Answer(SamePlain()).named("accuracy") + Format().named("format")
    if arm == "no cue reward":
        return rest
    return rest + (PATCHES if arm == "patch cues" else PIXELS).named("cue")


def cued_rows(n: int, split: str, seed: int) -> list[dict[str, Any]]:
    """Rows of the prior world with the place of the asked object as the only reference cue."""
    rows = digits.PRIOR.rows(n, split, seed=seed)
    return [{**row, "cues": GRID.cover(row["boxes"]).tolist(), "pixel_cues": row["boxes"]} for row in rows]


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads held-out rows, sampled at temperature 1."""
    rows = cued_rows(ROWS, "train", 100 + seed)
    credit = sightline.load("patchcue").credit
    model, processor, log = policy.reinforce(
        "prior", reward(arm), credit, rows, seed, STEPS, max_completion_length=TOKENS
    )
    early = [entry["rewards/cue/mean"] for entry in log if "rewards/cue/mean" in entry][:2]
    return {**figures(model, processor), "early cue reward": float(np.mean(early)) if early else float("nan")}


def figures(model: Any, processor: Any) -> dict[str, float]:
    """Accuracy and cues on the biased and the reversed held-out split."""
    found = {}
    for split in ("biased", "reversed"):
        rows = cued_rows(HELD_OUT, split, 7000)
        said = policy.read(model, processor, rows, tokens=TOKENS)
        columns = {name: [row[name] for row in rows] for name in ("answer", "cues", "pixel_cues")}
        batch = Batch(said, columns)
        found[f"{split} accuracy"] = float(np.mean(Answer(SamePlain())(batch).values))
        found[f"{split} cues"] = float(np.mean(PATCHES(batch).values))
    return found


EXPERIMENT = Experiment(
    slug="patchcue",
    question="Does a reward for pointing at the right patches keep a policy looking, and are coarse cues easier?",
    setting=(
        f"Two digits in a dim, noisy picture, one is asked for by its colour; in training the colour gives the digit "
        f"away in 90 % of the rows, in the reversed split never. A cue is the box that the think block claims, read as "
        f"patches of {PATCH} pixels. GRPO, groups of {policy.GROUP}, {policy.COMPLETIONS} completions a step, {STEPS} "
        f"steps, from a cold start that looks half of the time and guesses the other half; {HELD_OUT} held-out rows a "
        f"split, sampled at temperature 1."
    ),
    arms=ARMS,
    figures={
        "biased accuracy": "share of right answers where the prior holds as in training",
        "biased cues": "share of completions whose one cue has patch F1 >= 0.5 with the reference",
        "reversed accuracy": "share of right answers where the prior's answer is always wrong",
        "reversed cues": "share of right cues there",
        "early cue reward": "mean cue reward of the first ten steps (arms with one)",
    },
    claims=(
        Claim(
            "the cue reward makes the reasoning point at the right place", "biased cues", "patch cues", "no cue reward"
        ),
        Claim("and the answers hold where the prior fails", "reversed accuracy", "patch cues", "no cue reward"),
        Claim(
            "at the same bar coarse cues are earned earlier than precise ones",
            "early cue reward",
            "patch cues",
            "pixel cues",
        ),
    ),
    measure=measure,
    limits=(
        "one reference cue a row; the count gate plays no part beyond it.",
        "the paper compares cue formats after fine-tuning only; here both arms write pixels and only the reward "
        "differs.",
        "all seeds share one cold start and one test set.",
    ),
)
