"""A reward on the scale of the scores of earlier batches, which the caller passes in as a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.scores import Scores
from sightline.metrics.recent_scores import QuantileSigmoid, Rescale
from sightline.rewards.algebra import Unary
from sightline.rewards.evaluation import Evaluation
from sightline.rewards.reward import Range, Reward


@dataclass(frozen=True)
class OnRecentScale(Unary):
    """A reward as a map sees it against the scores of earlier batches.

    value = to(s, H),  s the reward, H the row's list in `column`; s where there is no list

    Nothing is remembered here. In training the history is the state of the credit rule (`credit.recent_scale`); with
    the column, scores of any moment can be had again.

    Args:
        of: the reward that is put on the scale.
        to: (scores, history) -> scores.
        column: earlier scores, a list of numbers, the same one in all rows of a batch; None: none yet.

    Reads: `column`, if it is there. Range: 0..1 and that of the reward. NaN: where the reward is.

    Raises:
        ColumnError: a history is not a list of finite numbers.

    Example:
        >>> from sightline.rewards.answers import Answer, rouge_mean
        >>> said, seen = ["<answer>a red ball</answer>"], [0.7, 0.8, 0.9]
        >>> reward = OnRecentScale(Answer(rouge_mean), QuantileSigmoid(least=3))
        >>> batch = Batch(said, {"answer": ["a red cube"], "recent_scores": [seen]})
        >>> reward(batch).values.round(3), reward.of(batch).values.round(3)
        (array([0.006]), array([0.611]))

    References:
        Breaking Reward Collapse (ARMed), arXiv 2508.12957.
    """

    to: Rescale = QuantileSigmoid()
    column: str = "recent_scores"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        from sightline.rewards.answers import Answer, rouge_mean

        said = ("<answer>a red ball</answer>", "<answer>a ball</answer>", "a ball")
        rows = [{"completion": text, "answer": "a red cube", "recent_scores": [0.2, 0.3, 0.7]} for text in said]
        return cls(Answer(rouge_mean), QuantileSigmoid(least=3)), [*rows, {**rows[0], "recent_scores": None}]

    def uses(self) -> tuple[str, ...]:
        return (self.column,)

    def bounds(self) -> Range:
        low, high = self.of.bounds()
        return min(0.0, low), max(1.0, high)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        seen: set[int] = set()
        for row, value in enumerate(batch.column(self.column) if batch.has(self.column) else ()):
            if value is None or id(value) in seen:
                continue
            seen.add(id(value))
            if not _is_history(value):
                raise ColumnError(
                    f"{type(self).__name__}: column `{self.column}` of row {row} is {value!r:.60}; "
                    "it needs a list of finite numbers, or None"
                )

    def combine(self, evaluation: Evaluation, rows: NDArray[np.bool_]) -> Scores | None:
        found = evaluation.scores(self.of, rows)
        if found is None or not evaluation.batch.has(self.column):
            return found
        values = found.values.copy()
        for history, index in _by_history(evaluation.batch.column(self.column)):
            values[index] = self.to(found.values[index], history)
        return Scores(values, found.why, found.marks, found.parts)


def _by_history(column: Sequence[Any]) -> list[tuple[Any, list[int]]]:
    """Each history with the rows that share it; a batch holds the same object in every row."""
    rows: dict[int, tuple[Any, list[int]]] = {}
    for row, history in enumerate(column):
        if history is not None:
            rows.setdefault(id(history), (history, []))[1].append(row)
    return list(rows.values())


def _is_history(value: Any) -> bool:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence | np.ndarray):
        return False
    try:
        known = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return known.ndim == 1 and bool(np.isfinite(known).all())
