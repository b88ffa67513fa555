"""Does reward on the phrase that lied lower hallucination more than one reward a reply, and is every kind needed?"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import sightline
from sightline.credit.dense_returns import DenseReturns
from sightline.judges.judge import Judge
from sightline.lab import policy
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.fact_oracle import FactOracle
from sightline.lab.models import tiny_vlm
from sightline.lab.models.cold_start import example
from sightline.lab.models.language_stage import Example, Recipe
from sightline.lab.starts import FOLDER, taught
from sightline.lab.worlds.digits import Digits
from sightline.lab.worlds.spoken import ASK, KINDS, Spoken, phrase_classes
from sightline.metrics.fact_classes import CLEAN, HALLUCINATED, NOT_APPLICABLE
from sightline.parse.phrases import Phrases
from sightline.rewards import phrase_facts
from sightline.rewards.reward import Reward
from sightline.systems import fgaif
from sightline.train import phrase_classifier
from sightline.train.phrase_classifier import ClassifierJudge, Described, Fitting, PhraseClassifier

WORLD = Spoken(Digits(objects=(2, 3)), errors=(0.15, 0.15, 0.2))
ROWS, HELD_OUT, STEPS, TOKENS, RATE = 600, 200, 40, 40, 2e-4
RECIPE = Recipe(steps=400, size=32, blur=0.0)
TAUGHT, LABELLED, TESTED = 4000, 2400, 200
FITTING = Fitting(lr=1e-3, epochs=4, batch=32, patience=2)
ARMS = {
    "cold start": "no further training",
    "one reward": "what all phrases earn of all kinds, once a reply on its last phrase",
    "phrases": "the system's credit: every phrase's three rewards on its last token",
    "without objects": "phrases, the classifier of objects left out",
    "without attributes": "phrases, the classifier of attributes left out",
    "without relations": "phrases, the classifier of relations left out",
    "trained classifiers": "phrases, judged by classifiers trained on labelled descriptions instead of the truth",
}
LEFT_OUT = {"without objects": "object", "without attributes": "attribute", "without relations": "relation"}


def descriptions() -> Sequence[Example]:
    """Descriptions with errors of all kinds, as a policy writes them that has seen many captions and looked at few."""
    rng = np.random.default_rng(5)
    return [example(row, WORLD.describe(row, rng)) for row in WORLD.rows(TAUGHT, seed=70)]


def labelled(n: int, seed: int, kind: int) -> list[Described]:
    """Descriptions with the true class of every phrase; some phrases state nothing."""
    rng, found = np.random.default_rng(seed), []
    for row in WORLD.rows(n, seed=seed):
        phrases = [phrase.text for phrase in Phrases()(WORLD.describe(row, rng))]
        phrases = [_emptied(phrase, rng) for phrase in phrases]
        labels = tuple(phrase_classes(phrase, row["truth"]["objects"])[kind] for phrase in phrases)
        found.append(Described(row["images"][0], tuple(phrases), labels))
    return found


def _emptied(phrase: str, rng: np.random.Generator) -> str:
    """The phrase, or now and then only its beginning, which states less."""
    words = phrase.split()
    return " ".join(words[: int(rng.integers(1, len(words)))]) if rng.random() < 0.15 else phrase


@cache
def classifiers() -> ClassifierJudge:
    """One classifier a kind, trained on the base model if it is not there; the same for all arms and seeds."""
    kinds = dict(zip(KINDS, (phrase_facts.KINDS[kind] for kind in KINDS), strict=True))
    return ClassifierJudge({words: _classifier(kind) for kind, words in kinds.items()}, name="phrase classifiers, lab")


def _classifier(kind: str) -> PhraseClassifier:
    import torch

    made_of = b"".join(Path(str(file)).read_bytes() for file in (__file__, phrase_classifier.__file__))
    place = FOLDER / f"fgaif-{kind}-{hashlib.blake2b(made_of, digest_size=4).hexdigest()}.pt"
    found = PhraseClassifier(*tiny_vlm.load("base"), prompt=ASK)
    if place.exists():
        kept = torch.load(place, weights_only=True)
        found.model.load_state_dict(kept["model"])
        found.head.load_state_dict(kept["head"])
        return found
    which = KINDS.index(kind)
    for _ in phrase_classifier.fit(found, labelled(LABELLED, 80, which), labelled(TESTED, 81, which), FITTING):
        pass
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_suffix(f".{np.random.default_rng().integers(10**9)}")
    torch.save({"model": found.model.state_dict(), "head": found.head.state_dict()}, draft)
    draft.replace(place)
    return found


def reward(judge: Judge) -> Reward:
    """The system's reward with another judge."""
    return sightline.load("fgaif").with_judge(judge).reward


def rule(arm: str) -> DenseReturns:
    """The credit rule of an arm."""
    if arm == "one reward":
        return fgaif.SEQUENCE_CREDIT
    weights = tuple((kind, 0.0 if kind == LEFT_OUT.get(arm) else 1.0) for kind in KINDS)
    return replace(fgaif.CREDIT, weights=weights)


def measure(arm: str, seed: int) -> dict[str, float]:
    """Trains one arm and reads descriptions of held-out pictures, sampled at temperature 1."""
    start = taught("spoken", descriptions, RECIPE, __file__)
    if arm == "cold start":
        model, processor = tiny_vlm.load(start)
        return figures(model, processor)
    rows = WORLD.rows(ROWS, seed=100 + seed)
    settings: Mapping[str, Any] = {"max_completion_length": TOKENS, "learning_rate": RATE, "loss_type": "dapo"}
    judge = classifiers() if arm == "trained classifiers" else FactOracle.of(rows)
    model, processor, _ = policy.reinforce(start, reward(judge), rule(arm), rows, seed, STEPS, **settings)
    return {**figures(model, processor), "classifiers": agreement() if arm == "trained classifiers" else math.nan}


def figures(model: Any, processor: Any) -> dict[str, float]:
    """What it writes on held-out pictures, held against the truth."""
    rows = WORLD.rows(HELD_OUT, "neutral", seed=7000)
    said = policy.read(model, processor, rows, tokens=TOKENS)
    phrases = [[phrase.text for phrase in Phrases()(text)] for text in said]
    found = np.array(
        [phrase_classes(one, row["truth"]["objects"]) for row, own in zip(rows, phrases, strict=True) for one in own]
    ).reshape(-1, 3)
    made_up = (found == HALLUCINATED).mean(0)
    return {
        "made up": float((found == HALLUCINATED).any(1).mean()),
        "objects": float(made_up[0]),
        "attributes": float(made_up[1]),
        "relations": float(made_up[2]),
        "right of stated": float((found == CLEAN).sum() / max(1, (found != NOT_APPLICABLE).sum())),
        "right facts": float((found == CLEAN).sum() / len(said)),
        "vague": float((found == NOT_APPLICABLE).any(1).mean()),
        "phrases": len(found) / len(said),
        "classifiers": math.nan,
    }


def agreement() -> float:
    """Mean accuracy of the trained classifiers on descriptions of other pictures."""
    found = [
        phrase_classifier.accuracy(classifiers().classifiers[phrase_facts.KINDS[kind]], labelled(TESTED, 82, which))
        for which, kind in enumerate(KINDS)
    ]
    return float(np.mean(found))


EXPERIMENT = Experiment(
    slug="fgaif",
    question=(
        "Do rewards on the phrases that lied lower hallucination more than one reward a reply, and does leaving any "
        "of the three classifiers out hurt?"
    ),
    setting=(
        "Descriptions of pictures of 48 x 48 pixels in phrases such as `a red 3 is left of the blue star`; a start "
        "that learnt from descriptions with wrong names, colours and relations; phrases are judged by the truth, "
        f"or by classifiers with a head behind every phrase, trained from {LABELLED} labelled descriptions; groups of "
        f"{policy.GROUP}, {policy.COMPLETIONS} completions a step, {STEPS} steps, learning rate {RATE:g}; "
        f"{HELD_OUT} held-out pictures, sampled at temperature 1."
    ),
    arms=ARMS,
    figures={
        "made up": "share of phrases in which something is made up, by the truth",
        "objects": "share of phrases that name a thing that is not there",
        "attributes": "share of phrases with a colour that is not its thing's",
        "relations": "share of phrases with a relation that does not hold",
        "right of stated": "of kinds of facts that phrases state, share that is right",
        "right facts": "kinds of facts that are right, summed over the phrases of a description",
        "vague": "share of phrases that state nothing of some kind",
        "phrases": "per description",
        "classifiers": "mean accuracy of the three on descriptions they were not trained on",
    },
    claims=(
        Claim("phrase rewards lower hallucination", "made up", "phrases", "cold start", more=False),
        Claim("more than one reward a reply does", "made up", "phrases", "one reward", more=False),
        Claim("without the classifier of objects more is made up", "made up", "without objects", "phrases"),
        Claim("without the classifier of attributes more is made up", "made up", "without attributes", "phrases"),
        Claim("without the classifier of relations more is made up", "made up", "without relations", "phrases"),
        Claim("without it more relations are wrong", "relations", "without relations", "phrases"),
        Claim("what is stated is more often right", "right of stated", "phrases", "one reward"),
        Claim("descriptions do not state less that is right", "right facts", "phrases", "cold start"),
        Claim("trained classifiers lower it too", "made up", "trained classifiers", "cold start", more=False),
    ),
    measure=measure,
    seeds=(1, 2, 3),
    limits=(
        "seed 0 is not used: on it a weaker cold start, wrong in 79 % of its relations, gave them up for vague words "
        "(95 % of the phrases), since what states nothing earns 0; the cold start was then made better.",
        "labels are the world's truth; the paper's come from two models that err.",
        "no critic: V is 0, so the estimate is the return from each token on, standardised over the batch.",
        "a policy of one million parameters; all seeds share cold start, classifiers and test set.",
    ),
)
