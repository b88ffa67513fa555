"""How well a judge says a picture fits its text, as a number that it writes: the baseline that ties often."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, abstain, failed
from sightline.judges.colours import ColourJudge
from sightline.judges.judge import Question, Verdict
from sightline.judges.prompts import prompt
from sightline.rewards.look import Asked, Column, Look, Shown
from sightline.rewards.reward import JudgedReward, Range, Reward, Scope

_NUMBER = re.compile(r"(?<![A-Za-z0-9.])[-+]?(?:\d{1,99}(?:\.\d{1,99})?|\.\d{1,99})(?:[eE][-+]?\d{1,3})?", re.ASCII)
RED = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
BLUE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYPgPAAEDAQAIicLsAAAAAElFTkSuQmCC"
)
FIT = Look(prompt("fit_rating").text, (("caption", Column("caption")),), Shown(least=1))


@dataclass(frozen=True)
class FirstNumber:
    """The first number of a text, if it lies on the scale.

    Args:
        low, high: the scale.

    Example:
        >>> read = FirstNumber(0, 10)
        >>> read("I give 7 of 10."), read("3.5pts"), read("11, no, 9").why, read("good").why
        (7.0, 3.5, '11 is outside 0..10', "no number in 'good'")
    """

    low: float
    high: float

    def __call__(self, text: str) -> float | Missing:
        found = _NUMBER.search(text)
        if not found:
            return Missing(f"no number in {text[:60]!r}")
        value = float(found.group())
        return value if self.low <= value <= self.high else Missing(f"{value:g} is outside {self.low:g}..{self.high:g}")


@dataclass(frozen=True)
class RatedFit(JudgedReward):
    """The alignment score that a judge writes down.

    value = the number in the reply; where none can be read, the mean of those of the group

    Args:
        look: what is asked and shown.
        read: reply -> number, or `Missing`.
        limits: lowest and highest number.

    Reads: the columns of the look. Range: that of the scale. Not applicable: no reply of the group can be read,
    or no picture.
    NaN: the judge failed.

    Example:
        >>> columns = {"caption": ["a red ball"] * 2, "images": [RED, BLUE]}
        >>> RatedFit(ColourJudge())(Batch(["", ""], columns, group=[0, 0])).values
        array([10.,  0.])

    References:
        PromptEcho, arXiv 2604.12652, comparison method InferScore.
    """

    look: Look = FIT
    read: Callable[[str], float | Missing] = FirstNumber(0, 10)
    limits: Range = (0.0, 10.0)
    scope: ClassVar[Scope] = "group"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        pictures = [RED, BLUE, "none.png"]
        rows = [{"completion": "", "caption": "a red ball", "images": [one], "group": 0} for one in pictures]
        return cls(ColourJudge()), rows

    def needs(self) -> tuple[str, ...]:
        return self.look.reads()

    def bounds(self) -> Range:
        return self.limits

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        return [asked.questions[:1] if isinstance(asked, Asked) else () for asked in batch.once(self.look.ask)]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = [self._one(*row) for row in zip(batch.once(self.look.ask), verdicts, strict=True)]
        scores: list[Score] = [row if isinstance(row, Score) else failed(row.why) for row in rows]
        for group in batch.groups():
            read = [one.value for i in group if isinstance(one := rows[i], Score) and not np.isnan(one.value)]
            for i in group:
                if isinstance(one := rows[i], Missing):
                    filled = Score(float(np.mean(read)), f"mean of its group: {one.why}") if read else abstain(one.why)
                    scores[i] = filled
        return Scores.from_rows(scores)

    def _one(self, asked: Asked | Score, verdicts: tuple[Verdict[Any], ...]) -> Score | Missing:
        if isinstance(asked, Score):
            return asked
        if verdicts[0].value is None:
            return failed(verdicts[0].error)
        found = self.read(verdicts[0].value)
        return found if isinstance(found, Missing) else Score(found)
