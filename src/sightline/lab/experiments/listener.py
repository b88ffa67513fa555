"""Does a frozen listener, who must come to the right choice from the reasoning, make reasoning and answer agree?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.judges import ModelJudge
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.models import tiny_vlm
from sightline.lab.models.language_stage import Example, Recipe
from sightline.lab.starts import taught
from sightline.lab.worlds import demonstrations, grounding, statements
from sightline.lab.worlds.canvas import DIGITS
from sightline.lab.worlds.digits import PRIOR
from sightline.metrics.contradictions import contradictions
from sightline.parse.stated_choice import MadeChoice, ReasonedChoice, ReasoningAlone, StatedChoice
from sightline.rewards.answers import Answer
from sightline.rewards.format import Format
from sightline.rewards.look import Column, Look
from sightline.rewards.reward import Reward, rebuilt
from sightline.rewards.same_choice import SameChoice
from sightline.rewards.second_look import ChosenAgain

ARMS = {
    "cold start": "no training",
    "accuracy": "format and half a point for the right choice",
    "listener": "the same and half the frozen listener's probability of the right choice, given the reasoning alone",
}
STEPS, ROWS, HELD_OUT, TOKENS = 40, 1500, 200, 16
CHOICE = StatedChoice(DIGITS)
COLD = Recipe(steps=150)
SLOPPY = 0.5


@dataclass(frozen=True)
class Begun:
    """The answer up to the choice, as the lab's models write it: the policy's reasoning in the listener's mouth."""

    reasoning: ReasoningAlone = ReasoningAlone()

    def __call__(self, text: str) -> Any:
        found = self.reasoning(text)
        return f"<think>{found}</think> <answer>" if isinstance(found, str) else found


HEARD = Look("{question}", (("question", Column("question")),), opening=Begun(), options=CHOICE.options)


@dataclass(frozen=True)
class InTheLab:
    """The system's nodes with the lab's options, ten digits, and its wording."""

    def __call__(self, node: Reward) -> Reward:
        if isinstance(node, Format):
            return Format(ReasonedChoice(CHOICE))
        if isinstance(node, Answer):
            return replace(node, compare=SameChoice(CHOICE))
        return replace(node, look=HEARD) if isinstance(node, ChosenAgain) else node


@cache
def listener() -> ModelJudge:
    """The shipped base: it has learnt to answer from what its think block says, and is frozen."""
    return ModelJudge(*tiny_vlm.load("base"), "base", batch_size=64)


def reward(arm: str) -> Reward:
    """The system's own reward, with or without the listener's part."""
    system = sightline.load("listener").with_judge(listener())
    return rebuilt(system.variant("strict", minus=("listener",) if arm == "accuracy" else ()), InTheLab())


def rows(size: int, split: str, seed: int) -> list[dict[str, Any]]:
    """Rows of the world as the system reads them."""
    made = policy.asked(PRIOR.rows(size, split, seed))
    return [{**row, "choice": row["answer"], "caption": row["question"]} for row in made]


def examples() -> list[Example]:
    """Right answers; in half of them the reasoning names another digit."""
    rng, made = np.random.default_rng(5), []
    for row in PRIOR.rows(1500, "train", seed=50):
        told = demonstrations.look(row)
        if rng.random() < SLOPPY:
            thing = row["truth"]["objects"][0]
            wrong = {**thing, "name": str(rng.choice([digit for digit in DIGITS if digit != thing["name"]]))}
            told = demonstrations.completion(statements.claim(wrong), row["answer"])
        made.append(Example(row["images"], row["prompt"][0]["content"], told))
    return made


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads held-out rows, sampled at temperature 1."""
    start = taught("listener", examples, COLD, __file__)
    if arm == "cold start":
        model, processor = tiny_vlm.load(start)
    else:
        data, credit = rows(ROWS, "train", 100 + seed), sightline.load("listener").credit
        model, processor, _ = policy.reinforce(
            start, reward(arm), credit, data, seed, STEPS, max_completion_length=TOKENS
        )
    return figures(model, processor)


def figures(model: Any, processor: Any) -> dict[str, float]:
    """Contradictions as the listener hears them, accuracy, and whether the reasoning is true."""
    held = rows(HELD_OUT, "biased", 7000)
    said = policy.read(model, processor, held, tokens=TOKENS)
    choices = [MadeChoice(CHOICE)(text) for text in said]
    numbers = [CHOICE.options.index(one) if isinstance(one, str) else None for one in choices]
    right = [CHOICE.options.index(row["choice"]) for row in held]
    found = contradictions(numbers, heard(held, said), right)
    alone = heard(held, ["<think>nothing</think>"] * len(held))
    return {
        "contradictions": _or_nan(found["rate"]),
        "accuracy": float(np.mean([one == gold for one, gold in zip(numbers, right, strict=True)])),
        "accuracy agreeing": _or_nan(found["accuracy_agreeing"]),
        "accuracy contradicting": _or_nan(found["accuracy_contradicting"]),
        "true reasoning": float(np.mean([names_true(row, text) for row, text in zip(held, said, strict=True)])),
        "listener alone": float(np.mean(np.nanargmax(alone, 1) == right)),
    }


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def heard(held: Sequence[dict[str, Any]], said: Sequence[str]) -> np.ndarray:
    """(N, 10) the listener's probabilities of the digits; NaN where there is no reasoning."""
    batch = Batch.from_rows([{**row, "completion": text} for row, text in zip(held, said, strict=True)])
    shares = np.stack([_share(option)(batch).values for option in CHOICE.options], 1)
    silent = [isinstance(Begun()(text), str) for text in said]
    return np.where(np.array(silent)[:, None], shares, np.nan)


def _share(option: str) -> Reward:
    return ChosenAgain(listener(), HEARD, of=Fixed(option))


@dataclass(frozen=True)
class Fixed:
    """Always the same option."""

    option: str

    def __call__(self, text: str) -> str:
        return self.option


def names_true(row: dict[str, Any], text: str) -> bool:
    """Whether the reasoning gives the colour that is asked for its true digit."""
    thing = row["truth"]["objects"][row["truth"]["asked"][0]]
    told = {claim.colour: claim.name for claim in grounding.claims(grounding.think_text(text))}
    return told.get(thing["colour"]) == thing["name"]


EXPERIMENT = Experiment(
    slug="listener",
    question=(
        "Does a frozen listener, who must come to the right choice from the reasoning, make reasoning and answer agree?"
    ),
    setting=(
        "Two digits in a dim, noisy picture, one is asked for by its colour, which gives the digit away in 90 % of the "
        f"rows; ten options. The cold start ({COLD.steps} steps from the base) was taught right answers behind "
        f"reasoning that names another digit in {SLOPPY:.0%} of the demonstrations. The listener is the shipped base, "
        "frozen: it sees picture and question and goes on behind the policy's reasoning. GRPO with the system's reward "
        f"and credit, groups of {policy.GROUP}, {policy.COMPLETIONS} completions a step, {STEPS} steps; {HELD_OUT} "
        "held-out rows, sampled at temperature 1."
    ),
    arms=ARMS,
    figures={
        "contradictions": "share of rollouts whose choice is not the one the listener comes to from the reasoning",
        "accuracy": "share of right choices",
        "accuracy agreeing": "accuracy where listener and policy agree",
        "accuracy contradicting": "accuracy where they do not (0 if there are none)",
        "true reasoning": "share of rollouts whose reasoning gives the asked colour its true digit",
        "listener alone": "control: the listener's accuracy without any reasoning",
    },
    claims=(
        Claim("contradictions fall with the listener", "contradictions", "listener", "accuracy", more=False),
        Claim("accuracy is no lower than at the start", "accuracy", "listener", "cold start"),
        Claim("the reasoning becomes true", "true reasoning", "listener", "accuracy"),
    ),
    measure=measure,
    limits=(
        "ten options in place of two, and one picture in place of a pair.",
        "the contradiction is planted by the cold start; how often a real policy has it is not shown.",
        "the same listener rewards and measures; `true reasoning` is measured against the world's truth.",
        "all seeds share one cold start and one test set.",
    ),
)
