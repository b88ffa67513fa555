"""Do rewards for crops that suffice, and are small, make answers depend on what was cropped?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.judges.judge import Question, Verdict
from sightline.lab import slots
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds.canvas import COLOURS
from sightline.media.corruption import UniformNoise
from sightline.metrics.paired_tests import paired_effect, rate_of_users
from sightline.rewards.crop_sets import CroppedParts, UncroppedShare
from sightline.rewards.reward import Reward
from sightline.system import System

ARMS = {
    "start": "no training",
    "answer only": "the accuracy",
    "sufficiency": "and 0.5 for crops that suffice",
    "sccm": "the system: and 0.5 for sufficient crops that are small",
    "area alone": "the accuracy and 0.5 for a small union of crops, sufficient or not",
}
SIDE, THING, RESOLUTION = 96, 8, 12
STEPS, PROMPTS, RATE, ROWS, HELD_OUT, OWN_LOOK = 150, 16, 2.0, 400, 600, 0.95
WHERE = ("none", "whole", "half", "around", "tight", "sliver", "beside")
SOURCE = ("own look", "crops")
SYSTEM: System = sightline.load("sccm")
CALL = '<tool_call>{{"name": "image_zoom_in_tool", "arguments": {{"bbox_2d": {}}}}}</tool_call>'


@dataclass(frozen=True)
class ColourSpotter:
    """Names the colour of the middle of what is shown, if the thing there is large enough to be seen.

    Every picture is looked at in 12 x 12 places. The colour that most of them have is said; fewer than three make it
    say unknown. It knows no truth and no question.
    """

    @property
    def id(self) -> str:
        return f"colour spotter, {RESOLUTION} places a side"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        return [Verdict(f"<answer>{spotted(question.images)}</answer>") for question in questions]


def spotted(pictures: Sequence[Any]) -> str:
    """The colour that most places of the pictures have."""
    seen = [np.asarray(picture.resize((RESOLUTION, RESOLUTION), 0), dtype=np.float64) for picture in pictures]
    if not seen:
        return "unknown"
    pixels = np.concatenate([one.reshape(-1, 3) for one in seen])
    near = np.abs(pixels[:, None] - np.array(list(COLOURS.values()), np.float64)[None]).sum(-1)
    counts = np.bincount(near.argmin(1)[near.min(1) < 60], minlength=len(COLOURS))
    return list(COLOURS)[int(counts.argmax())] if counts.max() >= 3 else "unknown"


def scenes(n: int, seed: int) -> list[slots.Row]:
    """Grey pictures with a small coloured thing in each quarter; one of them is asked for."""
    from PIL import Image

    rng = np.random.default_rng([seed, 71])
    rows = []
    for number in range(n):
        names = rng.permutation(list(COLOURS))[:4]
        quarters = rng.permutation(4)
        pixels = np.full((SIDE, SIDE, 3), 128, np.uint8)
        places = []
        for name, quarter in zip(names, quarters, strict=True):
            x, y = (
                48 * (int(quarter) % 2) + int(rng.integers(2, 38)),
                48 * (int(quarter) // 2) + int(rng.integers(2, 38)),
            )
            pixels[y : y + THING, x : x + THING] = COLOURS[str(name)]
            places.append((x, y))
        guess = str(names[0] if rng.random() < OWN_LOOK else names[1])
        rows.append({"images": [Image.fromarray(pixels)], "question": f"what colour is the thing at {places[0]}?",
                     "answer": str(names[0]), "place": places[0], "beside": places[1], "own": guess,
                     "number": number})  # fmt: skip
    return rows


def box(row: slots.Row, where: str) -> list[int] | None:
    """The box that a word stands for."""
    x, y = row["place"]
    left, top = SIDE // 2 * (x + THING // 2 >= SIDE // 2), SIDE // 2 * (y + THING // 2 >= SIDE // 2)
    boxes = {
        "whole": (0, 0, SIDE, SIDE),
        "half": (left, 0, left + SIDE // 2, SIDE),
        "around": (left, top, left + SIDE // 2, top + SIDE // 2),
        "tight": (x - 2, y - 2, x + THING + 2, y + THING + 2),
        "sliver": (x - 2, y, x - 1, y + 1),
        "beside": (row["beside"][0], row["beside"][1], row["beside"][0] + THING, row["beside"][1] + THING),
    }
    return list(map(int, boxes[where])) if where in boxes else None


def write(row: slots.Row, words: Sequence[str], noise: int | None = None) -> str:
    """The trace: a crop call, and the answer of the policy's own look or of what is seen in the crop.

    Args:
        noise: seed of what is put in the place of the crop before it is looked at.
    """
    place = box(row, words[0])
    call = "" if place is None else CALL.format(json.dumps(place))
    return f"<think>Look.</think>{call}<answer>{_answer(row, words, call, noise)}</answer>"


def _answer(row: slots.Row, words: Sequence[str], call: str, noise: int | None) -> str:
    if words[1] == "own look":
        return str(row["own"])
    shown = CroppedParts().shown(Batch([call], {"images": [row["images"]]}), 0)
    if isinstance(shown, Missing):
        return "unknown"
    return spotted(shown if noise is None else [_noised(part, noise + row["number"]) for part in shown])


def _noised(part: Any, seed: int) -> Any:
    from PIL import Image

    return Image.fromarray(UniformNoise()(np.asarray(part), np.random.default_rng(seed)))


def see(row: slots.Row, words: Sequence[str]) -> np.ndarray:
    """A constant, and where it has cropped."""
    return np.array([1.0, *(float(words[:1] == [where]) for where in WHERE)])


def reward(arm: str) -> Reward:
    """The system with the spotter in the policy's place, or what an arm leaves of it."""
    system = SYSTEM.with_judge(ColourSpotter())
    if arm == "sccm":
        return system.reward
    if arm == "sufficiency":
        return system.variant("strict", minus=("minimality",))
    plain = system.variant("strict", minus=("minimality", "sufficiency"))
    return plain + 0.5 * UncroppedShare() if arm == "area alone" else plain


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and measures what its answers owe to its crops."""
    rng = np.random.default_rng([seed, 3])
    policy = slots.Slots.blank((WHERE, SOURCE), 1 + len(WHERE), see, write)
    if arm != "start":
        slots.reinforce(policy, reward(arm), SYSTEM.credit, scenes(ROWS, seed), rng, STEPS, PROMPTS, rate=RATE)
    return figures(policy, np.random.default_rng(9))


def figures(policy: slots.Slots, rng: np.random.Generator) -> dict[str, float]:
    """On held-out scenes, sampled: the same words decoded once with the crops and once with noise in their place."""
    rows = scenes(HELD_OUT, 10_000)
    words = [policy.words(choice) for choice in policy.choose(rows, rng)]
    said = [write(row, chosen) for row, chosen in zip(rows, words, strict=True)]
    noised = [write(row, chosen, noise=5) for row, chosen in zip(rows, words, strict=True)]
    columns = {name: [row[name] for row in rows] for name in ("images", "question", "answer")}
    scores = SYSTEM.with_judge(ColourSpotter()).reward(Batch(said, columns))
    before = scores.parts["accuracy"].values
    after = SYSTEM.variant("strict", minus=("sufficiency", "minimality"))(Batch(noised, columns)).values
    cropped = np.array([chosen[0] != "none" for chosen in words])
    sufficient, no_crop = rate_of_users(scores.parts["sufficiency"].values, cropped)
    covered = 1.0 - UncroppedShare()(Batch(said, columns)).values
    return {
        "accuracy": float(before.mean()),
        "sufficient": sufficient,
        "covered": rate_of_users(covered, cropped)[0],
        "no crop": no_crop,
        "effect of noise": paired_effect(before[cropped], after[cropped]).effect,
        "slivers": float(np.mean([chosen[0] == "sliver" for chosen in words])),
    }


EXPERIMENT = Experiment(
    slug="sccm",
    question="Do rewards for crops that suffice, and are small, make answers depend on what was cropped?",
    setting=(
        f"Pictures of {SIDE} x {SIDE} pixels with a small coloured square in each quarter, one is asked for by its "
        f"place. A policy of two choices: where to crop ({', '.join(WHERE)}), and whether to answer by its own look at "
        f"the whole, right in {OWN_LOOK:.0%} of the scenes, or by what a spotter of {RESOLUTION} x {RESOLUTION} places "
        f"sees in the crop; the same spotter is the answerer of the reward. It starts uniform. {STEPS} steps of "
        f"{PROMPTS} prompts x 8, rate {RATE:g}; {HELD_OUT} held-out scenes, sampled."
    ),
    arms=ARMS,
    figures={
        "accuracy": "right answers",
        "sufficient": "share of the traces with a crop whose crops alone lead to the right answer",
        "covered": "mean share of the picture that their crops cover",
        "no crop": "share of traces without a crop",
        "effect of noise": "accuracy of the traces with a crop after the crop became noise, minus before",
        "slivers": "share of traces that crop a sliver of background",
    },
    claims=(
        Claim("crops become sufficient", "sufficient", "sccm", "answer only"),
        Claim("answers depend on the crops", "effect of noise", "sccm", "answer only", more=False),
        Claim("minimality makes crops smaller than sufficiency alone", "covered", "sccm", "sufficiency", more=False),
        Claim("area alone makes slivers", "slivers", "area alone", "answer only"),
        Claim("answers get better too", "accuracy", "sccm", "answer only"),
    ),
    measure=measure,
    limits=(
        "a log-linear policy over seven boxes that are made from the truth: where to look is chosen, not found.",
        "whoever reads the crop for the policy also judges it.",
        "the rates of the paper's models and its benchmarks are not reproduced.",
    ),
)
