"""Does a second pass from the description alone make descriptions complete, and does the released fallback undo it?"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.credit.credit import Credit
from sightline.judges.held import ModelJudge, OwnPolicy
from sightline.judges.judge import Judge, Question, Sampling, fence
from sightline.lab import policy, starts
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.models import tiny_vlm
from sightline.lab.models.language_stage import Example, Recipe
from sightline.lab.worlds.canvas import COLOURS, DIGITS, SHAPES
from sightline.lab.worlds.digits import Digits
from sightline.metrics.shortcuts import language_shortcut_rate
from sightline.parse.presence import NotBlank
from sightline.parse.tags import Block
from sightline.rewards.answers import Answer, same_text
from sightline.rewards.format import Format
from sightline.rewards.look import Column, Look, NoPictures
from sightline.rewards.reward import Reward
from sightline.rewards.second_look import FoundAgain
from sightline.systems.vision_sr1 import DECOUPLED

ARMS = {
    "cold start": "no further training",
    "answer only": "0.9 accuracy + 0.1 format",
    "self-contained": "the same and the second pass from the description alone; without a description it is 0",
    "whole reply": "the same, but without a description the second pass sees the whole reply, as released",
    "decoupled": "the second pass teaches the description, the accuracy all other tokens",
}
STEPS, ROWS, HELD_OUT, TOKENS, READ_TOKENS, RATE = 50, 1500, 200, 16, 6, 2e-4
WORLD = Digits(kinds=("identify", "colour"), objects=(2, 2), prior=0.5)
COURSE = Recipe(steps=600, size=24)
TEMPLATE = "{description}\n{question}"
SEEN = Block("think")
PAIR = re.compile(rf"\b({'|'.join(COLOURS)}) ({'|'.join(DIGITS + SHAPES)})\b")


def look(described: Block, temperature: float) -> Look:
    """What the second pass is shown; think tags stand for description tags, which the tiny model does not know."""
    find = NotBlank(described) if described.otherwise == "missing" else described
    sampling = Sampling(temperature=temperature, max_tokens=READ_TOKENS)
    return Look(TEMPLATE, (("description", find), ("question", Column("question"))), NoPictures(), sampling=sampling)


def second_pass(judge: Judge, described: Block = SEEN, temperature: float = 1.0) -> Reward:
    """The system's second pass on the tiny model's tags."""
    return FoundAgain(judge, look(described, temperature), block=Block("answer"), unread=0.0).named("description")


def reward(arm: str) -> Reward:
    """The system's sum, or what an arm leaves of it."""
    first = 0.9 * Answer(same_text).named("accuracy") + 0.1 * Format().named("format")
    if arm == "answer only":
        return first
    return first + second_pass(OwnPolicy(), replace(SEEN, otherwise="text") if arm == "whole reply" else SEEN)


def credit(arm: str) -> Credit:
    """One advantage on the sum, or one for each part."""
    return replace(DECOUPLED, block=SEEN) if arm == "decoupled" else sightline.load("vision-sr1").credit


def description(things: list[dict[str, Any]], names: bool) -> str:
    """Both objects, with their names or as mere objects."""
    return ", ".join(f"{thing['colour']} {thing['name'] if names else 'object'}" for thing in things)


def examples() -> list[Example]:
    """The three views of the cold start: a full, a vague or no description before the answer; and the second pass."""
    rng = np.random.default_rng(5)
    found: list[Example] = []
    for row in policy.asked(WORLD.rows(6000, seed=50)):
        things, mode = row["truth"]["objects"], int(rng.integers(3))
        answer = f"<answer>{row['answer']}</answer>"
        seen = "" if mode == 2 else f"<think>{description(things, names=mode == 0)}</think> "
        found.append(Example(row["images"], row["prompt"][0]["content"], seen + answer))
        if mode == 0 and rng.random() < 0.7:
            told = Question(
                TEMPLATE, (("description", fence(description(things, True))), ("question", row["question"]))
            )
            found.append(Example((), [{"type": "text", "text": told.text()}], answer))
    return found


def start() -> Path:
    """The cold start, trained when first needed."""
    return starts.taught("self-contained", examples, COURSE, __file__)


@cache
def reader() -> ModelJudge:
    """The cold start as a reader that stays the same for all arms."""
    return ModelJudge(*tiny_vlm.load(start()), "cold start", batch_size=50)


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads held-out rows, sampled at temperature 1."""
    if arm == "cold start":
        return figures(*tiny_vlm.load(start()))
    rows = policy.asked(WORLD.rows(ROWS, "train", seed=100 + seed))
    model, processor, _ = policy.reinforce(
        start(), reward(arm), credit(arm), rows, seed, STEPS, max_completion_length=TOKENS, learning_rate=RATE
    )
    return figures(model, processor)


def figures(model: Any, processor: Any) -> dict[str, float]:
    """Answers, and what their descriptions hold."""
    rows = policy.asked(WORLD.rows(HELD_OUT, "neutral", seed=7000))
    said = policy.read(model, processor, rows, tokens=TOKENS)
    batch = Batch(said, {name: [row[name] for row in rows] for name in ("question", "answer")})
    right = Answer(same_text)(batch).values
    found = second_pass(reader(), temperature=0.0)(batch).values
    return {
        "accuracy": float(right.mean()),
        "self-contained": float(found.mean()),
        "shortcuts": language_shortcut_rate(right, found),
        "named": float(np.mean([named(row, text) for row, text in zip(rows, said, strict=True)])),
        "described": float(np.mean([not isinstance(SEEN(text), Missing) for text in said])),
    }


def named(row: dict[str, Any], text: str) -> bool:
    """Whether the description gives the asked object its colour and its name."""
    seen = SEEN(text)
    pairs = [] if isinstance(seen, Missing) else PAIR.findall(seen)
    asked = row["truth"]["objects"][row["truth"]["asked"][0]]
    return (asked["colour"], asked["name"]) in pairs


EXPERIMENT = Experiment(
    slug="vision-sr1",
    question=(
        "Does a second pass from the description alone make descriptions complete, and does showing the whole reply "
        "where there is no description undo it?"
    ),
    setting=(
        f"Two coloured digits or shapes in a picture of 48 x 48 pixels; one is asked for by its colour or name; in "
        f"training half of the answers follow from the question. The cold start describes both objects, mentions "
        f"objects without names, or only answers, a third each, and can read descriptions. The second pass is made by "
        f"the policy as it is, at temperature 1. GRPO, groups of {policy.GROUP}, {policy.COMPLETIONS} completions a "
        f"step, {STEPS} steps, learning rate {RATE:g}; {HELD_OUT} held-out rows without that prior, "
        f"sampled at temperature 1."
    ),
    arms=ARMS,
    figures={
        "accuracy": "right answers",
        "self-contained": "share of replies from whose description the cold start reads the right answer, greedy",
        "shortcuts": "language shortcut rate in percent: right, though that reader is wrong",
        "named": "share of replies whose description gives the asked object its true colour and name",
        "described": "share of replies with a description at all",
    },
    claims=(
        Claim("descriptions become self-contained", "self-contained", "self-contained", "answer only"),
        Claim("fewer right answers are shortcuts", "shortcuts", "self-contained", "answer only", more=False),
        Claim("the fallback to the whole reply undoes it", "self-contained", "self-contained", "whole reply"),
        Claim("separate advantages do as well against answers only", "self-contained", "decoupled", "answer only"),
        Claim("answers get better too", "accuracy", "self-contained", "answer only"),
    ),
    measure=measure,
    limits=(
        "a policy of one million parameters whose descriptions have one form; completeness is naming two objects.",
        "the loss is a mean over each reply's tokens in all arms, also for the decoupled advantages.",
        "all seeds share one cold start, one reader and one test set.",
    ),
)
