"""Questions in two phrasings as a table: what a policy knows of the answer, and what each phrasing tempts it to say.

A question has one right answer, some wrong ones, and the trivial "1" that is right for none. What is known belongs to
the question and is shared by both phrasings; temptations belong to one phrasing each. The leaning towards "1" is shared
by all questions: a policy that learns it anywhere has it everywhere. Knows no rewards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRIVIAL = 0
RIGHT = 1
Floats = NDArray[np.float64]


@dataclass
class Table:
    """A policy over the answers to Q questions in two phrasings.

    Args:
        questions: Q.
        wrong: wrong answers beside the trivial one.
        known: log-odds of the right answer over a wrong one before temptations.
        tempted: standard deviation of the temptations of one phrasing towards wrong answers.
        confusing: share of phrasings, each drawn for itself, that invite the trivial answer.
        invited: log-odds by which they do.
        seed: of the temptations.
    """

    questions: int = 120
    wrong: int = 4
    known: float = 1.0
    tempted: float = 0.7
    confusing: float = 0.4
    invited: float = 1.5
    seed: int = 0
    knowledge: Floats = field(init=False)
    temptation: Floats = field(init=False)
    leaning: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        answers = 2 + self.wrong
        rng = np.random.default_rng([self.seed, 11])
        self.knowledge = np.zeros((self.questions, answers))
        self.knowledge[:, RIGHT] = self.known
        self.temptation = rng.normal(0, self.tempted, (self.questions, 2, answers))
        invites = rng.random((self.questions, 2)) < self.confusing
        self.temptation[..., TRIVIAL] = np.where(invites, self.invited, -self.invited)

    def chances(self) -> Floats:
        """(Q, 2, answers) probabilities of every answer on either phrasing."""
        logits = self.knowledge[:, None, :] + self.temptation
        logits[..., TRIVIAL] += self.leaning
        odds: Floats = np.exp(logits - logits.max(-1, keepdims=True))
        return odds / odds.sum(-1, keepdims=True)

    def learn(
        self, question: int, side: int, answers: NDArray[np.int64], advantages: Floats, rate: float, shared: float
    ) -> None:
        """One policy-gradient step on replies to one phrasing: what is known of the question, and the leaning.

        Args:
            answers, advantages: (G,) of the replies.
            rate: of what is known.
            shared: of the leaning, which every question moves.
        """
        chance = self.chances_of(question, side)
        push = np.zeros(len(chance))
        np.add.at(push, answers, advantages)
        push = (push - chance * advantages.sum()) / len(answers)
        self.knowledge[question] += rate * push
        self.leaning += shared * float(push[TRIVIAL])

    def chances_of(self, question: int, side: int) -> Floats:
        """(answers,) probabilities on one phrasing."""
        logits = self.knowledge[question] + self.temptation[question, side]
        logits[TRIVIAL] += self.leaning
        odds: Floats = np.exp(logits - logits.max())
        return odds / odds.sum()

    def text(self, question: int, answer: int) -> str:
        """A reply: the answer in a box. The right and the wrong ones are numbers of this question."""
        return "\\boxed{1}" if answer == TRIVIAL else f"\\boxed{{{question * 10 + answer + 10}}}"

    def rows(self, question: int, picks: NDArray[np.int64]) -> list[dict[str, Any]]:
        """Replies (2, G) to both phrasings as rollouts of one group."""
        return [
            {"completion": self.text(question, int(answer)), "side": name, "group": question}
            for side, name in enumerate(("original", "rephrased"))
            for answer in picks[side]
        ]
