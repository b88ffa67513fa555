"""Which likelihood rewards learn from short and from long reference answers?

The policy is a table: for every question a choice of reasoning, and behind each reasoning a distribution for every
token of the answer. Rewards and credit are the system's own; gradients are exact, given the sampled reasoning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sightline
from sightline.core.batch import Batch
from sightline.credit import GroupRelative
from sightline.credit.likelihood_credit import LikelihoodCredit
from sightline.lab.experiment import Claim, Experiment
from sightline.systems.likelihood_reward import CREDITS

LENGTHS = {"short": 1, "long": 60}
KINDS = ("logprob", "avglogprob", "prob", "avgprob", "jepo", "exact match", "fine-tuning")
ARMS = {
    f"{kind}, {length}": f"{what}; answers of {size} token{'s' if size > 1 else ''}"
    for length, size in LENGTHS.items()
    for kind, what in {
        "logprob": "log-probability of the reference",
        "avglogprob": "its mean over tokens",
        "prob": "probability of the reference",
        "avgprob": "mean probability of its tokens",
        "jepo": "log of the mean probability over the rollouts",
        "exact match": "100 for the sampled answer being the reference, else 10, and GRPO on reasoning and answer",
        "fine-tuning": "the answer term of logprob alone: reasoning gets no credit",
    }.items()
}
QUESTIONS, WAYS, WORDS, GROUP, STEPS, RATE = 24, 6, 8, 8, 150, 0.03
# how likely the right word is behind the one good way of reasoning, and behind the others
GOOD, POOR = 0.6, 0.3
Floats = NDArray[np.float64]


@dataclass
class Table:
    """The policy: logits of ways (Q, Z), and of words (Q, Z, m, V); word 0 is right. Adam moves both."""

    ways: Floats
    words: Floats
    moments: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)
    steps: int = 0

    @classmethod
    def blank(cls, size: int, rng: np.random.Generator) -> Table:
        right = np.full((QUESTIONS, WAYS, size), POOR)
        right[:, 0] = GOOD
        right = np.clip(right + rng.normal(0, 0.05, right.shape), 0.05, 0.95)
        words = np.zeros((QUESTIONS, WAYS, size, WORDS))
        words[..., 0] = np.log(right / (1 - right) * (WORDS - 1))
        return cls(rng.normal(0, 0.3, (QUESTIONS, WAYS)), words)

    def move(self, name: str, gradient: Floats) -> None:
        """One step of Adam uphill."""
        mean, square = self.moments.get(name, (np.zeros_like(gradient), np.zeros_like(gradient)))
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        self.moments[name] = mean, square
        far = mean / (1 - 0.9**self.steps) / (np.sqrt(square / (1 - 0.999**self.steps)) + 1e-8)
        setattr(self, name, getattr(self, name) + RATE * far)


def softmax(logits: Floats) -> Floats:
    grown = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(grown / grown.sum(-1, keepdims=True))


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm from a table drawn anew for each seed."""
    kind, length = arm.split(", ")
    rng = np.random.default_rng(seed)
    table = Table.blank(LENGTHS[length], rng)
    before = figures(table)
    for _ in range(STEPS):
        update(table, kind, rng)
    after = figures(table)
    return {**after, "gain per token": after["log-probability per token"] - before["log-probability per token"]}


def update(table: Table, kind: str, rng: np.random.Generator) -> None:
    """One step: sample reasoning for every question, score it, move both parts of the policy."""
    table.steps += 1
    chance, words = softmax(table.ways), softmax(table.words)
    asked = np.repeat(np.arange(QUESTIONS), GROUP)
    way = np.array([rng.choice(WAYS, p=chance[q]) for q in asked])
    logps = np.log(words[asked, way, :, 0])
    said = sampled(words[asked, way], rng)
    batch = rollouts(asked, logps, said)
    advantages, weights = credited(kind, batch, logps)
    of_ways, of_words = np.zeros_like(table.ways), np.zeros_like(table.words)
    np.add.at(of_ways, asked, advantages[:, None] * (np.eye(WAYS)[way] - chance[asked]))
    learnt = said if kind == "exact match" else np.zeros_like(said)
    pull = np.eye(WORDS)[learnt] - words[asked, way]
    np.add.at(of_words, (asked, way), weights[..., None] * pull)
    table.move("ways", of_ways / len(asked))
    table.move("words", of_words / len(asked))


def sampled(chance: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """(B, m) words of sampled answers; the reference is all zeros."""
    drawn = (rng.random(chance.shape[:2])[..., None] > chance.cumsum(-1)).sum(-1)
    return np.minimum(drawn, WORDS - 1)


def rollouts(asked: NDArray[np.int64], logps: Floats, said: NDArray[np.int64]) -> Batch:
    """Answers as digits, one a token."""
    columns: dict[str, Any] = {"reference_logps": logps.tolist(), "answer": ["0" * logps.shape[1]] * len(asked)}
    answers = ["".join(map(str, row)) for row in said.tolist()]
    return Batch([f"<think></think> <answer>{text}</answer>" for text in answers], columns, group=asked)


def credited(kind: str, batch: Batch, logps: Floats) -> tuple[Floats, Floats]:
    """(B,) advantages of the reasoning and (B, m) weights of the answer's tokens, by the system's rules.

    The answer is the reference, or for exact match the rollout's own, which its advantage reaches too.
    """
    system = sightline.load("likelihood-reward")
    if kind == "exact match":
        scores = system.extra("exact_match")(batch)
        own = GroupRelative(eps=1e-6).advantages(scores.values, batch.group)
        return own, np.repeat(own[:, None], logps.shape[1], 1)
    if kind == "fine-tuning":
        return np.zeros(len(batch)), np.ones(logps.shape)
    rule = CREDITS[kind]
    assert isinstance(rule, LikelihoodCredit)
    reward = system.reward if kind in ("logprob", "jepo") else system.extra(kind)
    advantages, _ = rule.assign(reward(batch), batch)
    return advantages, np.stack(rule.answer_weights(batch))


def figures(table: Table) -> dict[str, float]:
    """What the policy would do, in expectation over its reasoning."""
    chance, words = softmax(table.ways), softmax(table.words)
    per_token = np.log(words[..., 0]).mean(-1)
    return {
        "good reasoning": float(chance[:, 0].mean()),
        "log-probability per token": float((chance * per_token).sum(-1).mean()),
    }


EXPERIMENT = Experiment(
    slug="likelihood-reward",
    question="Which likelihood rewards learn from short and from long reference answers?",
    setting=(
        f"A table as policy: {QUESTIONS} questions, {WAYS} ways of reasoning of which one makes the right word "
        f"{GOOD:.0%} likely and the others {POOR:.0%}, answers of 1 or 60 words of {WORDS}; groups of {GROUP}, {STEPS} "
        f"steps of Adam at {RATE:g} over all questions, rewards and credit of the system. No network, no pictures."
    ),
    arms=ARMS,
    figures={
        "good reasoning": "chance of the way that makes the reference likely",
        "log-probability per token": "of the reference, in expectation over the reasoning",
        "gain per token": "the same minus that before training",
    },
    claims=(
        Claim("short: prob finds good reasoning", "good reasoning", "prob, short", "fine-tuning, short"),
        Claim("short: logprob finds good reasoning", "good reasoning", "logprob, short", "fine-tuning, short"),
        Claim("long: logprob learns, prob does not", "gain per token", "logprob, long", "prob, long"),
        Claim("long: avgprob learns, prob does not", "gain per token", "avgprob, long", "prob, long"),
        Claim("long: jepo learns, prob does not", "gain per token", "jepo, long", "prob, long"),
        Claim("long: exact match finds nothing to learn from", "gain per token", "logprob, long", "exact match, long"),
        Claim("long: logprob finds good reasoning too", "good reasoning", "logprob, long", "fine-tuning, long"),
    ),
    measure=measure,
    limits=(
        "Adam divides gradients by their own size plus 1e-8: logprob and avglogprob are the same here, and gradients "
        "far below 1e-8, as those of prob behind 60 words, move nothing.",
        "reasoning is one choice, so its length cannot dip or collapse; the paper's effect of length is not tested.",
        "words are independent given the reasoning, and every question has parameters of its own: nothing generalises.",
    ),
)
