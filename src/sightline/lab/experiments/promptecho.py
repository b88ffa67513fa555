"""Does the likelihood of the prompt teach a generator more than a score that the same model writes down?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sightline
from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.judges import ModelJudge, Question, Sampling, Verdict
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.models import tiny_vlm
from sightline.lab.worlds.renderings import Renderings
from sightline.rewards.look import Column, Look, NoPictures
from sightline.rewards.rated_fit import RatedFit
from sightline.rewards.reward import Reward, rebuilt
from sightline.rewards.second_look import Echo

ARMS = {
    "before": "no training",
    "echo": "mean log-likelihood of the caption, given the picture",
    "written score": "a number from 0 to 10 that the same model writes: how many of the caption's objects it lists",
    "echo without picture": "the same likelihood, but the model does not see the picture",
}
QUERY = "list all objects"
CAPTIONS, GROUP, STEPS, RATE = 24, 8, 60, 0.5
LABEL = re.compile(r'"label": "([^"]*)"')


@dataclass(frozen=True)
class ListedObjects:
    """A judge that writes a score: it lists what it sees, and 10 times the share of the caption's objects among it."""

    judge: ModelJudge

    @property
    def id(self) -> str:
        return f"listed objects of {self.judge.id}"

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """A number as text."""
        lists = self.judge.generate([
            Question(QUERY, images=question.images, sampling=Sampling(max_tokens=48)) for question in questions
        ])  # fmt: skip
        return [self._score(question, one) for question, one in zip(questions, lists, strict=True)]

    def _score(self, question: Question, listed: Verdict[str]) -> Verdict[str]:
        if listed.value is None:
            return listed
        told = LABEL.findall(str(question.field("caption")))
        seen = LABEL.findall(listed.value)
        return Verdict(str(round(10 * sum(label in seen for label in told) / len(told))))


@dataclass(frozen=True)
class Asking:
    """An echo with the query that the lab's model was taught, and with or without the picture."""

    blind: bool

    def __call__(self, node: Reward) -> Reward:
        if not isinstance(node, Echo):
            return node
        shown = NoPictures() if self.blind else node.look.pictures
        return replace(node, look=replace(node.look, template=QUERY, pictures=shown))


@cache
def viewer() -> ModelJudge:
    """The shipped base, frozen."""
    return ModelJudge(*tiny_vlm.load("base"), "base", batch_size=32)


def reward(arm: str) -> Reward:
    """The system's own reward, or its extra, with the lab's model as judge."""
    system = sightline.load("promptecho")
    if arm == "written score":
        return RatedFit(ListedObjects(viewer()), Look("{caption}", (("caption", Column("caption")),)))
    return rebuilt(system.with_judge(viewer()).reward, Asking(arm == "echo without picture"))


def measure(arm: str, seed: int) -> dict[str, float]:
    """Scores all pictures once, then trains a table of choices among them."""
    world = Renderings()
    rows = world.rows(CAPTIONS, seed=1000 + seed)
    right_CP = np.array([row["right"] for row in rows]).reshape(CAPTIONS, world.pictures)
    values = np.zeros(len(rows)) if arm == "before" else reward(arm)(Batch.from_rows(rows)).values
    scores_CP = values.reshape(right_CP.shape)
    spread = float(np.mean(scores_CP.std(1)))
    choices_CP = trained(scores_CP / spread if spread > 0 else scores_CP, seed)
    return {
        "right": float((choices_CP * right_CP).sum(1).mean()),
        "whole": float(choices_CP[:, 0].mean()),
        "agreement": concordance(scores_CP, right_CP),
        "ties": ties(scores_CP, right_CP),
    }


def trained(scores_CP: NDArray[Any], seed: int) -> NDArray[Any]:
    """The policy after policy gradient with the system's credit: for each caption a distribution over its pictures."""
    rng, credit = np.random.default_rng([seed, 3]), sightline.load("promptecho").credit
    logits_CP = np.zeros_like(scores_CP)
    for _ in range(STEPS):
        p_CP = _softmax(logits_CP)
        picks_CG = np.array([rng.choice(len(p), GROUP, p=p) for p in p_CP])
        group = np.repeat(np.arange(len(p_CP)), GROUP)
        drawn = Scores.of(np.take_along_axis(scores_CP, picks_CG, 1).reshape(-1))
        advantages_CG = credit.assign(drawn, Batch([""] * len(group), group=group))[0].reshape(picks_CG.shape)
        for caption, (picks, advantages) in enumerate(zip(picks_CG, advantages_CG, strict=True)):
            np.add.at(logits_CP[caption], picks, RATE * advantages / GROUP)
            logits_CP[caption] -= RATE * advantages.mean() * p_CP[caption]
    return _softmax(logits_CP)


def concordance(scores_CP: NDArray[Any], right_CP: NDArray[Any]) -> float:
    """Of the pairs of pictures of one caption that differ in truth, the share ordered rightly; ties count half."""
    differ, order, truth = _pairs(scores_CP, right_CP)
    return float(np.where(order == 0, 0.5, order == truth)[differ].mean())


def ties(scores_CP: NDArray[Any], right_CP: NDArray[Any]) -> float:
    """Of those pairs, the share with equal scores."""
    differ, order, _ = _pairs(scores_CP, right_CP)
    return float((order == 0)[differ].mean())


def _pairs(scores_CP: NDArray[Any], right_CP: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    i, j = np.triu_indices(scores_CP.shape[1], 1)
    gap, truth = scores_CP[:, i] - scores_CP[:, j], np.sign(np.round(right_CP[:, i] - right_CP[:, j], 6))
    return truth != 0, np.sign(np.round(gap, 6)), truth


def _softmax(logits_CP: NDArray[Any]) -> NDArray[Any]:
    exp = np.exp(logits_CP - logits_CP.max(1, keepdims=True))
    return np.asarray(exp / exp.sum(1, keepdims=True))


WORLD = Renderings()
EXPERIMENT = Experiment(
    slug="promptecho",
    question="Does the likelihood of the prompt teach a generator more than a score that the same model writes down?",
    setting=(
        f"{CAPTIONS} captions of two objects (digit or shape, colour, box), {WORLD.pictures} pictures of each that "
        "miss 0 to 4 of its 6 facts; the generator is a table, a distribution over the pictures of every caption, "
        f"trained by {STEPS} policy-gradient steps of {GROUP} draws with the system's credit (centred, not divided). "
        "The judge is the lab's base model, frozen. Rewards of an arm are divided by one number, their mean spread "
        "within a caption, so that arms learn at the same pace."
    ),
    arms=ARMS,
    figures={
        "right": "share of the caption's facts that the pictures show, under the trained table",
        "whole": "probability of the picture that shows all",
        "agreement": "of pairs of pictures of one caption that differ in truth, the share ordered rightly; ties half",
        "ties": "of those pairs, the share with equal rewards",
    },
    claims=(
        Claim("the generator comes to follow the caption", "right", "echo", "before"),
        Claim("more than with the written score", "right", "echo", "written score"),
        Claim("the written score ties where the echo does not", "ties", "echo", "written score", more=False),
        Claim("it is the picture that makes the difference", "agreement", "echo", "echo without picture"),
    ),
    measure=measure,
    limits=(
        "the generator is a table, not a flow model: it shows what the reward says, not how it is learned.",
        "the written score is composed of the model's own list of objects, since so small a model writes no ratings.",
        "captions are in the wording that the judge was taught, as the paper's are written by its judge's family.",
    ),
)
