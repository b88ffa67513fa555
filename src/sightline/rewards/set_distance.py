"""Rewards for texts that are sets of statements: order does not matter, each statement is compared with its nearest."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, CompositionError
from sightline.core.marks import Mark
from sightline.core.scores import Score, Scores, failed
from sightline.judges.judge import Ability, Question, Verdict
from sightline.judges.lexical import LexicalEmbedder
from sightline.metrics.embeddings import unit_rows
from sightline.metrics.set_distances import Floats, SetDistance, chamfer, cosine_cost, nearest_costs
from sightline.parse.sentences import Sentences
from sightline.parse.tags import Span
from sightline.rewards.gold import GoldReward, gold_text
from sightline.rewards.reward import JudgedReward, Range, Reward

Turn = Callable[[float], float]
_NEGATION = re.compile(r"\b(?:no|not|without|never|none|negative|absent|absence|free of|clear of|resolved)\b", re.I)


@dataclass(frozen=True)
class Decay:
    """A distance as a reward: exp(-d / tau), and exactly 0 where one side is empty.

    Args:
        tau: distances are not comparable across encoders: refit it for yours.

    Example:
        >>> round(Decay()(0.25), 6), Decay()(0.0), Decay()(2.0)
        (0.778801, 1.0, 0.1353352832366127)
    """

    tau: float = 1.0

    def __call__(self, distance: float) -> float:
        return float(np.exp(-distance / self.tau))


@dataclass(frozen=True)
class Linear:
    """A distance as a reward: 1 - d / largest, not below 0."""

    largest: float = 2.0

    def __call__(self, distance: float) -> float:
        return max(0.0, 1.0 - distance / self.largest)


@dataclass(frozen=True)
class _Sets(GoldReward, JudgedReward):
    """Statements of completion and reference as two sets of vectors."""

    sentences: Sentences = Sentences()
    column: str = "reference"
    ability: ClassVar[Ability] = "embed"

    def right(self, batch: Batch) -> list[list[Span]]:
        known: dict[str, list[Span]] = {}
        found = []
        for row, value in enumerate(batch.column(self.column, type(self).__name__)):
            text = gold_text(value)
            if not isinstance(text, str):
                raise ColumnError(
                    f"{type(self).__name__}: column `{self.column}` of row {row} is {value!r:.80}; {text.why}"
                )
            if text not in known:
                known[text] = self.sentences(text)
            found.append(known[text])
        return found

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        rows = zip(batch.parse(self.sentences), self.right(batch), strict=True)
        # a side without statements decides by itself: nothing is asked then
        return [tuple(Question(s.text) for s in (*mine, *right)) if mine and right else () for mine, right in rows]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = zip(batch.parse(self.sentences), self.right(batch), verdicts, strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(self, mine: list[Span], right: list[Span], verdicts: tuple[Verdict[Any], ...]) -> Score:
        if not verdicts:
            return self._empty(mine, right)
        broken = next((verdict.error for verdict in verdicts if verdict.value is None), None)
        if broken is not None:
            return failed(broken)
        vectors = [verdict.value for verdict in verdicts if verdict.value is not None]
        if len({len(vector) for vector in vectors}) > 1:
            return failed("the encoder gave vectors of different lengths")
        array = np.array(vectors, dtype=np.float64)
        return self._compared(mine, right, array[: len(mine)], array[len(mine) :])

    def _empty(self, mine: list[Span], right: list[Span]) -> Score:
        raise CompositionError(f"{type(self).__name__} does not say how it compares")

    def _compared(self, mine: list[Span], right: list[Span], x: Floats, y: Floats) -> Score:
        raise CompositionError(f"{type(self).__name__} does not say how it compares")


@dataclass(frozen=True)
class StatementSetFit(_Sets):
    """How near the statements of the text lie to those of the reference, as sets of sentence vectors.

    value = turn(distance(X, Y)), X the vectors of the written sentences, Y those of the reference

    Args:
        judge: embeds sentences; frozen. Each distinct sentence of a batch is embedded once.
        distance: (m, D), (n, D) -> distance; see `sightline.metrics.set_distances`.
        turn: distance -> reward.
        sentences: text -> statements.
        column: the reference, a text.

    Reads: `column`. Range: 0..1, 1 for equal sets. Both without a statement: 1. One of them: 0.
    Marks: every sentence, with minus the cost of its nearest reference sentence.
    NaN: the encoder failed. Encoders hardly tell a finding from its negation: watch a clinical metric beside it.

    Example:
        >>> said = ["No effusion. Heart is large.", "Heart is large. No effusion.", "Heart is large.", ""]
        >>> columns = {"reference": ["Heart is large. No effusion."] * 4}
        >>> StatementSetFit(LexicalEmbedder())(Batch(said, columns)).values.round(4)
        array([1.    , 1.    , 0.7788, 0.    ])

    References:
        SDR, arXiv 2606.00440.
    """

    distance: SetDistance = chamfer
    turn: Turn = Decay()

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = (
            "Heart is large. No effusion.",
            "No effusion; heart is large",
            "Heart is large.",
            "The lungs.",
            "",
            "...",
        )
        rows = [{"completion": text, "reference": "Heart is large. No effusion."} for text in said]
        return cls(LexicalEmbedder(64)), [*rows, {"completion": "", "reference": ""}, {**rows[0], "reference": "-"}]

    def _empty(self, mine: list[Span], right: list[Span]) -> Score:
        if not mine and not right:
            return Score(1.0, "neither has a statement")
        return Score(0.0, "no statement" if not mine else "the reference has no statement")

    def _compared(self, mine: list[Span], right: list[Span], x: Floats, y: Floats) -> Score:
        distance = self.distance(x, y)
        marks = tuple(
            Mark("char", (span.start, span.end), -float(cost), f"nearest at {cost:.3f}")
            for span, cost in zip(mine, nearest_costs(x, y), strict=True)
        )
        value = min(1.0, max(0.0, self.turn(distance)))
        return Score(value, f"distance {distance:.4f} of {len(mine)} from {len(right)} statements", marks)


@dataclass(frozen=True)
class StatementClash(_Sets):
    """A penalty for statements that deny what their nearest reference statement says, or say what it denies.

    value = -(share of written sentences whose nearest reference sentence is near and of the other polarity)

    Args:
        near: only a nearest sentence at a smaller cost is about the same finding.

    Reads: `column`. Range: -1..0. Polarity is the presence of a word such as no, not, without, negative or absent:
    words only, no grammar.

    Example:
        >>> columns = {"reference": ["Pleural effusion on the left."] * 2}
        >>> said = ["No pleural effusion on the left.", "Pleural effusion on the left."]
        >>> StatementClash(LexicalEmbedder())(Batch(said, columns)).values
        array([-1.,  0.])
    """

    near: float = 0.5
    range: ClassVar[Range] = (-1.0, 0.0)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("No effusion left. Heart large.", "Effusion left.", "", "Lungs.")
        return cls(LexicalEmbedder(64)), [{"completion": text, "reference": "Effusion left."} for text in said]

    def _empty(self, mine: list[Span], right: list[Span]) -> Score:
        return Score(0.0, "nothing to contradict")

    def _compared(self, mine: list[Span], right: list[Span], x: Floats, y: Floats) -> Score:
        c_mn = cosine_cost(unit_rows(x), unit_rows(y))
        nearest, cost = c_mn.argmin(axis=1), c_mn.min(axis=1)
        clash = [
            bool(cost[i] < self.near and _denies(span.text) != _denies(right[int(nearest[i])].text))
            for i, span in enumerate(mine)
        ]
        marks = tuple(
            Mark("char", (span.start, span.end), -1.0 / len(mine), f"contradicts {right[int(nearest[i])].text[:80]!r}")
            for i, span in enumerate(mine)
            if clash[i]
        )
        return Score(-sum(clash) / len(mine) + 0.0, f"{sum(clash)} of {len(mine)} statements contradict", marks)


def _denies(text: str) -> bool:
    return _NEGATION.search(text) is not None
