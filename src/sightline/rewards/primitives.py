"""Whether a diagram was seen: the primitives that a policy lists, in their parameters and drawn again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.primitives import Primitives
from sightline.core.scores import Score, Scores, abstain, failed
from sightline.judges.colours import ColourEmbedder
from sightline.judges.judge import Ability, Question, Verdict
from sightline.media.diagrams import drawn
from sightline.metrics.embeddings import unit_rows
from sightline.metrics.primitives import match_primitives
from sightline.parse.primitives import PrimitiveText
from sightline.parse.tags import Block, Inside
from sightline.rewards.gold import GoldReward, gold
from sightline.rewards.pictures import pictures
from sightline.rewards.reward import JudgedReward, Reward

WATCHED = Inside(Block("WATCHING"), PrimitiveText())
_SEEN = "<WATCHING>Point: (0, 0) (5, 5) Line: (0, 0) -- (5, 5)</WATCHING>"
_TEXTS = (_SEEN, _SEEN.replace("(5, 5)", "(5, 4)"), "<WATCHING>Point: (0, 0)</WATCHING>", "Point: (0, 0)", "")


def gold_primitives(value: Any) -> Primitives | Missing:
    """The primitives of a row: `Primitives`, or a text that lists them.

    Example:
        >>> gold_primitives("Circle: (0, 0, 5)").circles, gold_primitives(3).why
        (((0.0, 0.0, 5.0),), 'it needs a text that lists primitives')
    """
    if isinstance(value, Primitives):
        return value
    return PrimitiveText()(value) if isinstance(value, str) else Missing("it needs a text that lists primitives")


@dataclass(frozen=True)
class PrimitiveFit(GoldReward):
    """How near the listed primitives are to the true ones (VPR).

    value = exp(-mean distance of the matched pairs) * F1;  0 where nothing is matched

    Points and circles are compared by their coordinates, lines by their unit normal and offset. Pairs of a class are
    matched at least total distance.

    Args:
        read: text -> `Primitives`, or `Missing`.
        complete: F1 of the matched pairs is a factor; without it, as printed, one right point earns 1.
        column: the true primitives.
        missed, invented: what a true (listed) primitive of a class that the other side lacks adds to the cost that the
            reason tells; the value does not depend on it.

    Reads: `column`. Range: [0, 1]. Low: 0 where nothing is matched: no block, no primitives, those of another class, a
    truth that lists none.

    Raises:
        ColumnError: the true primitives are no text.

    Example:
        >>> said = ["<WATCHING>Point: (0, 0) (10, 0)</WATCHING>", "<WATCHING>Point: (0, 0)</WATCHING>"]
        >>> PrimitiveFit()(Batch(said, {"primitives": ["Point: A: (0, 0) B: (10, 0)"] * 2})).values.round(4)
        array([1.    , 0.6667])

    References:
        CogFlow, arXiv 2601.01874, equations of S_VPR; the factor is ours.
    """

    read: Callable[[str], Any] = WATCHED
    complete: bool = True
    column: str = "primitives"
    missed: float = 1.0
    invented: float = 1.0

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        rows = [{"completion": text, "primitives": "Point: (0, 0) (5, 5) Line: (0, 0) -- (5, 5)"} for text in _TEXTS]
        return cls(), [*rows, {**rows[0], "primitives": "none"}, {**rows[0], "primitives": Primitives(((0.0, 1.0),))}]

    def right(self, batch: Batch) -> list[Primitives]:
        return gold(batch, self.column, type(self).__name__, gold_primitives)

    def score(self, batch: Batch) -> Scores:
        right = self.right(batch)
        return Scores.from_rows([self._one(*row) for row in zip(batch.parse(self.read), right, strict=True)])

    def _one(self, said: Primitives | Missing, right: Primitives) -> Score:
        if isinstance(said, Missing):
            return Score(0.0, said.why)
        found = match_primitives(said, right, self.missed, self.invented)
        value = found.nearness * (found.f1 if self.complete else 1.0)
        missed, invented = found.gold - len(found.distances), found.predicted - len(found.distances)
        return Score(value, f"cost {found.cost:.4g}, {missed} missed, {invented} invented" if value < 1 else "")


@dataclass(frozen=True)
class DrawnAlike(JudgedReward):
    """How alike the drawing of the listed primitives and the true one are to an encoder of pictures (VSR).

    value = (1 + cos(phi(drawn), phi(true))) / 2;  0 where nothing was listed

    Args:
        judge: embeds pictures.
        read: text -> `Primitives`, or `Missing`.
        column: the true primitives, which are drawn too; not read where `picture` is given.
        picture: a column with the picture itself to compare with, as at inference.
        side: of the drawings, in pixels.

    Reads: `column` or `picture`. Range: [0, 1]. Low, without a call: no block, no primitives, a truth without any. Not
    applicable: no picture where one is compared with. NaN: the judge failed.

    Raises:
        ColumnError: the true primitives are no text.

    Example:
        >>> said = ["<WATCHING>Point: (0, 0)</WATCHING>", "Point: (0, 0)"]
        >>> DrawnAlike(ColourEmbedder())(Batch(said, {"primitives": ["Point: (0, 0)"] * 2})).values.round(4)
        array([1., 0.])

    References:
        CogFlow, arXiv 2601.01874, S_VSR.
    """

    read: Callable[[str], Any] = WATCHED
    column: str = "primitives"
    picture: str | None = None
    side: int = 448
    ability: ClassVar[Ability] = "embed"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(ColourEmbedder(), side=64), PrimitiveFit.specimen()[1]

    def needs(self) -> tuple[str, ...]:
        return (self.column if self.picture is None else self.picture,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        if self.picture is None:
            gold(batch, self.column, type(self).__name__, gold_primitives)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        return batch.once(_Asked(self))

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        return Scores.from_rows(
            [self._one(*row) for row in zip(batch.parse(self.read), verdicts, self._targets(batch), strict=True)]
        )

    def _one(self, said: Primitives | Missing, verdicts: tuple[Verdict[Any], ...], target: Any) -> Score:
        if _nothing(target) and not isinstance(target, Primitives):
            return abstain("no picture to compare with")
        if not verdicts:
            return Score(0.0, said.why if isinstance(said, Missing) else "nothing to draw")
        error = next((verdict.error for verdict in verdicts if verdict.value is None), None)
        if error is not None:
            return failed(error)
        mine, right = (unit_rows(verdict.value)[0] for verdict in verdicts)  # type: ignore[arg-type]
        if len(mine) != len(right) or not (mine.any() and right.any()):
            return failed(f"embeddings without a common direction: {len(mine)} and {len(right)} numbers")
        return Score(min(1.0, max(0.0, (1 + float(mine @ right)) / 2)))

    def _targets(self, batch: Batch) -> list[Any]:
        """What is compared with: true primitives, or the picture of a row."""
        if self.picture is None:
            return gold(batch, self.column, type(self).__name__, gold_primitives)
        given = batch.column(self.picture, type(self).__name__)
        return [next(iter(pictures(one)), None) for one in given]


@dataclass(frozen=True)
class _Asked:
    """The questions of a reward, every diagram drawn once."""

    reward: DrawnAlike

    def __call__(self, batch: Batch) -> list[tuple[Question, ...]]:
        made: dict[Primitives, Question] = {}
        return [
            self._one(said, target, made)
            for said, target in zip(batch.parse(self.reward.read), self.reward._targets(batch), strict=True)
        ]

    def _one(self, said: Any, target: Any, made: dict[Primitives, Question]) -> tuple[Question, ...]:
        if isinstance(said, Missing) or not len(said) or _nothing(target):
            return ()
        return self._shown(said, made), self._shown(target, made)

    def _shown(self, what: Any, made: dict[Primitives, Question]) -> Question:
        if not isinstance(what, Primitives):
            return Question("", images=(what,))
        if what not in made:
            picture: NDArray[np.uint8] = drawn(what, self.reward.side)
            made[what] = Question("", images=(picture,))
        return made[what]


def _nothing(target: Any) -> bool:
    return target is None or (isinstance(target, Primitives) and not len(target))
