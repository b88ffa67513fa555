"""Do gradients, groups, components, depth and shift behave as the theorems of the decision process say?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sightline.credit.by_component import Decoupled, Joint
from sightline.credit.group_relative import GroupRelative, GroupStd, NormaliseThenSum
from sightline.lab import tabular
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.tabular import Training
from sightline.lab.worlds.tool_steps import COMPONENTS, ToolSteps
from sightline.metrics.learning_bounds import shift_term, total_variation, transfer_bound

Floats = NDArray[np.float64]
WEIGHTS, STEPS, RUNS, GROUPS = (0.2, 0.5, 0.3), 256, 4, 256
NAMED = tuple(zip(COMPONENTS, WEIGHTS, strict=True))
JOINT = Joint(eps=0.0)
LEARNERS: dict[str, Training] = {
    "joint": Training(WEIGHTS, JOINT, STEPS),
    "G = 2": Training(WEIGHTS, JOINT, STEPS, group=2),
    "G = 4": Training(WEIGHTS, JOINT, STEPS, group=4),
    "G = 16": Training(WEIGHTS, JOINT, STEPS, group=16),
    "G = 32": Training(WEIGHTS, JOINT, STEPS, group=32),
    "T = 64": Training(WEIGHTS, JOINT, 64),
    "T = 1024": Training(WEIGHTS, JOINT, 1024),
    "K = 1": Training((0.0, 1.0, 0.0), JOINT, STEPS),
    "K = 2": Training((0.0, 0.625, 0.375), JOINT, STEPS),
    "decoupled": Training(WEIGHTS, Decoupled(NAMED, eps=0.0), STEPS),
    "decoupled, full size": Training(
        WEIGHTS, NormaliseThenSum(NAMED, GroupRelative(GroupStd(ddof=0), eps=1e-8), eps=1e-8), STEPS
    ),
}
DEPTHS = {f"depth {depth}": depth for depth in range(4)}
SHIFTS = {"TV 0.1, n = 16": (0.1, 16), "TV 0.4, n = 16": (0.4, 16), "TV 0.4, n = 256": (0.4, 256)}
ARMS = {
    "joint": "8 episodes a group, 256 steps, all three components, the advantage of their sum",
    "G = 2": "2 episodes a group",
    "G = 4": "4 episodes a group",
    "G = 16": "16 episodes a group",
    "G = 32": "32 episodes a group",
    "T = 64": "64 steps, each twice as large",
    "T = 1024": "1024 steps, each half as large",
    "K = 1": "accuracy alone",
    "K = 2": "accuracy and executability, weights 0.625 and 0.375",
    "decoupled": "the weighted sum of the advantages of the components",
    "decoupled, full size": "the same, standardised over the batch, so that steps are as large as the joint ones",
    **{arm: f"at most {depth} calls" for arm, depth in DEPTHS.items()},
    **{arm: f"trained on {n} prompts, tested on a mix at total variation {tv}" for arm, (tv, n) in SHIFTS.items()},
}
FIGURES = {
    "least gradient": "least squared norm of the exact gradient in training, times 1e6",
    "last gradient": "that of the last look, times 1e6",
    "variance": "of the gradient estimate from one group at the cold start: mean squared distance from its mean",
    "format": "mean of the rare component over the course of training",
    "learned": "exact value at the end, under the training mix",
    "best": "exact value of the best policy",
    "reachable": "(state, depth) that an episode can come to",
    "complexity": "KL of the policy from the cold start, in nats",
    "transfer gap": "exact value under the training mix minus that under the test mix",
    "allowed gap": "the shift term",
    "slack": "exact value under the test mix minus its lower bound at delta = 0.05",
}


def measure(arm: str, seed: int) -> dict[str, float]:
    """Means over runs with seeds of their own in worlds of their own."""
    runs = [_run(arm, 100 * seed + run) for run in range(RUNS)]
    return {name: float(np.mean([run.get(name, math.nan) for run in runs])) for name in FIGURES}


def _run(arm: str, seed: int) -> dict[str, float]:
    if arm in DEPTHS:
        return _depth(ToolSteps(depth=DEPTHS[arm], seed=seed), seed)
    world = ToolSteps(seed=seed)
    return _shift(world, *SHIFTS[arm], seed) if arm in SHIFTS else _course(world, LEARNERS[arm], seed)


def _course(world: ToolSteps, learner: Training, seed: int) -> dict[str, float]:
    course = learner(world, np.arange(world.kinds), seed)
    return {
        "least gradient": 1e6 * float(course.squared.min()),
        "last gradient": 1e6 * float(course.squared[-1]),
        "variance": _variance(world, learner, seed),
        "format": float(course.values[:, 0].mean()),
        "learned": float(course.values[-1] @ np.array(WEIGHTS)),
    }


def _variance(world: ToolSteps, learner: Training, seed: int) -> float:
    """Of the estimate from one group of a random prompt, over 256 groups."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat(rng.integers(world.kinds, size=GROUPS), learner.group)
    episodes = tabular.play(world, tabular.cold(world), kinds, rng)
    steps = learner.advantages(episodes)[:, None] * episodes.score.reshape(len(kinds), -1)
    estimates = steps.reshape(GROUPS, learner.group, -1).mean(1)
    return float(((estimates - estimates.mean(0)) ** 2).sum(-1).mean())


def _depth(world: ToolSteps, seed: int) -> dict[str, float]:
    mix, weights = np.full(world.kinds, 1 / world.kinds), np.array(WEIGHTS)
    course = LEARNERS["joint"](world, np.arange(world.kinds), seed)
    return {
        "learned": float(course.values[-1] @ weights),
        "best": tabular.best_value(world, weights, mix),
        "reachable": float(world.reachable.sum()),
        "complexity": tabular.complexity(world, course.logits, tabular.cold(world)),
    }


def _shift(world: ToolSteps, shift: float, prompts: int, seed: int) -> dict[str, float]:
    source = np.full(world.kinds, 1 / world.kinds)
    target = shifted(source, shift)
    shown = np.random.default_rng(seed).choice(world.kinds, prompts, p=source)
    course = LEARNERS["joint"](world, shown, seed)
    values_N = np.array(WEIGHTS) @ tabular.exact(world, course.logits, np.array(WEIGHTS), source).values
    kl = tabular.complexity(world, course.logits, tabular.cold(world))
    bound = transfer_bound(float(values_N[shown].mean()), kl, prompts, 0.05, target, source)
    return {
        "learned": float(values_N @ source),
        "complexity": kl,
        "transfer gap": float(values_N @ (source - target)),
        "allowed gap": shift_term(target, source),
        "slack": float(values_N @ target) - bound,
    }


def shifted(source: Floats, shift: float) -> Floats:
    """A mix at total variation `shift`: from the kinds that can be answered at sight to those that need a tool."""
    target = source.copy()
    half = len(source) // 2
    target[:half] -= shift * source[:half] / source[:half].sum()
    target[half:] += shift * source[half:] / source[half:].sum()
    assert abs(total_variation(target, source) - shift) < 1e-9, "more is moved than there is"
    return target


EXPERIMENT = Experiment(
    slug="ta-mdp",
    question=(
        "Does the least gradient fall with training, group size and fewer components, do decoupled advantages learn a "
        "rare component sooner, does depth pay, and does the transfer gap follow the shift, not the number of prompts?"
    ),
    setting=(
        "A decision process of 6 kinds of prompts with two tools that may fail, 36 states of (kind, seen, depth), "
        "enumerated exactly; a softmax policy in a table that rarely calls and rarely answers in full form; "
        "group-relative ascent, 4 prompts a step, step size 64 / sqrt(T). Every figure is the mean of "
        f"{RUNS} worlds and runs."
    ),
    arms=ARMS,
    figures=FIGURES,
    claims=(
        Claim("longer training lowers the least gradient", "least gradient", "T = 1024", "T = 64", more=False),
        Claim("larger groups lower the least gradient", "least gradient", "G = 32", "G = 2", more=False),
        Claim("larger groups lower the variance of the estimate", "variance", "G = 32", "G = 2", more=False),
        Claim("more components raise the least gradient", "least gradient", "joint", "K = 1"),
        Claim("more components raise the variance of the estimate", "variance", "joint", "K = 1"),
        Claim("decoupled advantages learn the rare component sooner", "format", "decoupled", "joint"),
        Claim("so they do with steps of the same size", "format", "decoupled, full size", "joint"),
        Claim("three calls are worth more than none to the best policy", "best", "depth 3", "depth 0"),
        Claim("and to the learner", "learned", "depth 3", "depth 0"),
        Claim("a policy with more depth moves further from its start", "complexity", "depth 3", "depth 1"),
        Claim("the transfer gap grows with the shift", "transfer gap", "TV 0.4, n = 16", "TV 0.1, n = 16"),
        Claim(
            "16 times the prompts do not undo 4 times the shift", "transfer gap", "TV 0.4, n = 256", "TV 0.1, n = 16"
        ),
    ),
    measure=measure,
    seeds=(1, 2, 3),
    limits=(
        "a table of 324 numbers, not a network; the step size was chosen on seed 0, which is not used.",
        "the three components depend on each other: all need the episode to end in an answer.",
        "the least gradient is looked for at every fourth step.",
        "the variance holds that between prompts, which no size of group lowers.",
        "the bound on transfer is loose at these numbers of prompts: slack shows that it holds, not that it is tight.",
    ),
)
