"""What is served: a reward, and bodies of requests to bodies of answers. Knows nothing of HTTP or asyncio."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, FrameError, MediaError, ShapeError
from sightline.core.scores import Scores
from sightline.rewards.reward import JudgedReward, Reward
from sightline.serve.bodies import decoded, encoded
from sightline.serve.limits import Limits
from sightline.serve.openrlhf import answer_to_queries, batch_of_queries
from sightline.serve.refusal import Refusal, wrong
from sightline.serve.requests import answer_of, batch_of

log = logging.getLogger("sightline.serve")
SCORE, OPENRLHF = "/score", "/openrlhf"


@dataclass(frozen=True)
class Task:
    """One request's body: for which route, in which format, and in which format the answer goes."""

    route: str
    body: bytes
    kind: str
    answer_kind: str


@dataclass(frozen=True)
class Answer:
    """The body of an answer, and what is counted of it: seconds of scoring, rollouts by outcome."""

    body: bytes
    seconds: float
    scored: int
    nothing_to_judge: int
    failed: int


@dataclass(frozen=True)
class Service:
    """A reward behind a door; a value, so that other processes can serve it too.

    Args:
        reward: what every request is scored with.
        name: what callers are told it is.
        limits: what is taken on.
        root: the folder below which paths of media may lead; None: no path is accepted.
        constants: (column, value) for rows that lack the column.
        label: the column that labels of the OpenRLHF protocol fill; empty: the only column that the reward needs.
    """

    reward: Reward
    name: str = "reward"
    limits: Limits = field(default_factory=Limits)
    root: Path | None = None
    constants: tuple[tuple[str, Any], ...] = ()
    label: str = ""

    @property
    def judged(self) -> bool:
        """Whether some part asks a judge."""
        return any(isinstance(node, JudgedReward) for node in self.reward.walk())

    @cached_property
    def needs(self) -> list[str]:
        """Columns that a row must have: those that the reward needs, less the constants."""
        given = {name for name, _ in self.constants}
        return sorted({name for node in self.reward.walk() for name in node.needs()} - given)

    @property
    def about(self) -> dict[str, Any]:
        """What `/` says."""
        uses = sorted({name for node in self.reward.walk() for name in node.uses()})
        compares = any(node.scope == "group" for node in self.reward.walk())
        low, high = self.reward.bounds()
        span = [value if value - value == 0 else None for value in (low, high)]
        return {
            "reward": self.name,
            "needs": self.needs,
            "may_use": uses,
            "range": span,
            "compares_groups": compares,
            "asks_a_judge": self.judged,
        }

    def answer(self, task: Task) -> Answer | Refusal:
        """The answer to one request, or why there is none. Raises nothing: one bad request must not end the others."""
        begun = time.perf_counter()
        try:
            body, scores = (self._openrlhf if task.route == OPENRLHF else self._score)(task)
        except Refusal as refusal:
            return refusal
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # a reward may call code that exits
            log.exception("answering failed")
            return Refusal(500, "scoring_failed", f"{type(error).__name__}: {error}")
        nothing, failed = int(scores.abstained.sum()), int(scores.errors.sum())
        return Answer(body, time.perf_counter() - begun, len(scores) - nothing - failed, nothing, failed)

    def _score(self, task: Task) -> tuple[bytes, Scores]:
        batch, marks = batch_of(decoded(task.body, task.kind, self.limits), self.limits, self.root, self.constants)
        scores = self._scores(batch)
        return encoded(answer_of(scores, marks), task.answer_kind), scores

    def _openrlhf(self, task: Task) -> tuple[bytes, Scores]:
        column = self.label or (self.needs[0] if len(self.needs) == 1 else "")
        batch = batch_of_queries(decoded(task.body, task.kind, self.limits), column, self.limits, self.constants)
        scores = self._scores(batch)
        return encoded(answer_to_queries(scores), task.answer_kind), scores

    def _scores(self, batch: Batch) -> Scores:
        try:
            return self.reward(batch)
        except (ColumnError, ShapeError, FrameError, MediaError) as error:  # the caller's data, named by the reward
            raise wrong(f"{error}") from error
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            log.exception("scoring failed on %r", batch)
            kinds = {name: type(values[0]).__name__ for name, values in list(batch.columns.items())[:20]}
            said = f"{type(error).__name__}: {str(error)[:300]}; columns were {kinds}"
            raise Refusal(500, "scoring_failed", said) from error
