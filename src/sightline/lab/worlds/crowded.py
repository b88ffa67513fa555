"""Questions with candidate answers whose similarity to the reference is crowded into a narrow band, and a table policy.

Every candidate has a quality in [0, 1]. Word overlap sees it poorly: a right paraphrase shares few words, a wrong near
copy many. The encoder sees it well, but on a scale of a few hundredths about .85. Axes: Q questions, K candidates,
G samples of one question, B = questions of a step times G.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.credit.credit import Credit

Floats = NDArray[np.float64]
Parts = dict[str, Floats]


@dataclass(frozen=True)
class CrowdedAnswers:
    """Quality, word overlap and encoder similarity of every candidate.

    quality ~ U(0, 1);  text = clip(.3 quality + .3 noise, 0, 1);  similarity = .85 + .06 (quality - .5) + .006 noise

    Args:
        seed: of the draw.
        questions, candidates: Q and K.
    """

    seed: int = 0
    questions: int = 32
    candidates: int = 12

    @cached_property
    def quality(self) -> Floats:
        return np.random.default_rng([self.seed, 0]).random((self.questions, self.candidates))

    @cached_property
    def text(self) -> Floats:
        noise = np.random.default_rng([self.seed, 1]).normal(size=self.quality.shape)
        return np.clip(0.3 * self.quality + 0.3 * noise, 0.0, 1.0)

    @cached_property
    def similarity(self) -> Floats:
        noise = np.random.default_rng([self.seed, 2]).normal(size=self.quality.shape)
        return 0.85 + 0.06 * (self.quality - 0.5) + 0.006 * noise


@dataclass(frozen=True, eq=False)
class Course:
    """How learning went.

    Args:
        logits: (Q, K) at the end.
        totals: per step, (B,) rewards as the credit rule saw them, mapped.
        batches: per step, the parts (B,), raw, and the group numbers.
    """

    logits: Floats
    totals: list[Floats]
    batches: list[tuple[Parts, NDArray[np.int64]]]

    def quality(self, world: CrowdedAnswers) -> float:
        """Exact mean quality of the policy."""
        return float((softmax(self.logits) * world.quality).sum(axis=1).mean())


@dataclass(frozen=True)
class Learning:
    """Group-relative ascent of a softmax policy in a table.

    Args:
        weigh: parts (text, similarity) -> reward of each sample, before any map.
        credit: the rule, which may keep a state.
        mapped: (rule, scores, state) -> the rewards that it makes advantages of.
        steps, asked, group, rate: steps, questions a step, samples a question, step size.
    """

    weigh: Callable[[Parts], Floats]
    credit: Credit
    mapped: Callable[[Credit, Scores, Any], Floats]
    steps: int = 150
    asked: int = 8
    group: int = 8
    rate: float = 0.3

    def __call__(self, world: CrowdedAnswers, seed: int) -> Course:
        rng = np.random.default_rng([seed, 3])
        logits, state = np.zeros(world.quality.shape), None
        totals: list[Floats] = []
        batches: list[tuple[Parts, NDArray[np.int64]]] = []
        for _ in range(self.steps):
            drawn = np.repeat(rng.choice(world.questions, self.asked, replace=False), self.group)
            policy = softmax(logits)[drawn]
            said = (rng.random(len(drawn))[:, None] > policy.cumsum(axis=1)).sum(axis=1).clip(max=world.candidates - 1)
            parts = {"text": world.text[drawn, said], "similarity": world.similarity[drawn, said]}
            total = Scores.of(self.weigh(parts))
            scores = Scores(total.values, total.why, total.marks, {k: Scores.of(v) for k, v in parts.items()})
            totals.append(self.mapped(self.credit, scores, state))
            batches.append((parts, drawn))
            advantage, state = self.credit.assign(scores, Batch([""] * len(drawn), group=drawn), state=state)
            np.add.at(logits, drawn, -self.rate * advantage[:, None] * policy / self.group)
            np.add.at(logits, (drawn, said), self.rate * advantage / self.group)
        return Course(logits, totals, batches)


def softmax(logits: Floats) -> Floats:
    """Probabilities along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
