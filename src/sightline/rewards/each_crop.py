"""What a judge makes of crops one by one: whether each is needed, whether each shows what it is said to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import CompositionError
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, failed
from sightline.judges.judge import Question, Verdict
from sightline.judges.lexical import LexicalJudge
from sightline.judges.verdicts import OneOf
from sightline.parse.tags import Block
from sightline.rewards.answers import Comparison, same_text
from sightline.rewards.crop_sets import CroppedParts, few
from sightline.rewards.gold import gold, gold_texts
from sightline.rewards.look import Asked, Column, Look
from sightline.rewards.reward import JudgedReward, Reward

_YES_NO = ("yes", "no")
_CALL = '<tool_call>{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [0, 0, 5, 5]}}</tool_call>'
_CROPPED = Look("{question}", (("question", Column("question")),), CroppedParts(), options=("red", "blue"))


@dataclass(frozen=True)
class EachCrop(JudgedReward):
    """One look per crop call of a rollout; subclasses say which crops a look shows and what the replies are worth.

    Args:
        judge: who looks.
        look: what is asked; its pictures are `CroppedParts`, of which some are shown.
    """

    look: Look

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return NoneSpare.specimen()  # by itself it does not say what replies are worth

    def needs(self) -> tuple[str, ...]:
        return self.look.reads()

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        return [
            tuple(question for asked in looks if isinstance(asked, Asked) for question in asked.questions)
            for looks in self._looks(batch)
        ]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = enumerate(zip(self._looks(batch), verdicts, strict=True))
        return Scores.from_rows([self._one(batch, row, looks, list(said)) for row, (looks, said) in rows])

    def part(self, number: int) -> CroppedParts:
        """What the look at the crop of this number shows."""
        raise CompositionError(f"{type(self).__name__} does not say what is shown")

    def lone(self) -> Score | None:
        """What a rollout with a single crop is worth without a call, if that is settled."""
        return None

    def worth(self, batch: Batch, row: int, replies: list[str | None]) -> Score:
        """What the replies on all crops are worth; None where a look had nothing to show."""
        raise CompositionError(f"{type(self).__name__} does not say what replies are worth")

    @property
    def parts(self) -> CroppedParts:
        """The pictures of the look.

        Raises:
            CompositionError: they are not crops.
        """
        if not isinstance(self.look.pictures, CroppedParts):
            raise CompositionError(f"{type(self).__name__} needs a look at CroppedParts, got {self.look.pictures!r}")
        return self.look.pictures

    def _looks(self, batch: Batch) -> list[list[Asked | Score]]:
        """Per rollout one look for each crop, or the score that it has without any."""
        found = [few(boxes, self.parts.most) for boxes in batch.parse(self.parts.find)]
        counts = [0 if isinstance(boxes, Missing) else len(boxes) for boxes in found]
        looks = [replace(self.look, pictures=self.part(number)) for number in range(max(counts, default=0))]
        asked: list[list[Asked | Score]] = []
        for row, (boxes, count) in enumerate(zip(found, counts, strict=True)):
            settled = self.lone() if count == 1 else None
            if isinstance(boxes, Missing) or settled is not None:
                asked.append([settled or Score(0.0, boxes.why if isinstance(boxes, Missing) else "")])
            else:
                asked.append([batch.once(look.ask)[row] for look in looks[:count]])
        return asked

    def _one(self, batch: Batch, row: int, looks: list[Asked | Score], verdicts: list[Verdict[Any]]) -> Score:
        if not verdicts and len(looks) == 1 and isinstance(looks[0], Score):
            return looks[0]
        replies: list[str | None] = []
        for asked in looks:
            if isinstance(asked, Score):
                if np.isnan(asked.value):
                    return asked
                replies.append(None)
                continue
            verdict = verdicts.pop(0)
            if verdict.value is None:
                return failed(verdict.error)
            replies.append(verdict.value)
        return self.worth(batch, row, replies)


@dataclass(frozen=True)
class NoneSpare(EachCrop):
    """Whether no crop can be left out: without any of them, the others no longer lead to the right answer.

    value = 1 if there is one crop, or if for every crop i the answer from the others alone is wrong; else 0

    Costs one call per crop where there are several. It does not ask whether all together suffice: multiply it by that.

    Args:
        compare: (said, right) -> 0..1, or `Missing`: wrong.
        block: where the answer stands in the reply.
        column: the right answer, or a list of accepted ones.

    Reads: the columns of the look, and `column`. Range: 0 or 1. Low, without a call: no crop, too many.
    NaN: the judge failed.

    Example:
        >>> NoneSpare(LexicalJudge(), _CROPPED)(Batch([_CALL, "none"], {
        ...     "question": ["?"] * 2, "answer": ["red"] * 2, "images": [np.zeros((9, 9), np.uint8)] * 2})).values
        array([1., 0.])

    References:
        On the faithfulness of visual thinking, arXiv 2510.23482: minimality by leaving one out.
    """

    compare: Comparison = same_text
    block: Callable[[str], str | Missing] = Block("answer", otherwise="text")
    column: str = "answer"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        texts = (_CALL, _CALL * 2, "none", _CALL.replace("5, 5", "0, 5") + _CALL, _CALL * 20)
        row = {"question": "Which? red, red", "answer": "red", "images": [np.zeros((9, 9), np.uint8)]}
        rows = [{"completion": text, **row} for text in texts]
        return cls(LexicalJudge(), _CROPPED), [*rows, {**rows[1], "answer": "blue"}]

    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.look.reads(), self.column]))

    def part(self, number: int) -> CroppedParts:
        return replace(self.parts, but=number)

    def lone(self) -> Score | None:
        return Score(1.0, "a single crop")

    def worth(self, batch: Batch, row: int, replies: list[str | None]) -> Score:
        right = gold(batch, self.column, type(self).__name__, gold_texts)[row]
        spare = [number for number, reply in enumerate(replies) if reply is not None and self._right(reply, right)]
        if not spare:
            return Score(1.0)
        return Score(0.0, f"crop {spare[0] + 1} of {len(replies)} can be left out")

    def _right(self, reply: str, right: tuple[str, ...]) -> bool:
        answer = self.block(reply)
        if isinstance(answer, Missing):
            return False
        found = [self.compare(answer, one) for one in right]
        return any(not isinstance(value, Missing) and value > 0 for value in found)


@dataclass(frozen=True)
class ReliableCrops(EachCrop):
    """Whether every crop shows what the reasoning says of it, as a judge decides crop by crop.

    value = 1 if the judge says yes to all crops, else 0; with `mean`, the share of crops it says yes to

    A crop without area shows nothing: no.

    Args:
        mean: the share instead of all or nothing.
        verdict: reply -> yes, no or `Missing`.

    Reads: the columns of the look. Range: [0, 1]. Low, without a call: no crop, too many.
    NaN: the judge failed or its reply cannot be read.

    Example:
        >>> look = replace(_CROPPED, options=_YES_NO)
        >>> columns = {"question": ["yes"], "images": [np.zeros((9, 9), np.uint8)]}
        >>> ReliableCrops(LexicalJudge(), look)(Batch([_CALL], columns)).values
        array([1.])

    References:
        On the faithfulness of visual thinking, arXiv 2510.23482: reliability.
    """

    mean: bool = False
    verdict: Callable[[str], str | Missing] = OneOf(_YES_NO)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        texts = (_CALL, _CALL * 2, "none", _CALL.replace("5, 5", "0, 5") + _CALL)
        row = {"question": "yes", "images": [np.zeros((9, 9), np.uint8)]}
        rows = [{"completion": text, **row} for text in texts]
        look = replace(_CROPPED, options=_YES_NO)
        return cls(LexicalJudge(), look), [*rows, {**rows[1], "question": "no, no"}]

    def part(self, number: int) -> CroppedParts:
        return replace(self.parts, only=number)

    def worth(self, batch: Batch, row: int, replies: list[str | None]) -> Score:
        read = ["no" if reply is None else self.verdict(reply) for reply in replies]
        unread = next((one for one in read if isinstance(one, Missing)), None)
        if unread is not None:
            return failed(f"unreadable verdict: {unread.why}")
        good = [str(one).casefold() == "yes" for one in read]
        share = sum(good) / len(good)
        why = "" if all(good) else f"crop {good.index(False) + 1} of {len(good)} does not show what is said"
        return Score(share if self.mean else float(share == 1), why)
