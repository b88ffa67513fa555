"""Does a set distance teach reports where exact match cannot, and does pruning by it save tokens at an equal pick?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import sightline
from sightline.judges.lexical import LexicalEmbedder
from sightline.lab import slots
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds.reports import FINDINGS, NAMES, Reports, finding_f1, written
from sightline.parse.tags import Block
from sightline.rewards.answers import Answer, same_clean_text
from sightline.rewards.reward import Reward
from sightline.search.prune import Halving, Piece
from sightline.search.typical import Bank, best

ARMS = {
    "exact match": "GRPO, 1 if the report equals the reference word for word, else 0",
    "set distance": "GRPO, exp(-Chamfer distance of sentence vectors)",
    "set distance, shuffled": "the same with the sentences of every reference in another order",
    "random of 8": "the cold start, one of its eight reports at random",
    "best of 8": "the cold start, the report nearest to the bank of training sentences among eight whole ones",
    "pruned best of 8": "the same with half of the reports dropped at 25, 50 and 75 % of the budget",
}
WORLD = Reports()
OPTIONS = tuple(("", *FINDINGS[name]) for name in NAMES)
SLIPS = ("The image is of the patient", "Clinical correlation is advised", "Compare with prior study of the abdomen")
STEPS, ROWS, HELD_OUT, CANDIDATES, BUDGET = 300, 400, 120, 8, 48


def see(row: dict[str, Any], said: Any) -> np.ndarray:
    """What the detector says of each finding."""
    return np.array([1.0, *row["cues"]])


def render(row: dict[str, Any], words: Any) -> str:
    """The findings that are written, in a fixed order."""
    return " ".join(f"{word}." for word in words if word)


def reward(arm: str) -> Reward:
    """The system's own reward, or its exact-match baseline."""
    if arm == "exact match":
        return Answer(same_clean_text, Block("answer", otherwise="text"), "reference")
    return sightline.load("sdr").reward


def cold_start(rows: list[dict[str, Any]], rng: np.random.Generator) -> slots.Slots:
    """A policy that imitated half-wrong reports: half of its findings are drawn from the training reports at large."""
    policy = slots.Slots.blank(OPTIONS, 1 + len(NAMES), see, render)
    other = [rows[i]["findings"] for i in rng.permutation(len(rows))]
    shown = []
    for row, strange in zip(rows, other, strict=True):
        kept = [name in (row["findings"] if rng.random() < 0.5 else strange) for name in NAMES]
        shown.append([str(rng.choice(ways[1:])) if there else "" for there, ways in zip(kept, OPTIONS, strict=True)])
    policy.imitate(rows, shown, steps=40)
    return policy


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains, or picks among candidates of the cold start; figures on held-out reports."""
    rng = np.random.default_rng(seed)
    rows = WORLD.rows(ROWS, "train", 100 + seed)
    policy = cold_start(rows, rng)
    held_out = WORLD.rows(HELD_OUT, "neutral", 7000)
    if arm in ("random of 8", "best of 8", "pruned best of 8"):
        bank = Bank.of(LexicalEmbedder(), [row["reference"] for row in rows])
        return picked(arm, policy, bank, held_out, rng)
    if arm == "set distance, shuffled":
        rows = [{**row, "reference": shuffled(row["reference"], rng)} for row in rows]
    curve = slots.reinforce(policy, reward(arm), sightline.load("sdr").credit, rows, rng, STEPS)
    said = policy.say(held_out, rng)
    f1 = [finding_f1(text, row["findings"]) for text, row in zip(said, held_out, strict=True)]
    return {"finding F1": float(np.mean(f1)), "quality": float("nan"), "tokens": 1.0, "reward": float(np.mean(curve))}


def shuffled(text: str, rng: np.random.Generator) -> str:
    whole = [sentence.rstrip(".") for sentence in text.split(". ")]
    return " ".join(f"{whole[i]}." for i in rng.permutation(len(whole)))


@dataclass(frozen=True)
class Tape:
    """A writer of reports that are known beforehand, a word at a time."""

    texts: tuple[str, ...]

    def extend(self, candidates: Sequence[int], tokens: int) -> list[Piece]:
        pieces = []
        for i in candidates:
            words = self.texts[i].split()
            pieces.append(Piece(" ".join(words[:tokens]), min(tokens, len(words)), tokens >= len(words)))
        return pieces


def candidates_of(policy: slots.Slots, row: dict[str, Any], rng: np.random.Generator) -> tuple[str, ...]:
    """Reports of the cold start; each sentence slips into something unrelated with a chance of the candidate's own."""
    made = []
    for text in policy.say([row] * CANDIDATES, rng):
        rate = rng.uniform(0, 0.6)
        sentences = [s.strip() for s in text.split(".") if s.strip()] or [written(["cardiomegaly"], rng).rstrip(".")]
        while sum(len(s.split()) for s in sentences) < BUDGET - 6:
            sentences.append(str(rng.choice(SLIPS)) if rng.random() < rate else str(rng.choice(sentences[:3])))
        slipped = [str(rng.choice(SLIPS)) if rng.random() < rate else s for s in sentences]
        made.append(" ".join(f"{s}." for s in slipped))
    return tuple(made)


def quality(text: str) -> float:
    """Share of sentences that are findings at all: what nearness to the bank can tell without a reference."""
    sentences = [s.strip() for s in text.split(".") if s.strip()]
    return float(np.mean([s not in SLIPS for s in sentences])) if sentences else 0.0


def picked(
    arm: str, policy: slots.Slots, bank: Bank, rows: list[dict[str, Any]], rng: np.random.Generator
) -> dict[str, float]:
    """The figures of one way to pick among candidates."""
    f1, good, spent = [], [], []
    for row in rows:
        texts = candidates_of(policy, row, rng)
        whole = sum(len(text.split()) for text in texts)
        if arm == "pruned best of 8":
            found = Halving()(Tape(texts), CANDIDATES, BUDGET, bank.rate)
            choice, tokens = found.chosen, found.tokens
        else:
            scores = bank.scores(texts) if arm == "best of 8" else rng.random(CANDIDATES).tolist()
            choice, tokens = best(scores, [len(bank.sentences(text)) for text in texts]), whole
        f1.append(finding_f1(texts[choice], row["findings"]))
        good.append(quality(texts[choice]))
        spent.append(tokens / whole)
    figures = {"finding F1": f1, "quality": good, "tokens": spent}
    return {**{name: float(np.mean(values)) for name, values in figures.items()}, "reward": float("nan")}


EXPERIMENT = Experiment(
    slug="sdr",
    question="Does a set distance teach reports where exact match cannot, and does pruning by it save tokens?",
    setting=(
        f"Reports of up to {len(NAMES)} findings in any order and wording; a log-linear policy sees a noisy cue of "
        f"each finding and writes sentences; cold start on reports of which half the findings are someone else's. "
        f"{STEPS} steps of 16 prompts x 8 reports; {HELD_OUT} held-out reports, sampled; vectors count words. Picks: "
        f"{CANDIDATES} reports of about {BUDGET} words, whose sentences slip into unrelated ones at rates of 0 to 60 %."
    ),
    arms=ARMS,
    figures={
        "finding F1": "F1 of the findings named, by exact reading",
        "quality": "picks: share of sentences that are findings at all",
        "tokens": "words written, as a share of all candidates whole",
        "reward": "training: mean reward over all steps",
    },
    claims=(
        Claim("set distance beats exact match", "finding F1", "set distance", "exact match"),
        Claim("best of N by set distance beats a random pick", "quality", "best of 8", "random of 8"),
        Claim("the pruned pick beats a random pick", "quality", "pruned best of 8", "random of 8"),
        Claim("the whole pick is better than the pruned one", "quality", "best of 8", "pruned best of 8"),
        Claim("pruning saves tokens", "tokens", "pruned best of 8", "best of 8", more=False),
        Claim("shuffling the reference costs something", "finding F1", "set distance", "set distance, shuffled"),
    ),
    measure=measure,
    limits=(
        "an encoder that counts words knows no paraphrases: what it pays for includes the wording.",
        "picks are judged by whether sentences are findings at all; a bank cannot tell whose findings they are.",
    ),
)
