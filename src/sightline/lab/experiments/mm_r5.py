"""Does the rank reward lift a weak retriever's order, and what becomes of repeated ids?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

import sightline
from sightline.core.batch import Batch
from sightline.lab.experiment import Claim, Experiment
from sightline.metrics.ranking import micro_mean, recall_at
from sightline.parse.rankings import RankedIds, Ranking, whole_order
from sightline.rewards.reranking import RankGain
from sightline.rewards.reward import Reward

ARMS = {
    "strict": "rank gain and format, weak retriever",
    "official": "the released arithmetic, in which repeated ids cost nothing, weak retriever",
    "slow discount": "as strict, but later ranks lose weight as 1 / j instead of 1 / j^3, weak retriever",
    "strict, strong retriever": "as strict, with a retriever whose scores tell more",
}
PAGES, GROUP, PROMPTS, STEPS, RATE, HELD_OUT = 5, 8, 16, 1000, 0.3, 1000
SLOTS = PAGES + 2
WEAK, STRONG, SEEN = 0.4, 1.6, 1.2
STOP = PAGES
# retriever score, what the page shows, said already, said before the last slot; bias and slope of stopping
START = np.array([1.0, 0.3, -1.0, -5.0, 10.0])


class Questions(NamedTuple):
    """Q questions with the pages' signals (Q, pages, 2) and which pages are right (Q, pages)."""

    signals: np.ndarray
    right: np.ndarray


class Lists(NamedTuple):
    """Sampled lists and the gradients (N, 5) of their log-probabilities."""

    ids: list[list[int]]
    gradient: np.ndarray


def questions(n: int, strength: float, rng: np.random.Generator) -> Questions:
    """One or two right pages among five, in random places; both signals are higher on right pages, and noisy."""
    count = rng.integers(1, 3, size=(n, 1))
    right = np.argsort(np.argsort(rng.random((n, PAGES)), axis=1), axis=1) < count
    means = right[..., None] * np.array([strength, SEEN])
    return Questions(means + rng.normal(size=(n, PAGES, 2)), right)


def sample(weights: np.ndarray, signals: np.ndarray, rng: np.random.Generator) -> Lists:
    """Writes a list slot by slot: an id, perhaps one that was said already, or the end."""
    n = len(signals)
    said = np.zeros((n, PAGES), bool)
    open_ = np.ones(n, bool)
    ids: list[list[int]] = [[] for _ in range(n)]
    gradient = np.zeros((n, len(weights)))
    for slot in range(SLOTS):
        options = np.zeros((n, PAGES + 1, len(weights)))
        options[:, :PAGES, :2] = signals
        options[:, :PAGES, 2] = said
        options[:, STOP, 3:] = [1.0, slot / PAGES]
        logits = options @ weights
        chance = np.exp(logits - logits.max(1, keepdims=True))
        chance /= chance.sum(1, keepdims=True)
        pick = (chance.cumsum(1) < rng.random((n, 1))).sum(1).clip(0, STOP)
        step = options[np.arange(n), pick] - (chance[..., None] * options).sum(1)
        gradient += step * open_[:, None]
        open_ &= pick != STOP
        for row in np.flatnonzero(open_):
            ids[row].append(int(pick[row]) + 1)
            said[row, pick[row]] = True
    return Lists(ids, gradient)


def reward(arm: str) -> Reward:
    """The system's reward, or the same with another discount."""
    system = sightline.load("mm-r5")
    if arm == "slow discount":
        return RankGain(power=1.0).named("result") + system.variant("strict", minus=("result",))
    return system.variant("official" if arm == "official" else "strict")


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and samples lists for held-out questions."""
    strength = STRONG if arm.endswith("strong retriever") else WEAK
    rng = np.random.default_rng([seed, 1])
    pays, credit, weights = reward(arm), sightline.load("mm-r5").credit, START.copy()
    for _ in range(STEPS):
        asked = questions(PROMPTS, strength, rng)
        lists = sample(weights, np.repeat(asked.signals, GROUP, axis=0), rng)
        solutions = [[(np.flatnonzero(row) + 1).tolist(), PAGES] for row in asked.right for _ in range(GROUP)]
        batch = Batch(written(lists.ids), {"solution": solutions}, group=np.repeat(np.arange(PROMPTS), GROUP))
        advantages, _ = credit.assign(pays(batch), batch)
        weights += RATE * (advantages[:, None] * lists.gradient).mean(0)
    return figures(weights, strength)


def written(ids: Sequence[Sequence[int]]) -> list[str]:
    """The lists as completions."""
    return [f"<think>I looked.</think><answer>{list(one)}</answer>" for one in ids]


def figures(weights: np.ndarray, strength: float) -> dict[str, float]:
    """Recall of the repaired order beside the retriever's own, and how lists end up, on questions of their own seed."""
    rng = np.random.default_rng(7000)
    asked = questions(HELD_OUT, strength, rng)
    lists = sample(weights, asked.signals, rng)
    parse = RankedIds(repeats="keep")
    orders = [
        whole_order(found.ids if isinstance(found, Ranking) else found, PAGES)
        for found in map(parse, written(lists.ids))
    ]
    retrieved = np.argsort(-asked.signals[..., 0], axis=1).tolist()
    gold = [np.flatnonzero(row).tolist() for row in asked.right]
    first = [
        micro_mean([recall_at(o, g, 1) for o, g in zip(found, gold, strict=True)]) for found in (orders, retrieved)
    ]
    return {
        "recall at 1": first[0],
        "gain over the retriever": first[0] - first[1],
        "recall at 3": micro_mean([recall_at(o, g, 3) for o, g in zip(orders, gold, strict=True)]),
        "lists with repeats": float(np.mean([len(set(one)) < len(one) for one in lists.ids])),
        "complete lists": float(np.mean([len(set(one)) == PAGES for one in lists.ids])),
    }


EXPERIMENT = Experiment(
    slug="mm-r5",
    question="Does the rank reward lift a weak retriever's order, and what becomes of repeated ids?",
    setting=(
        f"{PAGES} candidate pages, one or two are right; a page has a retriever score and what a look at it shows, "
        f"both noisy. The policy is a softmax over ids and the end, linear in these signals, in what was said already "
        f"and in the slot ({SLOTS} at most): five weights, no pictures. GRPO in numpy, {PROMPTS} questions of {GROUP} "
        f"lists a step, {STEPS} steps, from weights that follow the retriever and repeat ids; the rewards read written "
        f"completions. {HELD_OUT} held-out questions."
    ),
    arms=ARMS,
    figures={
        "recall at 1": "share of right pages at the first place of the repaired order",
        "gain over the retriever": "the same minus that of the retriever's order",
        "recall at 3": "share of right pages among the first three",
        "lists with repeats": "share of lists that name an id twice",
        "complete lists": "share of lists that name every page, once or more often",
    },
    claims=(
        Claim("a weak retriever gains more", "gain over the retriever", "strict", "strict, strong retriever"),
        Claim("the cube of the rank finds the first page better than 1 / j", "recall at 1", "strict", "slow discount"),
        Claim("more lists name every page where repeats fill no length", "complete lists", "strict", "official"),
        Claim("repeats are rarer where they fill no length", "lists with repeats", "strict", "official", more=False),
    ),
    measure=measure,
    limits=(
        "the policy has five weights and reads signals, not pages: it shows what the reward teaches, not reading.",
    ),
)
