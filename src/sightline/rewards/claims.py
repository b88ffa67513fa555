"""Captions held against a reference by a judge that lists their differences and checks each on the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, abstain, failed
from sightline.judges.claim_words import ClaimWords
from sightline.judges.judge import Question, Sampling, Verdict
from sightline.judges.prompts import prompt
from sightline.metrics.claim_rewards import TOP as TOP_WEIGHT
from sightline.metrics.claim_rewards import Mode, Tally, is_omission, relative_to_listed, weigh
from sightline.parse.claim_differences import Differences, Form, Verifications
from sightline.parse.hedging import Hedging
from sightline.parse.tags import Block
from sightline.rewards.gold import GoldReward
from sightline.rewards.pictures import pictures_if_any
from sightline.rewards.reward import JudgedReward, Range, Reward

CAPTION = Block("answer", which="last", otherwise="text")


class Charge(NamedTuple):
    """What one difference holds against the caption: the claim in its words, the cost, and the kind of error."""

    claim: str
    cost: float
    kind: str


class Held(NamedTuple):
    """What a list of differences comes to."""

    tally: Tally
    charges: tuple[Charge, ...]


@dataclass(frozen=True, slots=True)
class ByErrors:
    """Counts typed errors on either side.

    Args:
        form: how the list is read.
        weighted: an error counts by its severity instead of 1.
        by_judge: the judge's own severity comes before that of the type's name.

    Example:
        >>> ByErrors()("[NO_DIFFERENCE]").tally.differences
        0
    """

    form: Form = "strict"
    weighted: bool = False
    by_judge: bool = True

    def __call__(self, text: str) -> Held | Missing:
        found = Differences(self.form)(text)
        if isinstance(found, Missing):
            return found
        wrong = [one for one in found.differences if one.error_a.found]
        weights = weigh([(one.error_a.type, one.error_a.severity) for one in wrong], self.by_judge)
        other = [(one.error_b.type, one.error_b.severity) for one in found.differences if one.error_b.found]
        charges = tuple(
            Charge(one.claim_a, weight if self.weighted else 1.0, one.error_a.type)
            for one, weight in zip(wrong, weights, strict=True)
        )
        omitted = sum(w for one, w in zip(wrong, weights, strict=True) if is_omission(one.error_a.type))
        judged = [one.judgment for one in found.differences]
        tally = Tally(
            sum(charge.cost for charge in charges),
            sum(weigh(other, self.by_judge)) if self.weighted else float(len(other)),
            judged.count("A"),
            judged.count("B"),
            len(found.differences),
            found.winner,
            sum(weights) - omitted,
            omitted,
            TOP_WEIGHT if self.weighted else 1.0,
        )
        return Held(tally, charges)


@dataclass(frozen=True, slots=True)
class ByVerification:
    """Counts differences that are false, or facts that are missing.

    Args:
        form: how the list is read.
        twice: a missing fact whose verification says false counts twice, as in released code.

    Example:
        >>> ByVerification()("[DIFFERENCE 1]\\nTYPE: missing_fact\\nVERIFICATION: false").tally.bad
        1
    """

    form: Form = "strict"
    twice: bool = False

    def __call__(self, text: str) -> Held | Missing:
        found = Verifications(self.form)(text)
        if isinstance(found, Missing):
            return found
        false = [one.verification == "false" for one in found]
        missing = [one.type == "missing_fact" for one in found]
        bad = sum(false) + sum(missing) if self.twice else sum(map(max, false, missing))
        charges = tuple(
            Charge("" if gone else one.content, 1.0, "missing fact" if gone else "false")
            for one, wrong, gone in zip(found, false, missing, strict=True)
            if wrong or gone
        )
        return Held(Tally(differences=len(found), bad=bad), charges)


@dataclass(frozen=True)
class ClaimDifferences(GoldReward, JudgedReward):
    """What a caption is worth by the differences to a reference that a judge finds and checks on the picture.

    value = mode(tally of the differences)

    Args:
        judge: sees the picture, the caption and the reference, and lists their differences.
        mode: tally -> value.
        read: reply -> what the differences come to.
        asks: the kind of list, for judges that look at facts: `differences` or `verification`.
        template: the prompt, with places `caption` and `reference`, and `rules` where there are some.
        rules: what counts as an error, in words.
        caption: text -> the caption.
        down: what a rollout is worth whose list cannot be read or did not come; None: NaN.
        alone: what a rollout is worth whose row has no reference; None: not applicable.
        low, high: ends of the mode's scale.
        column: the reference caption.

    Marks: claims of the caption that are charged, where they stand in it word for word, with minus their cost.

    Reads: `column`; `images` if they are there. Low, without a call: `low` for an empty caption.

    Example:
        >>> batch = Batch(["a red car. a tree"], {"reference": ["a red car. a dog"]})
        >>> ClaimDifferences(ClaimWords())(batch).values
        array([0.])

    References:
        Fine-grained caption reinforcement learning through visual claim comparison, arXiv 2605.20278.
    """

    mode: Mode = relative_to_listed
    read: Callable[[str], Held | Missing] = ByErrors()
    asks: str = "differences"
    template: str = prompt("claim_differences").text
    rules: str = prompt("claim_rules_general").text
    caption: Callable[[str], str | Missing] = CAPTION
    down: float | None = None
    alone: float | None = None
    low: float = 0.0
    high: float = 1.0
    column: str = "reference"
    sampling: Sampling = Sampling(max_tokens=4096)
    may_read: ClassVar[tuple[str, ...]] = ("images",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("a red car. a tree", "a red car. a dog", "<think>hm</think><answer>a dog</answer>", "")
        return cls(ClaimWords()), [{"completion": t, "reference": r} for t in said for r in ("a red car. a dog", None)]

    def bounds(self) -> Range:
        return min(self.low, self.high), max(self.low, self.high)

    def right(self, batch: Batch) -> list[str]:
        return references(batch, self.column, type(self).__name__)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        images = pictures_if_any(batch)
        known = self.right(batch)
        rows = zip(batch.parse(self.caption), known, images, strict=True)
        return [self._asked(said, reference, shown) for said, reference, shown in rows]

    def _asked(self, said: str | Missing, reference: str, images: tuple[Any, ...]) -> tuple[Question, ...]:
        if isinstance(said, Missing) or not said.strip() or not reference:
            return ()
        fields = (("asks", self.asks), ("rules", self.rules), ("caption", said.strip()), ("reference", reference))
        return (Question(self.template, fields, ("caption",), images, sampling=self.sampling),)

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        known = self.right(batch)
        rows = zip(batch.texts, batch.parse(self.caption), known, verdicts, strict=True)
        return Scores.from_rows([self._one(*row) for row in rows])

    def _one(self, text: str, said: str | Missing, reference: str, verdicts: Sequence[Verdict[Any]]) -> Score:
        if not reference:
            return abstain("no reference") if self.alone is None else Score(self.alone, "no reference")
        if not verdicts:
            return Score(self.low, said.why if isinstance(said, Missing) else "the caption is empty")
        reply = verdicts[0].value
        held = Missing(verdicts[0].error) if reply is None else self.read(reply)
        if isinstance(held, Missing):
            why = held.why if reply is None else f"{held.why}, in {reply!r:.80}"
            return failed(why) if self.down is None else Score(self.down, why)
        tally = held.tally
        kinds = ", ".join(dict.fromkeys(charge.kind[:40] for charge in held.charges))
        why = f"{tally.differences} differences" + (f"; {len(held.charges)} held against it: {kinds}" if kinds else "")
        return Score(self.mode(tally), why[:400], _marks(text, held.charges))


@dataclass(frozen=True)
class Unhedged(Reward):
    """What is left of a caption that hedges: a factor for other rewards.

    value = exp(-0.1 max(0, hedges - words / 90))

    Args:
        factor: text -> factor.
        caption: text -> the caption.

    Range: [0, 1].

    Example:
        >>> Unhedged()(Batch(["a red car", "a red or blue car"])).values.round(3)
        array([1.  , 0.91])
    """

    factor: Callable[[str], float] = Hedging()
    caption: Callable[[str], str | Missing] = CAPTION

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(), [{"completion": text} for text in ("a red or blue car", "", "<answer>likely 1/2</answer>")]

    def score(self, batch: Batch) -> Scores:
        found = batch.parse(self.caption)
        values = [0.0 if isinstance(one, Missing) else self.factor(one) for one in found]
        return Scores.of(np.array(values), [one.why if isinstance(one, Missing) else "" for one in found])


@dataclass(frozen=True, slots=True)
class HasCaption:
    """The caption, or Missing where there is none.

    Args:
        blocks: a think and an answer block are needed; else any caption that is not empty will do.

    Example:
        >>> HasCaption()("a car"), HasCaption(blocks=True)("a car").why
        ('a car', 'no closed <think> block')
    """

    blocks: bool = False

    def __call__(self, text: str) -> str | Missing:
        if self.blocks:
            for name in ("think", "answer"):
                found = Block(name)(text)
                if isinstance(found, Missing):
                    return found
        said = CAPTION(text)
        return said if isinstance(said, Missing) or said.strip() else Missing("the caption is empty")


def references(batch: Batch, column: str, who: str) -> list[str]:
    """Reference captions, trimmed; empty where there is none.

    Raises:
        ColumnError: a value is neither a text nor None.
    """
    found = []
    for row, value in enumerate(batch.column(column, who)):
        if value is not None and not isinstance(value, str):
            raise ColumnError(f"{who}: column `{column}` of row {row} is {value!r:.60}; it needs a text, or None")
        found.append((value or "").strip())
    return found


def _marks(text: str, charges: Sequence[Charge]) -> tuple[Mark, ...]:
    marks = []
    for claim, cost, kind in charges:
        at = text.find(claim) if claim else -1
        if at >= 0:
            marks.append(Mark("char", (at, at + len(claim)), -cost, kind))
    return tuple(marks)
