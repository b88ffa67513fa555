"""Does a graded reward for a set of statements leave fewer groups without a signal than right-or-wrong answers do?"""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

import sightline
from sightline.core.batch import Batch
from sightline.credit.gates import informative
from sightline.lab.experiment import Claim, Experiment
from sightline.metrics.calibration import guessing
from sightline.rewards.option_set import OptionSet, OptionSetAboveGuessing
from sightline.rewards.reward import Reward

ARMS = {
    "one at a time": "one statement a question: right or wrong",
    "exact set": "eight statements a question, paid only if all are right",
    "graded set": "eight statements a question, paid by the share that is right",
    "graded late": "the same, graded late and above what coin flips earn (k = 5)",
}
STATEMENTS, FEATURES, STEPS, QUESTIONS, GROUP, RATE, HELD_OUT = 8, 24, 120, 16, 4, 0.5, 4000
LATE = OptionSetAboveGuessing(k=5.0)


def reward(arm: str) -> Reward:
    """The reward of an arm; all read the reply as the system does."""
    if arm == "exact set":
        return OptionSet().map(whole)
    return LATE if arm == "graded late" else OptionSet()


def whole(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 where every decision is right."""
    return np.where(values >= 1.0, 1.0, 0.0)


def statements(rng: np.random.Generator, count: int, truth: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """What is seen of each statement (count, features), and whether it is true: a noisy direction decides."""
    seen = rng.normal(size=(count, FEATURES))
    return seen, seen @ truth + rng.normal(0, 0.3, count) > 0


def reply(selected: NDArray[np.bool_]) -> str:
    """A selection as the policy writes it."""
    letters = [chr(65 + place) for place in np.flatnonzero(selected).tolist()]
    return f"<think>t</think>{json.dumps({'answer': letters})}"


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains a policy that decides each statement by a weighing of what it sees; equal statements seen in all arms."""
    system, rng = sightline.load("rs-eot"), np.random.default_rng([seed, 13])
    truth = rng.normal(size=FEATURES) / np.sqrt(FEATURES)
    weights, size = np.zeros(FEATURES), 1 if arm == "one at a time" else STATEMENTS
    signal = []
    for _ in range(STEPS):
        seen, true = statements(rng, QUESTIONS * STATEMENTS, truth)
        # as many rollouts of statements in every arm: eight questions of one, or one question of eight
        seen, true = seen.reshape(-1, size, FEATURES), true.reshape(-1, size)
        chance = 1 / (1 + np.exp(-seen @ weights))
        picks = rng.random((len(seen), GROUP, size)) < chance[:, None]
        said = [reply(selected) for selected in picks.reshape(-1, size)]
        solution = [row.tolist() for row in np.repeat(true, GROUP, axis=0)]
        batch = Batch(said, {"solution": solution}, group=np.repeat(np.arange(len(seen)), GROUP))
        scores = reward(arm)(batch)
        advantages = system.credit.assign(scores, batch)[0].reshape(len(seen), GROUP)
        push = ((picks - chance[:, None]) * advantages[:, :, None]).sum(1)
        weights += RATE * np.einsum("qs,qsf->f", push, seen) / (len(seen) * GROUP * size)
        signal.append(informative(scores.values, batch.group)[::GROUP].mean())
    seen, true = statements(np.random.default_rng([seed, 14]), HELD_OUT, truth)
    return {
        "no signal at first": float(1 - np.mean(signal[:10])),
        "no signal": float(1 - np.mean(signal)),
        "right": float(np.mean((seen @ weights > 0) == true)),
    }


EXPERIMENT = Experiment(
    slug="rs-eot",
    question="Does a graded reward for a set of statements leave fewer groups without a signal than right-or-wrong?",
    setting=(
        f"A policy decides each statement by a linear weighing of {FEATURES} noisy features; it starts by guessing. "
        f"{STEPS} policy-gradient steps on {QUESTIONS * STATEMENTS} statements with {GROUP} replies each, rate {RATE}; "
        f"sets hold {STATEMENTS} statements (a guess earns {guessing(STATEMENTS):.2f}, graded late "
        f"{guessing(STATEMENTS, LATE.k):.3f}). Replies are texts, read and scored by the system's reward, credited by "
        f"its rule. Right: share of {HELD_OUT} new statements."
    ),
    arms=ARMS,
    figures={
        "no signal at first": "share of groups whose rewards are all equal, first 10 steps",
        "no signal": "the same over training",
        "right": "share of new statements that are decided rightly",
    },
    claims=(
        Claim("sets have more signal than single answers", "no signal", "graded set", "one at a time", more=False),
        Claim("grading has more signal than exact sets", "no signal at first", "graded set", "exact set", more=False),
        Claim("grading teaches more than exact sets", "right", "graded set", "exact set"),
        Claim("grading late teaches more than plain grading", "right", "graded late", "graded set"),
        Claim("sets teach more from as many decisions than single answers", "right", "graded set", "one at a time"),
    ),
    measure=measure,
    limits=(
        "no pictures and no language: what is shown is the arithmetic of groups, for which it does not matter how a "
        "statement is decided.",
        "single answers get a signal each, sets share one among eight decisions: signal and its sharpness trade off.",
        "the two stages and the self-play before them are not compared.",
    ),
)
