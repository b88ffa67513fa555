"""Demonstrations as rollouts: the last place of every prompt's group is taken by a text from the data.

Knows tokens and places, no rewards: whether a demonstration deserves an advantage is said by the credit rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.core.errors import ColumnError, ConfigError, did_you_mean
from sightline.train.exchange import Layout


@dataclass(frozen=True)
class Injection:
    """Puts the text of a column in the place of the last rollout of every prompt.

    Args:
        column: the texts, in the form in which the policy writes; an empty one, or None, leaves the rollout as it is.
        tokenizer: the policy's.
    """

    column: str
    tokenizer: Any

    @classmethod
    def of(cls, credit: Any, tokenizer: Any, dataset: Any) -> Injection | None:
        """What a credit rule asks for by its field `injects`; None if by nothing.

        Raises:
            ColumnError: the data has no such column.
        """
        column = getattr(credit, "injects", None)
        if column is None:
            return None
        names = getattr(dataset, "column_names", None) or []
        if column not in names:
            who = type(credit).__name__
            raise ColumnError(f"{who} injects column `{column}`; the data has {names}.{did_you_mean(column, names)}")
        return cls(column, tokenizer)

    def labels(self, inputs: Sequence[Mapping[str, Any]], layout: Layout, rollouts: int) -> list[str | None]:
        """The text for each rollout of this process: of each prompt's `rollouts` the last has one, None for the others.

        Raises:
            ConfigError: a group of one has no rollout left.
        """
        if rollouts < 2:
            raise ConfigError("an injected label needs a group of at least 2: one rollout and the label")
        first = layout.local.start
        last = [(first + row) % rollouts == rollouts - 1 for row in range(layout.rows)]
        return [self._text(row) if place else None for row, place in zip(inputs, last, strict=True)]

    def injected(self, completion_ids: Sequence[Any], logprobs: Any, labels: Sequence[str | None]) -> tuple[Any, Any]:
        """Token ids of the rollouts with the labels in their places.

        Log-probabilities of the sampler are not known for a label: NaN, which TRL takes for a ratio of 1.
        """
        own = [None if text is None else self._ids(text) for text in labels]
        ids = [list(given) if label is None else label for given, label in zip(completion_ids, own, strict=True)]
        if logprobs is None:
            return ids, None
        rows = zip(logprobs, own, strict=True)
        return ids, [given if label is None else [float("nan")] * len(label) for given, label in rows]

    def log(
        self, metrics: Mapping[str, list[float]], advantages: NDArray[np.float64], injected: Sequence[bool]
    ) -> None:
        """How much the labels still teach: their mean advantage, and the share that is switched off."""
        mine = advantages[np.array(injected, dtype=bool)]
        metrics["label/advantage"].append(float(mine.mean()) if len(mine) else float("nan"))
        metrics["label/off"].append(float((mine == 0).mean()) if len(mine) else float("nan"))

    def _text(self, row: Mapping[str, Any]) -> str | None:
        text = row[self.column]
        if text is not None and not isinstance(text, str):
            raise ColumnError(f"column `{self.column}` is {text!r:.60}; an injected label is a text")
        return text or None

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return [*ids, self.tokenizer.eos_token_id]
