"""Does a semantic reward on the scale of its own history teach what the raw one, crowded near .85, does not?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.bench.collapse import collapse
from sightline.core.scores import Scores
from sightline.credit import Credit, GroupRelative
from sightline.credit.recent_scale import Recent, RecentScale
from sightline.lab.experiment import Claim, Experiment
from sightline.lab.worlds.crowded import Course, CrowdedAnswers, Floats, Learning, Parts
from sightline.metrics.recent_scores import QuantileSigmoid, RankAmong, Rescale

PLAIN, RUNS = GroupRelative(eps=1e-6), 6


@dataclass(frozen=True)
class Weighed:
    """A weighted sum of the two parts."""

    text: float
    similarity: float

    def __call__(self, parts: Parts) -> Floats:
        return self.text * parts["text"] + self.similarity * parts["similarity"]


def as_seen(rule: Credit, scores: Scores, state: Any) -> Floats:
    """The rewards that a rule turns into advantages."""
    if not isinstance(rule, RecentScale):
        return scores.values
    past = Recent() if state is None else state
    raw = scores.parts["similarity"].values
    return rule.rescaled(scores.values, raw, raw, past.history)


def _scaled(to: Rescale, text: float = 1.0) -> Learning:
    return Learning(Weighed(text, 1.0), RecentScale("similarity", "similarity", to=to, within=PLAIN), as_seen)


def _raw(text: float, similarity: float) -> Learning:
    return Learning(Weighed(text, similarity), PLAIN, as_seen)


LEARNERS = {
    "text": _raw(1.0, 0.0),
    "text + raw": _raw(1.0, 1.0),
    "text + adaptive": _scaled(QuantileSigmoid()),
    "text + ranks": _scaled(RankAmong()),
    "text + 15 x raw": _raw(1.0, 15.0),
    "raw alone": _raw(0.0, 1.0),
    "adaptive alone": _scaled(QuantileSigmoid(), text=0.0),
}
ARMS = {
    "text": "word overlap alone",
    "text + raw": "word overlap plus the raw similarity",
    "text + adaptive": "word overlap plus the similarity on the scale of its history",
    "text + ranks": "word overlap plus the rank of the similarity in its history",
    "text + 15 x raw": "a fixed weight that makes the raw term as wide: what a map without history could do",
    "raw alone": "the raw similarity alone",
    "adaptive alone": "the mapped similarity alone",
}
FIGURES = {
    "quality": "exact mean quality of what the policy answers at the end",
    "group std": "standard deviation of the rewards of a group, mean over the last 50 steps",
    "term std": "standard deviation of the semantic term in a batch, mean over steps 10 to 60",
    "reordered": "share of pairs of a group that the reward orders otherwise than word overlap, steps 10 to 60",
    "auc": "of the semantic term for answers of quality above .5, steps 10 to 60",
    "drift": "mean of the semantic term in the last 20 steps minus that in steps 10 to 30",
    "raw drift": "the same of the raw similarity",
}


def measure(arm: str, seed: int) -> dict[str, float]:
    """Means over runs in worlds of their own."""
    runs = [_run(arm, 100 * seed + run) for run in range(RUNS)]
    return {name: float(np.mean([run[name] for run in runs])) for name in FIGURES}


def _run(arm: str, seed: int) -> dict[str, float]:
    world, learner = CrowdedAnswers(seed), LEARNERS[arm]
    course = learner(world, seed)
    terms = _terms(course, learner)
    early = range(10, 60)
    spreads = [collapse(course.batches[k][0]["similarity"], terms[k], right=_good(world, course, k)) for k in early]
    return {
        "quality": course.quality(world),
        "group std": float(np.mean([_group_std(course, k) for k in range(-50, 0)])),
        "term std": float(np.mean([found.mapped.std for found in spreads])),
        "reordered": float(np.mean([_reordered(course, k) for k in early])),
        "auc": float(np.nanmean([found.mapped.auc for found in spreads])),
        "drift": _change(terms),
        "raw drift": _change([parts["similarity"] for parts, _ in course.batches]),
    }


def _terms(course: Course, learner: Learning) -> list[Floats]:
    """The semantic term of every step, as it stood in the reward."""
    weighed = learner.weigh
    text = weighed.text if isinstance(weighed, Weighed) else 1.0
    return [total - text * parts["text"] for total, (parts, _) in zip(course.totals, course.batches, strict=True)]


def _change(terms: list[Floats]) -> float:
    return float(np.mean([term.mean() for term in terms[-20:]]) - np.mean([term.mean() for term in terms[10:30]]))


def _good(world: CrowdedAnswers, course: Course, step: int) -> NDArray[np.bool_]:
    parts, drawn = course.batches[step]
    which = (world.similarity[drawn] == parts["similarity"][:, None]).argmax(axis=1)
    return np.asarray(world.quality[drawn, which] > 0.5)


def _group_std(course: Course, step: int) -> float:
    total, (_, drawn) = course.totals[step], course.batches[step]
    return float(np.mean([total[drawn == one].std() for one in np.unique(drawn)]))


def _reordered(course: Course, step: int) -> float:
    """Of the pairs of a group that word overlap tells apart."""
    total, (parts, drawn) = course.totals[step], course.batches[step]
    by_text = np.sign(parts["text"][:, None] - parts["text"][None, :])
    by_total = np.sign(np.round(total[:, None] - total[None, :], 12))
    pairs = (drawn[:, None] == drawn[None, :]) & (by_text > 0)
    return float((by_total[pairs] < 0).mean()) if pairs.any() else 0.0


EXPERIMENT = Experiment(
    slug="armed",
    question="Does mapping a crowded semantic reward against its own history make it count beside a text reward?",
    setting=(
        "32 questions with 12 candidate answers; similarities lie within .04 of .85; a softmax policy in a table, "
        "150 steps of 8 questions x 8 samples, GRPO with deviation 1e-6; means over 6 worlds per seed."
    ),
    arms=ARMS,
    figures=FIGURES,
    claims=(
        Claim("text and raw similarity are better than text alone", "quality", "text + raw", "text"),
        Claim("the adaptive term is better than the raw one", "quality", "text + adaptive", "text + raw"),
        Claim("the adaptive term reorders more answers than the raw one", "reordered", "text + adaptive", "text + raw"),
        Claim("the rewards of a group spread more", "group std", "text + adaptive", "text + raw"),
        Claim("alone, the map changes what is learned", "quality", "adaptive alone", "raw alone"),
        Claim(
            "the adaptive term is better than a fixed larger weight", "quality", "text + adaptive", "text + 15 x raw"
        ),
    ),
    measure=measure,
    limits=(
        "answers are entries of a table, not texts, and the encoder's noise is drawn, not a model's",
        "how much word overlap errs was chosen, not measured: beside a text reward that is right nothing is won",
        "dividing by the deviation cancels affine maps of a single reward: the fifth difference is expected near 0",
    ),
)
