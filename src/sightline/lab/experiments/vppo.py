"""Does credit for the tokens that depend on the picture teach faster than for all tokens, or for some by chance?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.credit import GroupRelative, ImageDependency, Tokens
from sightline.credit.credit import Advantages, Credit, known
from sightline.credit.pivotal import top_share
from sightline.credit.token_perception import TokenPerception
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.models import reading
from sightline.lab.worlds import clips, digits
from sightline.media.corruption import BlackPatches
from sightline.rewards.answers import Answer, same_text

ARMS = {
    "GRPO": "digits: the same advantage for every token",
    "weights only": "digits: rollouts weighed by their mean dependency on the picture",
    "mask only": "digits: the 40 % most dependent tokens learn",
    "random mask": "digits: 40 % of the tokens learn, drawn by chance",
    "VPPO": "digits: the system's credit, weights and mask",
    "GRPO on clips": "four frames: the same advantage for every token",
    "VPPO on clips": "four frames: the system's credit",
}
STEPS, ROWS, HELD_OUT, TOKENS, RATE = 40, 400, 300, 40, 2e-4
# other sizes, backgrounds and noise than the shipped policies have seen: there is something to learn
SPLIT = "shifted"
STILL = digits.Digits(kinds=("colour", "count", "compare", "relation"))
MOVING = clips.Clips(kinds=("first", "last", "flashes", "order"))
REWARD = Answer(same_text).named("accuracy")
GRPO = GroupRelative(eps=1e-6)
# the lab's vision tower sees patches of 12 pixels; half of them go
CORRUPT = BlackPatches(side=12)


@dataclass(frozen=True)
class ByChance:
    """The same share of tokens as the system keeps, whichever they are."""

    share: float
    seed: int

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        tokens = known(tokens, type(self).__name__)
        rng = np.random.default_rng((self.seed, state or 0))
        kept = top_share(rng.random(tokens.mask.shape), tokens.mask, self.share)
        return kept * GRPO.advantages(scores.values, batch.group)[:, None], (state or 0) + 1


@dataclass(frozen=True)
class Watched:
    """A rule, with the dependency of every token kept, over the whole vocabulary."""

    rule: Credit
    seen: list[np.ndarray] = field(default_factory=list, compare=False)
    measures = (ImageDependency(CORRUPT, "full_kl", "kl"),)

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        tokens = known(tokens, type(self).__name__)
        self.seen.append(tokens.measure("kl", type(self).__name__)[tokens.mask])
        return self.rule.assign(scores, batch, tokens, state)


def rule(arm: str, seed: int) -> Credit:
    """The credit rule of an arm; those of the system differ from it in one thing each."""
    # here no new prompts are drawn for those whose rewards are equal
    system: Any = replace(sightline.load("vppo").credit, corrupt=CORRUPT, only_informative=True)  # type: ignore[type-var]
    assert isinstance(system, TokenPerception)
    rules: dict[str, Credit] = {
        "GRPO": GRPO,
        "weights only": replace(system, share=1.0),
        "mask only": replace(system, low=1.0),
        "random mask": ByChance(system.share, seed),
        "VPPO": system,
    }
    return rules[arm.removesuffix(" on clips")]


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads held-out rows, sampled at temperature 1."""
    start, world = ("clips", MOVING) if arm.endswith("clips") else ("base", STILL)
    make: Callable[..., list[dict[str, Any]]] = world.rows
    watched = Watched(rule(arm, seed))
    model, processor, log = policy.reinforce(
        start,
        REWARD,
        watched,
        make(ROWS, SPLIT, seed=100 + seed),
        seed,
        STEPS,
        max_completion_length=TOKENS,
        learning_rate=RATE,
        loss_type="dapo",
        epsilon=0.2,
        epsilon_high=0.28,
        delta=3.0,
    )
    rows = make(HELD_OUT, SPLIT, seed=7000)
    said = policy.read(model, processor, rows, tokens=TOKENS)
    return {
        "accuracy": float(np.mean([reading.right(row, text) for row, text in zip(rows, said, strict=True)])),
        "accuracy while training": float(np.mean([line["reward"] for line in log if "reward" in line])),
        "gradient norm": float(np.mean([line["grad_norm"] for line in log if "grad_norm" in line])),
        **sparsity(np.concatenate(watched.seen[:3])),
    }


def sparsity(divergence: np.ndarray) -> dict[str, float]:
    """How unevenly the dependency on the picture lies on tokens."""
    ranked = np.sort(divergence)[::-1]
    return {
        "share of the top fifth": float(ranked[: -(-len(ranked) // 5)].sum() / max(ranked.sum(), 1e-12)),
        "dependent tokens": float(np.mean(divergence > 0.1)),
    }


EXPERIMENT = Experiment(
    slug="vppo",
    question=(
        "Does credit for the tokens that depend on the picture teach faster than the same credit for all tokens, or "
        "for as many drawn by chance?"
    ),
    setting=(
        f"Short questions on pictures of 48 x 48 pixels, or on 4 frames; shipped policies; groups of {policy.GROUP}, "
        f"{policy.COMPLETIONS} completions a step, {STEPS} steps, learning rate {RATE:g}, token mean loss; {HELD_OUT} "
        "held-out rows, sampled at temperature 1. Pictures are spoiled by blackening half of the patches of 12 pixels."
    ),
    arms=ARMS,
    figures={
        "accuracy": "right answers on held-out rows",
        "accuracy while training": "mean over all steps: how fast it is learned",
        "gradient norm": "mean over steps, before Adam scales it",
        "share of the top fifth": "of the divergence that the picture causes, on the fifth of tokens with most of it, "
        "over the first three steps",
        "dependent tokens": "share of tokens whose divergence is above 0.1 nats, over the first three steps",
    },
    claims=(
        Claim("the mask teaches faster than GRPO", "accuracy while training", "mask only", "GRPO"),
        Claim("the mask teaches faster than a random one", "accuracy while training", "mask only", "random mask"),
        Claim("weights teach faster than GRPO", "accuracy while training", "weights only", "GRPO"),
        Claim("both together end higher than GRPO", "accuracy", "VPPO", "GRPO"),
        Claim("also on clips", "accuracy", "VPPO on clips", "GRPO on clips"),
        Claim("gradients are smaller than with GRPO", "gradient norm", "mask only", "GRPO", more=False),
    ),
    measure=measure,
    seeds=(1, 2, 3),
    limits=(
        "rate and split were chosen after seeing seed 0, which is left out: at 1e-4 it hardly moved; 4e-4 on the "
        "neutral split, where GRPO ended at 0.717, was tried and dropped.",
        "a policy of one million parameters that reads small pictures; its replies have 10 to 30 tokens.",
        "forty steps with one update each, so clipping plays no part.",
        "all seeds share the start and the test set.",
    ),
)
