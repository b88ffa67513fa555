"""Rewards for the way of answering that a policy announces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores
from sightline.parse.strategy import StrategyToken
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.reward import Reward

_TEXTS = ("<CODE> x", "I go <DIRECT>, not <CODE>", "<code>", "")


@dataclass(frozen=True)
class UsesStrategy(Reward):
    """Whether the policy announces one strategy.

    value = 1 if the first strategy token of the completion is `name`, else 0

    Args:
        name: the strategy.
        token: text -> strategy or Missing.

    Range: 0 or 1.

    Example:
        >>> UsesStrategy("CODE")(Batch(["<CODE> a", "<DIRECT> b", "c"])).values
        array([1., 0., 0.])
    """

    name: str
    token: StrategyToken = StrategyToken()

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls("CODE"), [{"completion": text} for text in _TEXTS]

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(self.token)
        why = [one.why if isinstance(one, Missing) else f"announces {one}" for one in found]
        return Scores.of(np.array([float(one == self.name) for one in found]), why)


@dataclass(frozen=True)
class RightStrategy(GoldReward):
    """Whether the policy announces the strategy that suits the question.

    value = 1 if the first strategy token is the row's label, else 0

    Args:
        token: text -> strategy or Missing.
        column: the label, one of the token's names.

    Reads: `column`. Range: 0 or 1. Low: no token, or the other one. Marks: the token.

    Raises:
        ColumnError: a label is no strategy.

    Example:
        >>> RightStrategy()(Batch(["<CODE> a", "<DIRECT> b", "c"], {"label": ["CODE"] * 3})).values
        array([1., 0., 0.])

    References:
        Visual Programmability, arXiv 2509.09286, decision reward.
    """

    token: StrategyToken = StrategyToken()
    column: str = "label"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": text, "label": label} for text in _TEXTS for label in ("CODE", "DIRECT")]

    def right(self, batch: Batch) -> list[str]:
        return gold(batch, self.column, type(self).__name__, self._label)

    def score(self, batch: Batch) -> Scores:
        labels = self.right(batch)
        found = batch.parse(self.token.span)
        rows = []
        for span, label in zip(found, labels, strict=True):
            if isinstance(span, Missing):
                rows.append(Score(0.0, span.why))
                continue
            value = float(span.text == f"<{label}>")
            why = "" if value else f"{span.text} where <{label}> suits"
            rows.append(Score(value, why, (Mark("char", (span.start, span.end), value, why),)))
        return Scores.from_rows(rows)

    def _label(self, value: Any) -> str | Missing:
        return value if value in self.token.names else Missing(f"it needs one of {list(self.token.names)}")
