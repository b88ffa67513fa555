"""Rewards for how long a completion is, in tokens.

The number of tokens is a column, `completion_tokens`: only the trainer or a tokenizer knows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.marks import NoMarks
from sightline.core.scores import Scores, Values
from sightline.rewards.algebra import Node, Rows
from sightline.rewards.reward import Range, Reward

if TYPE_CHECKING:
    from sightline.rewards.evaluation import Evaluation

COLUMN = "completion_tokens"


@dataclass(frozen=True)
class TokensWithin(Reward):
    """Whether the completion has a length inside a window.

    value = 1 if low <= tokens <= high, else 0

    Args:
        low, high: both ends included, in tokens.

    Reads: `completion_tokens`. Range: 0 or 1.

    Example:
        >>> TokensWithin(320, 512)(Batch(["a"] * 3, {"completion_tokens": [320, 512, 513]})).values
        array([1., 1., 0.])
    """

    low: int
    high: int
    reads: ClassVar = (COLUMN,)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(2, 4), [{"completion": "a", "completion_tokens": tokens} for tokens in (1, 2, 4, 5)]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        token_counts(batch, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        tokens = token_counts(batch, type(self).__name__)
        inside = (tokens >= self.low) & (tokens <= self.high)
        why = [f"{n:.0f} tokens, wanted {self.low}..{self.high}" for n in tokens]
        return Scores.of(inside.astype(np.float64), why)


@dataclass(frozen=True)
class CosineLength(Node):
    """Short right answers earn most, long wrong answers lose least: a cosine of the length.

    R = a + (b - a) * (1 - cos(pi * L / Lmax)) / 2,  (a, b) = `right` where `correct`, else `wrong`

    Args:
        correct: whose values say which answers are right.
        at_least: an answer is right from this value on.
        right, wrong: reward at length 0 and at `limit`.
        limit: Lmax in tokens.
        clamp: longer completions count as `limit`; without it the cosine turns round again.

    Reads: `completion_tokens`, and what `correct` reads. Range: that of the numbers in `right` and `wrong`.
    NaN where `correct` is.

    Example:
        >>> from sightline.rewards import Constant
        >>> CosineLength(Constant(1.0))(Batch(["a"] * 3, {"completion_tokens": [0, 256, 1024]})).values.round(6)
        array([1.      , 0.926777, 0.5     ])

    References:
        Yeo et al., Demystifying long chain-of-thought reasoning, arXiv 2502.03373.
    """

    correct: Reward
    at_least: float = 0.7
    right: tuple[float, float] = (1.0, 0.5)
    wrong: tuple[float, float] = (-0.5, 0.0)
    limit: int = 1024
    clamp: bool = True
    reads: ClassVar = (COLUMN,)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        from sightline.rewards.format import Format

        form, rows = Format.specimen()
        return cls(form), [{**row, COLUMN: tokens} for row in rows for tokens in (0, 300, 5000)]

    def bounds(self) -> Range:
        ends = (*self.right, *self.wrong)
        return min(ends), max(ends)

    def children(self) -> tuple[Reward, ...]:
        return (self.correct,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        token_counts(batch, type(self).__name__)

    def combine(self, evaluation: Evaluation, rows: Rows) -> Scores | None:
        correct = evaluation.scores(self.correct, rows)
        if correct is None:
            return None
        tokens = token_counts(evaluation.batch, type(self).__name__)
        length = np.minimum(tokens, self.limit) if self.clamp else tokens
        is_right, unknown = correct.values >= self.at_least, np.isnan(correct.values)
        start = np.where(is_right, self.right[0], self.wrong[0])
        end = np.where(is_right, self.right[1], self.wrong[1])
        values = start + (end - start) * (1 - np.cos(np.pi * length / self.limit)) / 2
        says = [f"{'right' if r else 'wrong'}, {n:.0f} tokens" for r, n in zip(is_right, tokens, strict=True)]
        why = [correct.why[i] if unknown[i] else says[i] for i in range(len(says))]
        return Scores(np.where(unknown, np.nan, values), why, NoMarks(len(why)), correct.parts)


@dataclass(frozen=True)
class OverlongPenalty(Reward):
    """A penalty that sets in softly before the length limit.

    0 if n <= limit - cache;  ((limit - cache) - n) / cache up to the limit;  -1 beyond

    Args:
        limit: longest allowed completion, in tokens.
        cache: width of the soft zone, in tokens.

    Reads: `completion_tokens`. Range: -1..0.

    Example:
        >>> OverlongPenalty(100, 20)(Batch(["a"] * 4, {"completion_tokens": [80, 81, 90, 101]})).values
        array([ 0.  , -0.05, -0.5 , -1.  ])

    References:
        Yu et al., DAPO, arXiv 2503.14476, eq. 13.
    """

    limit: int
    cache: int
    reads: ClassVar = (COLUMN,)
    range: ClassVar[Range] = (-1.0, 0.0)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(10, 4), [{"completion": "a", COLUMN: tokens} for tokens in (0, 6, 8, 10, 11, 10_000)]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        token_counts(batch, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        tokens = token_counts(batch, type(self).__name__)
        free = self.limit - self.cache
        values = np.clip((free - tokens) / self.cache, -1.0, 0.0)
        return Scores.of(values + 0.0, [f"{n:.0f} tokens, free up to {free}" if n > free else "" for n in tokens])


def token_counts(batch: Batch, who: str, column: str = COLUMN) -> Values:
    """(B,) tokens of each completion.

    Raises:
        ColumnError: a value is not a number of tokens.
    """
    given = batch.column(column, who)
    for row, value in enumerate(given):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not value >= 0:
            raise ColumnError(f"{who}: column `{column}` of row {row} is {value!r}; it needs a number of tokens")
    return np.asarray(given, dtype=np.float64)
