"""Which rows of the data a reward is for, by the name of their source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.scores import Scores
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class FromSource(Reward):
    """Whether a row's source has one word in its name and lacks another: a gate.

    value = 1 if `holds` is in the name and `lacks` is not, else 0

    Args:
        holds: "" is in every name.
        lacks: "" for none.
        column: the name of the source.

    Reads: `column`. Range: 0 or 1.

    Raises:
        ColumnError: a source is not a text.

    Example:
        >>> sources = {"data_source": ["vstar_attr", "vstar_test", "chartqa"]}
        >>> FromSource("vstar", lacks="test")(Batch([""] * 3, sources)).values
        array([1., 0., 0.])
    """

    holds: str = ""
    lacks: str = ""
    column: str = "data_source"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls("a", "b"), [{"completion": "x", "data_source": name} for name in ("a", "ab", "c")]

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for row, name in enumerate(batch.column(self.column)):
            if not isinstance(name, str):
                raise ColumnError(f"FromSource: column `{self.column}` of row {row} is {name!r:.60}; it needs a text")

    def score(self, batch: Batch) -> Scores:
        names = batch.column(self.column, type(self).__name__)
        inside = [self.holds in name and not (self.lacks and self.lacks in name) for name in names]
        return Scores.of(np.array(inside, dtype=np.float64), [f"source {name[:40]!r}" for name in names])
