"""A log-linear policy that fills the slots of a text: the smallest policy that group-relative credit can train.

Each slot holds one of K words; slots are filled in order, logits are linear in what the policy sees of a row and in
what it has said of it. For studies of what a reward pays
for, where reading pictures is not the question: seconds instead of minutes, with the same rewards on the same text.

Axes: N rows, F features, K options of a slot, S slots.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.credit.credit import Credit
from sightline.rewards.reward import Reward

Row = dict[str, Any]
Rows = Sequence[Row]
Render = Callable[[Row, Sequence[str]], str]
See = Callable[[Row, Sequence[str]], np.ndarray]
Annotate = Callable[["Slots", Row], Row]


@dataclass
class Slots:
    """The policy.

    Args:
        options: the words of each slot.
        weights: per slot (F, K).
        see: row and the words of the slots before -> (F,) features.
        render: row and one word a slot -> completion.
    """

    options: tuple[tuple[str, ...], ...]
    weights: list[np.ndarray]
    see: See
    render: Render

    @classmethod
    def blank(cls, options: Sequence[Sequence[str]], features: int, see: See, render: Render):
        """A policy that chooses uniformly."""
        return cls(tuple(map(tuple, options)), [np.zeros((features, len(words))) for words in options], see, render)

    def probabilities(self, slot: int, seen_NF: np.ndarray) -> np.ndarray:
        """(N, K) of one slot."""
        logits = seen_NF @ self.weights[slot]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def choose(self, rows: Rows, rng: np.random.Generator | None) -> np.ndarray:
        """(N, S) option of every slot, sampled, or the most likely one without `rng`."""
        choice = np.zeros((len(rows), len(self.options)), dtype=int)
        for slot in range(len(self.options)):
            p_NK = self.probabilities(slot, self._seen(rows, choice, slot))
            if rng is None:
                choice[:, slot] = p_NK.argmax(axis=1)
            else:
                drawn = (p_NK.cumsum(axis=1) < rng.random((len(p_NK), 1))).sum(axis=1)
                choice[:, slot] = np.minimum(drawn, p_NK.shape[1] - 1)
        return choice

    def _seen(self, rows: Rows, choice_NS: np.ndarray, slot: int) -> np.ndarray:
        return np.array([self.see(row, self.words(c[:slot])) for row, c in zip(rows, choice_NS, strict=True)])

    def words(self, choice_S: np.ndarray) -> list[str]:
        """The words of the first slots."""
        return [words[int(i)] for words, i in zip(self.options, choice_S, strict=False)]

    def say(self, rows: Rows, rng: np.random.Generator | None = None) -> list[str]:
        """One completion a row."""
        return [self.render(row, self.words(c)) for row, c in zip(rows, self.choose(rows, rng), strict=True)]

    def push(self, rows: Rows, choice_NS: np.ndarray, weight_N: np.ndarray, rate: float) -> None:
        """One step up the mean of weight * log-probability."""
        for slot in range(len(self.options)):
            seen = self._seen(rows, choice_NS, slot)
            p_NK = self.probabilities(slot, seen)
            pull = np.eye(p_NK.shape[1])[choice_NS[:, slot]] - p_NK
            self.weights[slot] += rate * seen.T @ (pull * weight_N[:, None]) / len(rows)

    def imitate(self, rows: Rows, words: Sequence[Sequence[str]], steps: int, rate: float = 1.0) -> None:
        """Supervised cold start on demonstrations, one word a slot and row."""
        choice = np.array([[o.index(w) for o, w in zip(self.options, said, strict=True)] for said in words])
        for _ in range(steps):
            self.push(rows, choice, np.ones(len(rows)), rate)


def reinforce(
    policy: Slots,
    reward: Reward,
    credit: Credit,
    rows: Rows,
    rng: np.random.Generator,
    steps: int,
    prompts: int = 16,
    group: int = 8,
    rate: float = 1.0,
    annotate: Annotate | None = None,
) -> list[float]:
    """Train a policy in place; returns the mean reward of every step.

    Args:
        annotate: adds columns that depend on the policy as it is, such as its chain on another view of the row.
    """
    curve = []
    for step in range(steps):
        drawn = [rows[i] for i in rng.choice(len(rows), prompts, replace=len(rows) < prompts)]
        asked = drawn if annotate is None else [annotate(policy, row) for row in drawn]
        repeated = [row for row in asked for _ in range(group)]
        choice = policy.choose(repeated, rng)
        said = [policy.render(row, policy.words(c)) for row, c in zip(repeated, choice, strict=True)]
        table = [
            {**row, "completion": text, "group": i // group}
            for i, (row, text) in enumerate(zip(repeated, said, strict=True))
        ]
        batch = Batch.from_rows(table, step=step)
        scores = reward(batch)
        advantages, _ = credit.assign(scores, batch)
        policy.push(repeated, choice, advantages, rate)
        curve.append(float(np.nanmean(scores.values)))
    return curve
