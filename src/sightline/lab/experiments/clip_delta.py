"""Does a raw process reward make a policy pile up harmless steps, and do Clip and Delta stop it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import sightline
from sightline.bench.step_rewards import step_report
from sightline.core.batch import Batch
from sightline.credit.credit import Credit
from sightline.credit.group_relative import GroupRelative
from sightline.credit.step_returns import StepReturns
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.models import reading, tiny_vlm
from sightline.lab.models.cold_start import example
from sightline.lab.models.language_stage import Example, Recipe
from sightline.lab.starts import taught
from sightline.lab.step_oracle import StepOracle, then_steps, told
from sightline.lab.worlds import demonstrations, digits, statements
from sightline.rewards.answers import Answer, same_text
from sightline.rewards.step_scores import StepScores
from sightline.systems import clip_delta

WORLD = digits.Digits(kinds=("identify", "colour", "compare", "relation"))
STEPS, ROWS, HELD_OUT, TOKENS, RATE = 25, 250, 200, 40, 2e-4
RECIPE = Recipe(steps=200, size=32, lr=1e-3, muon=None, blur=0.0)
FILLER, BLIND = 0.3, 0.25
ARMS = {
    "cold start": "no further training",
    "success": "the right answer alone",
    "PR": "with the step scores themselves",
    "PR-Normed": "with the step scores over the number of steps",
    "Clip": "with min(r - eta, 0), eta the mean of the batch",
    "Delta": "with the differences of neighbouring steps, summed from each step on",
    "Delta summed": "with the differences of the whole solution as one number, the same for all its tokens",
    "Clip-Delta": "the system's credit: first clipped, then differences",
}
SHAPINGS = {
    "success": clip_delta.PR,
    "PR": clip_delta.PR,
    "PR-Normed": clip_delta.PR_NORMED,
    "Clip": clip_delta.CLIP,
    "Delta": clip_delta.DELTA,
}
SCORES = StepScores(StepOracle(), steps=then_steps)
SUCCESS = Answer(same_text).named("success")
REWARD = SUCCESS + 0.0 * SCORES.named("steps")
SUMMED = SUCCESS + StepScores(StepOracle(), clip_delta.DELTA, then_steps).named("steps")


def wordy() -> Sequence[Example]:
    """True sightings with `look` between them now and then; some solutions have nothing else to say than `look`."""
    rng = np.random.default_rng(8)
    return [example(row, solution(row, rng)) for row in WORLD.rows(4000, "train", seed=60)]


def solution(row: dict[str, Any], rng: np.random.Generator) -> str:
    """What the cold start learns to write on a row."""
    truth = row["truth"]
    seen = [] if rng.random() < BLIND else [statements.claim(truth["objects"][i]) for i in truth["asked"]]
    said: list[str] = []
    for step in seen or ["look"]:
        said.append(step)
        while rng.random() < FILLER:
            said.append("look")
    return demonstrations.completion(" then ".join(said), row["answer"])


def rule(arm: str) -> Credit:
    """The credit rule of an arm; all but the summed one differ from the system's in one thing each."""
    if arm == "Delta summed":
        return GroupRelative(eps=1e-6)
    system: Any = sightline.load("clip-delta").credit
    assert isinstance(system, StepReturns)
    return replace(system, shaping=SHAPINGS.get(arm, system.shaping), alpha=0.0 if arm == "success" else system.alpha)


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads held-out rows, sampled at temperature 1."""
    start = taught("wordy", wordy, RECIPE, __file__)
    if arm == "cold start":
        return figures(*tiny_vlm.load(start))
    rows = [told(row) for row in WORLD.rows(ROWS, "train", seed=100 + seed)]
    reward = SUMMED if arm == "Delta summed" else REWARD
    model, processor, _ = policy.reinforce(
        start, reward, rule(arm), rows, seed, STEPS, max_completion_length=TOKENS, learning_rate=RATE, loss_type="dapo"
    )
    return figures(model, processor)


def figures(model: Any, processor: Any) -> dict[str, float]:
    """What it writes on held-out rows."""
    rows = [told(row) for row in WORLD.rows(HELD_OUT, "neutral", seed=7000)]
    said = policy.read(model, processor, rows, tokens=TOKENS)
    scores = SCORES(Batch(said, {"problem": [row["problem"] for row in rows]}))
    listed = [[mark.value for mark in marks] for marks in scores.marks]
    report = step_report(said, listed, steps=then_steps)
    every = np.array([score for own in listed for score in own])
    return {
        "accuracy": float(np.mean([reading.right(row, text) for row, text in zip(rows, said, strict=True)])),
        "steps": report.steps,
        "repeated": report.repeated,
        "raw return": report.raw_return,
        "false steps": float(np.mean(every < 0.5)),
        "unfinished": float(np.mean(["</answer>" not in text for text in said])),
    }


EXPERIMENT = Experiment(
    slug="clip-delta",
    question=(
        "Does paying the scores of a process reward model make a policy pile up harmless steps, and do Clip and Delta "
        "stop it without losing accuracy?"
    ),
    setting=(
        "Questions on pictures of 48 x 48 pixels; a cold start that writes sightings joined by `then`, with the filler "
        f"`look` between them; groups of {policy.GROUP}, {policy.COMPLETIONS} completions a step, {STEPS} steps, "
        f"learning rate {RATE:g}; {HELD_OUT} held-out rows, sampled at temperature 1, {TOKENS} tokens at most. The "
        "model of steps knows the truth: a true sighting or answer scores 0.95, a false one 0.2, filler 0.85."
    ),
    arms=ARMS,
    figures={
        "accuracy": "right answers",
        "steps": "per solution",
        "repeated": "share of a solution's steps that equal an earlier one",
        "raw return": "sum of the step scores of a solution",
        "false steps": "share of steps that are false",
        "unfinished": "share of solutions without a closed answer",
    },
    claims=(
        Claim("a raw process reward piles up steps", "steps", "PR", "success"),
        Claim("and loses accuracy", "accuracy", "PR", "success", more=False),
        Claim("dividing by the number of steps is no cure", "accuracy", "PR-Normed", "success", more=False),
        Claim("Clip writes fewer steps than the raw reward", "steps", "Clip", "PR", more=False),
        Claim("Delta writes fewer steps than the raw reward", "steps", "Delta", "PR", more=False),
        Claim("the sum of the differences, as one number, does too", "steps", "Delta summed", "PR", more=False),
        Claim("Clip-Delta writes fewer steps than the raw reward", "steps", "Clip-Delta", "PR", more=False),
        Claim("Clip-Delta keeps the accuracy that the raw reward loses", "accuracy", "Clip-Delta", "PR"),
        Claim("Clip-Delta is more accurate than success alone", "accuracy", "Clip-Delta", "success"),
    ),
    measure=measure,
    limits=(
        "a model of steps that knows the truth and overrates filler by construction; a learned one errs in more ways.",
        "a policy of one million parameters, trained without a critic.",
        "the return of Delta from every step but the last holds r_k, that of the last does not: while filler scores "
        "above the chance of success, a policy that learns from such returns puts off its end. The sum over the "
        "solution, r_1, has no such incentive, and neither has Clip-Delta where filler scores above the threshold.",
        "the number of steps was cut from 60 to 25, and Delta summed added, after looking at seed 0.",
        "all seeds share the cold start and the test set.",
    ),
)
