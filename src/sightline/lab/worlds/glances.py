"""Questions whose answer follows from a few facts of a picture, or can be guessed, and a policy of a few numbers.

The policy sees a fact with a chance that one skill for every kind of fact decides, and either looks and concludes, or
guesses. It writes real replies, so that rewards read texts; skills and habits are shared by all questions, so what is
learned shows on questions it has not met. Knows no rewards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FACTS, KINDS, VALUES = 3, 6, 9


def sigmoid(value: Array) -> Array:
    """1 / (1 + exp(-value)).

    >>> sigmoid(np.zeros(1))
    array([0.5])
    """
    return np.asarray(1.0 / (1.0 + np.exp(-value)))


@dataclass(frozen=True)
class Questions:
    """N questions on pictures.

    Args:
        kinds: (N, FACTS) the kind of each fact that a question rests on.
        hard: (N, FACTS) how hard it is to see, in log-odds.
        facts: (N, FACTS) the true values 1..VALUES; the answer is the number that their digits make.
        lucky: (N,) whether the answer that suggests itself is the right one.
    """

    kinds: NDArray[np.int64]
    hard: Array
    facts: NDArray[np.int64]
    lucky: NDArray[np.bool_]

    @classmethod
    def drawn(cls, size: int, guessable: float, spread: float, rng: np.random.Generator) -> Questions:
        """`size` questions, a share `guessable` of which has its answer suggest itself."""
        kinds = np.array([rng.choice(KINDS, FACTS, replace=False) for _ in range(size)])
        hard = rng.normal(0.0, spread, (size, 1)) + rng.normal(0.0, spread / 2, (size, FACTS))
        return cls(kinds, hard, rng.integers(1, VALUES + 1, (size, FACTS)), rng.random(size) < guessable)

    def key(self, question: int) -> str:
        """The right answers of the checklist."""
        return "".join(f"<a{n}>{value}</a{n}>" for n, value in enumerate(self.facts[question], 1))

    def answer(self, question: int) -> str:
        """The right answer."""
        return "".join(map(str, self.facts[question]))


class Reply(NamedTuple):
    """A reply, and the choices it came from: which facts were seen right, and whether it looked (NaN: no choice)."""

    question: int
    seen: NDArray[np.bool_]
    looked: float
    text: str


@dataclass
class Glancer:
    """A policy: skills in seeing, and a habit of looking.

    Args:
        skill: (KINDS,) log-odds of seeing a fact of a kind right.
        habit: log-odds of looking instead of guessing.
        sense: how much the habit minds what is well seen: log-odds per log-odds of seeing the question's facts.
    """

    skill: Array = field(default_factory=lambda: np.full(KINDS, -0.5))
    habit: float = 0.0
    sense: float = 0.0

    def sees(self, asked: Questions) -> Array:
        """(N, FACTS) chance of seeing each fact right."""
        return sigmoid(self.skill[asked.kinds] - asked.hard)

    def looks(self, asked: Questions) -> Array:
        """(N,) chance of looking."""
        return sigmoid(self.habit + self.sense * self._clear(asked))

    def _clear(self, asked: Questions) -> Array:
        return np.asarray((self.skill[asked.kinds] - asked.hard).mean(1))

    def reply(self, asked: Questions, question: int, rng: np.random.Generator) -> Reply:
        """A reasoning reply: what was looked at and concluded, or guessed."""
        seen = rng.random(FACTS) < self.sees(asked)[question]
        looked = bool(rng.random() < self.looks(asked)[question])
        said = values(asked, question, seen if looked else np.full(FACTS, asked.lucky[question]))
        thought = f"I see {', '.join(map(str, said))}." if looked else "It is usually so."
        text = f"<think>{thought}</think> \\boxed{{{''.join(map(str, said))}}}"
        return Reply(question, seen & looked, float(looked), text)

    def glance(self, asked: Questions, question: int, rng: np.random.Generator) -> Reply:
        """A reply to the checklist, for which it always looks."""
        seen = rng.random(FACTS) < self.sees(asked)[question]
        blocks = [f"<a{n}>{value}</a{n}>" for n, value in enumerate(values(asked, question, seen), 1)]
        return Reply(question, seen, np.nan, "".join(blocks))

    def learn(self, asked: Questions, replies: Sequence[Reply], steps: Array) -> None:
        """One policy-gradient step on all replies, `steps` (B,) long: rate times advantage."""
        at = np.array([reply.question for reply in replies])
        seen = np.array([reply.seen for reply in replies])
        looked = np.array([reply.looked for reply in replies])
        chosen = ~np.isnan(looked)
        saw = np.where(chosen, looked, 1.0)  # a guess teaches nothing about seeing
        pull_BF = (steps * saw)[:, None] * (seen - self.sees(asked)[at])
        habit = np.where(chosen, steps * (looked - self.looks(asked)[at]), 0.0)
        clear = self._clear(asked)[at]
        np.add.at(self.skill, asked.kinds[at], pull_BF)
        self.habit += float(habit.sum())
        self.sense += float((habit * clear).sum())


def values(asked: Questions, question: int, right: NDArray[np.bool_]) -> list[int]:
    """The facts as they are told: one off where they were not seen right.

    >>> one = Questions(np.zeros((1, 3), int), np.zeros((1, 3)), np.array([[1, 9, 4]]), np.array([True]))
    >>> values(one, 0, np.array([True, False, True]))
    [1, 1, 4]
    """
    return [int(v) if ok else int(v) % VALUES + 1 for v, ok in zip(asked.facts[question], right, strict=True)]


def figures(policy: Glancer, asked: Questions) -> dict[str, float]:
    """Expected shares over questions: right answers, facts seen, and of the right answers the lucky and guessed."""
    sees, looks = policy.sees(asked), policy.looks(asked)
    concluded, guessed = looks * sees.prod(1), (1 - looks) * asked.lucky
    right = concluded + guessed
    blind = (1 - sees).prod(1)  # a whole checklist wrong
    return {
        "accuracy": float(right.mean()),
        "seen": float(sees.mean()),
        "lucky": float((right * blind).sum() / right.sum()),
        "guessed": float(guessed.sum() / right.sum()),
    }


def row(asked: Questions, reply: Reply, side: str, pair: int) -> dict[str, Any]:
    """A reply as a rollout."""
    known = {"answer": asked.answer(reply.question), "probe_answer": asked.key(reply.question)}
    return {"completion": reply.text, "side": side, "pair": pair, "group": reply.question, **known}
