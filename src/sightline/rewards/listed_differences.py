"""A policy that writes the list of differences itself, and one that is rated as a whole: both as a judge decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, abstain, failed
from sightline.judges.claim_words import ClaimWords
from sightline.judges.judge import Question, Sampling, Verdict
from sightline.judges.prompts import prompt
from sightline.metrics.claim_rewards import listing_f1
from sightline.parse.claim_differences import Compared, Difference, Differences
from sightline.parse.first_object import first_object
from sightline.parse.tags import Block
from sightline.rewards.claims import CAPTION, references
from sightline.rewards.gold import GoldReward
from sightline.rewards.pictures import pictures_if_any
from sightline.rewards.reward import JudgedReward, Reward

_SCORE = re.compile(r"^[\s*_#]{0,4}SCORE[\s*_]{0,4}:[\s*_]{0,4}(-?\d{1,6})(?![\w.]*\d)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class ListedDifferences(GoldReward, JudgedReward):
    """How well a policy's list of differences covers the known ones, and how much of it is true.

    value = F1 of precision = valid / listed and recall = covered / known

    Differences without an error on either side are dropped from both lists first.

    Args:
        judge: sees the picture and both lists; says of each listed difference whether it is covered and valid.
        answer: text -> the list.
        column: the known differences, written as a list of the same form; empty: it is known that there are none.
        read: the policy's list -> differences.
        down: what a rollout is worth whose verdict cannot be read or did not come; None: NaN.

    Reads: `column`; `images` if they are there. Range: [0, 1]. Low: 0 for a list that cannot be read. Without a call:
    an empty list, 1 if no difference is known and 0 if some is. Not applicable: the column is None.

    Example:
        >>> known = "[DIFFERENCE 1]\\nCAPTION_A_CLAIM: a cat\\nCAPTION_A_ERROR:\\nERROR_TYPE: x\\n[OVERALL_WINNER]\\nB"
        >>> ListedDifferences(ClaimWords())(Batch([known, "none"], {"differences": [known, known]})).values
        array([1., 0.])

    References:
        Fine-grained caption reinforcement learning through visual claim comparison, arXiv 2605.20278.
    """

    answer: Block = CAPTION
    column: str = "differences"
    template: str = prompt("claim_coverage").text
    read: Callable[[str], Compared | Missing] = Differences()
    down: float | None = None
    sampling: Sampling = Sampling(max_tokens=2048)
    may_read: ClassVar[tuple[str, ...]] = ("images",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        form = "[DIFFERENCE 1]\nCAPTION_A_CLAIM: {}\nCAPTION_A_ERROR:\nERROR_TYPE: {}\n[OVERALL_WINNER]\nB"
        lists = [form.format("a cat", "wrong_kind"), form.format("a dog", "NONE"), "[NO_DIFFERENCE]", "no list"]
        known = [lists[0], "", None]
        return cls(ClaimWords()), [{"completion": t, "differences": k} for t in lists for k in known]

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        images = pictures_if_any(batch)
        rows = zip(self._listed(batch), self.right(batch), images, strict=True)
        return [self._asked(listed, known, shown) for listed, known, shown in rows]

    def _asked(
        self, listed: tuple[str, ...] | Missing, known: tuple[str, ...] | None, images: tuple[Any, ...]
    ) -> tuple[Question, ...]:
        if not listed or known is None:
            return ()
        fields = (("asks", "coverage"), ("listed", listed), ("known", known))
        return (Question(self.template, fields, ("listed",), images, sampling=self.sampling),)

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = zip(self._listed(batch), self.right(batch), verdicts, strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(
        self, listed: tuple[str, ...] | Missing, known: tuple[str, ...] | None, verdicts: Sequence[Verdict[Any]]
    ) -> Score:
        if known is None:
            return abstain("no known differences")
        if isinstance(listed, Missing):
            return Score(0.0, listed.why)
        if not verdicts:
            return Score(listing_f1(0, len(known), 0, 0), f"nothing listed, {len(known)} known")
        reply = verdicts[0].value
        marks = Missing(verdicts[0].error) if reply is None else _coverage(reply, len(listed))
        if isinstance(marks, Missing):
            why = marks.why if reply is None else f"{marks.why}, in {reply!r:.80}"
            return failed(why) if self.down is None else Score(self.down, why)
        covered, valid = (sum(one[at] for one in marks) for at in (0, 1))
        why = f"{valid} of {len(listed)} valid, {covered} of {len(known)} covered"
        return Score(listing_f1(len(listed), len(known), valid, covered), why)

    def _listed(self, batch: Batch) -> list[tuple[str, ...] | Missing]:
        found = []
        for said in batch.parse(self.answer):
            compared = said if isinstance(said, Missing) else self.read(said)
            found.append(compared if isinstance(compared, Missing) else _with_errors(compared.differences))
        return found

    def right(self, batch: Batch) -> list[tuple[str, ...] | None]:
        known: list[tuple[str, ...] | None] = []
        texts = references(batch, self.column, type(self).__name__)
        for row, (given, text) in enumerate(zip(batch.column(self.column), texts, strict=True)):
            found = Differences()(text) if text else Compared((), "Tie")
            if isinstance(found, Missing):
                raise ColumnError(f"ListedDifferences: column `{self.column}` of row {row}: {found.why}")
            known.append(None if given is None else _with_errors(found.differences))
        return known


@dataclass(frozen=True)
class RatedCaption(JudgedReward):
    """A caption rated as a whole, 0 to 10: the baseline that listed differences are compared with.

    value = score / 10

    Args:
        judge: sees the picture, the caption and, if `column` is given, a reference; writes `SCORE: 7`.
        column: the reference caption; None: it is not shown.
        down: what a rollout is worth that has no readable score; None: NaN.

    Reads: `column`; `images` if they are there. Range: [0, 1]. Low, without a call: 0 for an empty caption. Not
    applicable: the reference is empty. NaN: no score, or one outside 0..10.

    Example:
        >>> RatedCaption(ClaimWords())(Batch(["a car. a tree"], {"reference": ["a car"]})).values
        array([0.5])

    References:
        Fine-grained caption reinforcement learning through visual claim comparison, arXiv 2605.20278.
    """

    caption: Block = CAPTION
    column: str | None = "reference"
    template: str = prompt("caption_rating").text
    down: float | None = None
    sampling: Sampling = Sampling(max_tokens=512)
    may_read: ClassVar[tuple[str, ...]] = ("images",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("a car. a tree", "<answer>a car</answer>", "")
        return cls(ClaimWords()), [{"completion": t, "reference": r} for t in said for r in ("a car", "")]

    def needs(self) -> tuple[str, ...]:
        return () if self.column is None else (self.column,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        self._shown(batch)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        images = pictures_if_any(batch)
        rows = zip(batch.parse(self.caption), self._shown(batch), images, strict=True)
        return [self._asked(said, known, shown) for said, known, shown in rows]

    def _asked(self, said: str | Missing, known: str | None, images: tuple[Any, ...]) -> tuple[Question, ...]:
        if isinstance(said, Missing) or not said.strip() or known == "":
            return ()
        told = "" if known is None else f"\nA caption that is known to be right:\n{known}\n"
        fields = (("asks", "rating"), ("known", told), ("caption", said.strip()), ("reference", known or ""))
        return (Question(self.template, fields, ("caption",), images, sampling=self.sampling),)

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        return Scores.from_rows([self._one(k, v) for k, v in zip(self._shown(batch), verdicts, strict=True)])

    def _one(self, known: str | None, verdicts: Sequence[Verdict[Any]]) -> Score:
        if known == "":
            return abstain("no reference")
        if not verdicts:
            return Score(0.0, "the caption is empty")
        reply = verdicts[0].value
        found = [] if reply is None else [int(score) for score in _SCORE.findall(reply)]
        if len(set(found)) != 1 or not 0 <= found[0] <= 10:
            why = verdicts[0].error if reply is None else f"no single score from 0 to 10 in {reply!r:.80}"
            return failed(why) if self.down is None else Score(self.down, why)
        return Score(found[0] / 10, f"rated {found[0]} of 10")

    def _shown(self, batch: Batch) -> Sequence[str | None]:
        if self.column is None:
            return [None] * len(batch)
        return references(batch, self.column, type(self).__name__)


def _with_errors(differences: Sequence[Difference]) -> tuple[str, ...]:
    """The differences with an error on some side, each in one line."""
    kept = [one for one in differences if one.error_a.found or one.error_b.found]
    return tuple(
        f"{one.aspect}: A: {one.claim_a} ({one.error_a.type}); B: {one.claim_b} ({one.error_b.type})" for one in kept
    )


def _coverage(reply: str, count: int) -> list[tuple[bool, bool]] | Missing:
    found = first_object(reply)
    listed = found.get("differences") if isinstance(found, dict) else found
    if not isinstance(listed, list) or len(listed) != count or not all(isinstance(one, dict) for one in listed):
        return Missing(f"no list of {count} marks")
    marks = [(one.get("gt_covered"), one.get("pred_valid")) for one in listed]
    if not all(isinstance(mark, bool) for pair in marks for mark in pair):
        return Missing("a mark is neither true nor false")
    return [(bool(a), bool(b)) for a, b in marks]
