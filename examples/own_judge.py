"""A judge of your own, and a reward that asks it.

The judge here is a table of what each picture shows; yours may call any model. A reward does not know the difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline import Batch, JudgedReward, Missing, Reward, Score, Scores, failed
from sightline.judges import Question, Verdict, zero_or_one
from sightline.parse.tags import THINK


# --8<-- [start:judge]
@dataclass(frozen=True)
class TableJudge:
    """Says 1 if the text mentions what the table lists for a picture, else 0.

    Args:
        listed: (picture, what it shows) pairs.
    """

    listed: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        # caches key on it, so two judges that could answer differently need two
        return "table:" + hashlib.blake2b(repr(self.listed).encode(), digest_size=6).hexdigest()

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        return [self._one(question) for question in questions]

    def _one(self, question: Question) -> Verdict[str]:
        shown = dict(self.listed).get(question.field("picture"))
        if shown is None:
            return Verdict(error="the picture is not in the table")  # no exception for one bad question
        return Verdict("1" if shown in question.field("reasoning") else "0")


# --8<-- [end:judge]
# --8<-- [start:reward]
TEMPLATE = """Does the reasoning mention what picture {picture} shows?

{reasoning}

Reply with one digit, 1 or 0."""


@dataclass(frozen=True)
class Mentions(JudgedReward):
    """Whether the think block mentions what the picture shows, as a judge decides.

    Reads: `picture`. Range: 0 or 1. Low, without a call: no think block. NaN: the judge failed.

    Example:
        >>> judge = TableJudge((("a.png", "a red ball"),))
        >>> said = ["<think>a red ball</think>", "<think>A cat?</think>", "a red ball", "<think>hm</think>"]
        >>> scores = Mentions(judge)(Batch(said, {"picture": ["a.png", "a.png", "a.png", "b.png"]}))
        >>> scores.values
        array([ 1.,  0.,  0., nan])
        >>> scores.why[3]
        'error: the picture is not in the table'
    """

    reads: ClassVar = ("picture",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("<think>I see a red ball.</think>", "<think>A cat?</think>", "a red ball")
        rows: list[Mapping[str, Any]] = [{"completion": text, "picture": "a.png"} for text in said]
        return cls(TableJudge((("a.png", "a red ball"),))), [dict(row) for row in rows]

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        thinks = batch.parse(THINK.span)
        return [
            ()  # nothing to ask: no call is spent
            if isinstance(think, Missing)
            else (Question(TEMPLATE, (("picture", picture), ("reasoning", think.text)), fenced=("reasoning",)),)
            for think, picture in zip(thinks, batch.column("picture"), strict=True)
        ]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        return Scores.from_rows([self._score(*asked) if asked else Score(0.0, "no think block") for asked in verdicts])

    def _score(self, verdict: Verdict[str]) -> Score:
        if verdict.value is None:
            return failed(verdict.error)  # the judge's fault, not the policy's: NaN, worth a retry
        said = zero_or_one(verdict.value)
        return failed(said.why) if isinstance(said, Missing) else Score(float(said), f"the judge says {said}")


# --8<-- [end:reward]
