"""What is served: a reward, and bodies of requests to bodies of answers. Knows nothing of HTTP or asyncio."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, FrameError, MediaError, ShapeError
from sightline.core.scores import Scores
from sightline.rewards.reward import JudgedReward, Reward
from sightline.serve.bodies import decoded, encoded
from sightline.serve.gauges import Gauges
from sightline.serve.limits import Limits
from sightline.serve.openrlhf import answer_to_queries, batch_of_queries
from sightline.serve.refusal import Refusal, wrong
from sightline.serve.requests import answer_of, batch_of

log = logging.getLogger("sightline.serve")


@dataclass(frozen=True)
class Service:
    """A reward behind a door.

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

    @property
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

    def score(self, body: bytes, kind: str, answer_kind: str, gauges: Gauges) -> bytes:
        """The body of the answer to a `/score` request.

        Raises:
            Refusal: with the status to send.
        """
        batch, marks = batch_of(decoded(body, kind, self.limits), self.limits, self.root, self.constants)
        scores = self._scores(batch, gauges)
        return encoded(answer_of(scores, marks), answer_kind)

    def openrlhf(self, body: bytes, kind: str, answer_kind: str, gauges: Gauges) -> bytes:
        """The body of the answer to a request in OpenRLHF's protocol.

        Raises:
            Refusal: with the status to send.
        """
        needed = self.needs
        column = self.label or (needed[0] if len(needed) == 1 else "")
        batch = batch_of_queries(decoded(body, kind, self.limits), column, self.limits, self.constants)
        return encoded(answer_to_queries(self._scores(batch, gauges)), answer_kind)

    def _scores(self, batch: Batch, gauges: Gauges) -> Scores:
        begun = time.perf_counter()
        try:
            scores = self.reward(batch)
        except (ColumnError, ShapeError, FrameError, MediaError) as error:  # the caller's data, named by the reward
            raise wrong(f"{error}") from error
        except Exception as error:  # one bad request must not end the others; the log has the trace
            raise self._unscorable(error, batch) from error
        gauges.scoring.observe(time.perf_counter() - begun)
        gauges.scored(scores)
        return scores

    def _unscorable(self, error: Exception, batch: Batch) -> Refusal:
        log.exception("scoring failed on %r", batch)
        kinds = {name: type(values[0]).__name__ for name, values in list(batch.columns.items())[:20]}
        return Refusal(500, "scoring_failed", f"{type(error).__name__}: {str(error)[:300]}; columns were {kinds}")


Route = Callable[[bytes, str, str, Gauges], bytes]
