"""Looking again: a judge, or the policy itself, meets the question once more with other words or pictures before it.

Three leaves for the three ways of answering; what is shown is a `Look`: the description alone, the crops alone, a
checklist, the picture corrupted or taken away, the reasoning without its answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, CompositionError
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores, failed
from sightline.judges.judge import Ability, Question, Verdict
from sightline.judges.lexical import LexicalJudge
from sightline.judges.votes import mean_vote
from sightline.parse.tags import Block
from sightline.rewards.answers import Comparison, same_text
from sightline.rewards.gold import gold_texts
from sightline.rewards.look import Asked, Column, Item, Look, NoPictures, Source, by_item, said
from sightline.rewards.reward import INFINITE, JudgedReward, Range, Reward

Votes = Sequence[Verdict[Any]]
DESCRIBED = Look(
    "{question}\n{description}",
    (("question", Column("question")), ("description", Block("description"))),
    NoPictures(),
    options=("red", "blue"),
)


def its_share(shares: Sequence[float], option: int) -> float:
    """The option's probability."""
    return min(1.0, max(0.0, float(shares[option])))


def among_the_likeliest(shares: Sequence[float], option: int) -> float:
    """1 if no option is likelier, a tie included, else 0.

    Example:
        >>> among_the_likeliest((0.5, 0.5), 1), among_the_likeliest((0.6, 0.4), 1)
        (1.0, 0.0)
    """
    return float(shares[option] >= max(shares))


def mean_logp(logps: Sequence[float]) -> float:
    """The mean log-probability of a token, in (-inf, 0]."""
    return min(0.0, math.fsum(logps) / len(logps))


def total_logp(logps: Sequence[float]) -> float:
    """The log-probability of the whole text, in (-inf, 0]."""
    return min(0.0, math.fsum(logps))


@dataclass(frozen=True)
class SecondLook(JudgedReward):
    """A reward of one look at every rollout; subclasses say what the answers are worth.

    Args:
        judge: who looks; `OwnPolicy()` for the policy itself.
        look: what is asked and shown.
        nothing: what a rollout is worth whose text gives nothing to look at.
    """

    look: Look
    nothing: float = 0.0

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return FoundAgain.specimen()  # an answer is worth nothing by itself: one of those that say what

    def needs(self) -> tuple[str, ...]:
        return self.look.reads()

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        return [asked.questions if isinstance(asked, Asked) else () for asked in batch.once(self.look.ask)]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = enumerate(zip(batch.once(self.look.ask), verdicts, strict=True))
        return Scores.from_rows([self._row(batch, row, asked, votes) for row, (asked, votes) in rows])

    def _row(self, batch: Batch, row: int, asked: Asked | Score, verdicts: Votes) -> Score:
        if isinstance(asked, Asked):
            return self._seen(batch, row, asked, verdicts)
        return asked if math.isnan(asked.value) else Score(self.nothing, asked.why)

    def _seen(self, batch: Batch, row: int, asked: Asked, verdicts: Votes) -> Score:
        """The mean over items of the mean over their votes; an item that no vote can be read for fails the rollout."""
        worths: list[float] = []
        for item, votes in by_item(asked, verdicts):
            read = [
                Missing(vote.error) if vote.value is None else self.worth(batch, row, item, asked, vote.value)
                for vote in votes
            ]
            mean = mean_vote(read)
            if isinstance(mean, Missing):
                return failed(mean.why if len(votes) > 1 else next(v.why for v in read if isinstance(v, Missing)))
            worths.append(mean)
        return Score(math.fsum(worths) / len(worths))

    def worth(self, batch: Batch, row: int, item: Any, asked: Asked, value: Any) -> float | Missing:
        """What one answer is worth; Missing if it cannot be read."""
        raise CompositionError(f"{type(self).__name__} does not say what an answer is worth")


@dataclass(frozen=True)
class FoundAgain(SecondLook):
    """Whether whoever looks again comes to the right answer.

    value = compare(answer in the reply, gold answer), the mean over votes and items

    Args:
        compare: (said, right) -> 0..1, or `Missing`: the reply cannot be read.
        block: where the answer stands in the reply.
        gold: the right answer, or a list of accepted ones.
        unread: what a reply that cannot be read is worth; None: NaN, with the reply in the reason.

    Reads: the columns of the look, and `gold`. Range: [0, 1]. Low, without a call: the policy wrote nothing to look at.
    NaN: the judge failed, its reply cannot be read, or a column of the look is empty.

    Example:
        >>> said = ["<description>a red ball</description>", "<description>a blue ball</description>"]
        >>> columns = {"question": ["Which colour?"] * 2, "answer": ["red"] * 2}
        >>> FoundAgain(LexicalJudge(), DESCRIBED)(Batch(said, columns)).values
        array([1., 0.])

    References:
        Vision-SR1, arXiv 2508.19652, self-reward from the description alone.
    """

    compare: Comparison = same_text
    block: Callable[[str], str | Missing] = Block("answer", otherwise="text")
    gold: Column | Item = Column("answer")
    unread: float | None = None

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        rows = [{"completion": text, "question": "Which?", "answer": "red"} for text in _TEXTS]
        return cls(LexicalJudge(), DESCRIBED), [*rows, {**rows[0], "question": None}]

    def needs(self) -> tuple[str, ...]:
        own = (self.gold.name,) if isinstance(self.gold, Column) else ()
        return tuple(dict.fromkeys([*self.look.reads(), *own]))

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for row in range(len(batch) if isinstance(self.gold, Column) else 0):
            value = said(batch, row, self.gold)
            if value is not None and isinstance(wrong := gold_texts(value), Missing):
                raise ColumnError(f"FoundAgain: {self.gold} of row {row} is {value!r:.60}: {wrong.why}")

    def worth(self, batch: Batch, row: int, item: Any, asked: Asked, value: Any) -> float | Missing:
        right = gold_texts(said(batch, row, self.gold, item, self.look.each))
        if isinstance(right, Missing):
            raise ColumnError(f"FoundAgain: {self.gold} of row {row}: {right.why}")
        answer = self.block(value)
        found = answer if isinstance(answer, Missing) else _best([self.compare(answer, one) for one in right])
        if not isinstance(found, Missing):
            return found
        return Missing(f"unreadable reply ({found.why}): {value!r:.80}") if self.unread is None else self.unread


@dataclass(frozen=True)
class ChosenAgain(SecondLook):
    """How sure whoever looks again is of one option.

    value = p(option | what is shown), the mean over votes and items

    Args:
        of: the option that counts: the right one of a column, or what a parser reads as the policy's own choice.
        share: (probabilities, index of the option) -> 0..1; `its_share`, or `among_the_likeliest` for agreement.

    Reads: the columns of the look, and that of `of`. Range: [0, 1]. Low, without a call: the policy wrote nothing to
    look at, or chose none of the options. NaN: the judge failed.

    Raises:
        ColumnError: the column names none of the options.

    Example:
        >>> said = ["<description>a red red ball</description>"]
        >>> columns = {"question": ["Which colour?"], "answer": ["red"]}
        >>> ChosenAgain(LexicalJudge(), DESCRIBED)(Batch(said, columns)).values
        array([0.75])

    References:
        Listener-rewarded thinking, arXiv 2506.22832.
    """

    of: Source = Column("answer")
    share: Callable[[Sequence[float], int], float] = its_share
    ability: ClassVar[Ability] = "choose"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        rows = [{"completion": text, "question": "Which?", "answer": "red"} for text in _TEXTS]
        return cls(LexicalJudge(), DESCRIBED), [*rows, {**rows[1], "answer": "Blue"}]

    def needs(self) -> tuple[str, ...]:
        own = (self.of.name,) if isinstance(self.of, Column) else ()
        return tuple(dict.fromkeys([*self.look.reads(), *own]))

    def check(self, batch: Batch) -> None:
        super().check(batch)
        fixed = isinstance(self.of, Column) and not isinstance(self.look.options, Column)
        options = _names(self.look.options) if fixed else []
        for row in range(len(batch) if fixed else 0):
            value = said(batch, row, self.of)
            if value is not None and _name(value) not in options:
                raise ColumnError(f"ChosenAgain: {self.of} of row {row} is {value!r:.60}, none of {options}")

    def worth(self, batch: Batch, row: int, item: Any, asked: Asked, value: Any) -> float | Missing:
        chosen = said(batch, row, self.of, item, self.look.each)
        options = _names(asked.questions[0].options)
        name = "" if isinstance(chosen, Missing) or chosen is None else _name(chosen)
        if name in options:
            return self.share(value, options.index(name))
        if isinstance(self.of, (Column, Item)):
            raise ColumnError(f"ChosenAgain: {self.of} of row {row} is {chosen!r:.60}, none of {options}")
        return 0.0


@dataclass(frozen=True)
class Echo(SecondLook):
    """How likely whoever looks again finds a given text.

    value = mean over tokens of max(log p(token | what is shown, tokens before), lowest)

    Args:
        reduce: log-probabilities of the tokens -> value; `mean_logp` or `total_logp`.
        lowest: bound of each token's log-probability, so that one impossible token does not decide alone.

    Reads: the columns of the look, whose `continuation` is the text. Range: (-inf, 0]. Low, without a call: `nothing`,
    for 0 would be the best value. NaN: the judge failed.

    Raises:
        ColumnError: the text that a column holds is empty.

    Example:
        >>> look = Look("{seen}", (("seen", Column("seen")),), NoPictures(), continuation=Column("caption"))
        >>> columns = {"seen": ["red ball", "blue ball"], "caption": ["a red ball"] * 2}
        >>> Echo(LexicalJudge(8), look)(Batch(["", ""], columns)).values.round(4)
        array([-1.8405, -2.0715])

    References:
        PromptEcho, arXiv 2604.12652.
    """

    nothing: float = -100.0
    reduce: Callable[[Sequence[float]], float] = mean_logp
    lowest: float = -100.0
    ability: ClassVar[Ability] = "loglik"

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        look = Look("{d}", (("d", Block("description")),), NoPictures(), continuation=Column("caption"))
        rows = [{"completion": text, "caption": "a red ball"} for text in _TEXTS]
        return cls(LexicalJudge(), look), [*rows, {**rows[0], "caption": None}]

    def bounds(self) -> Range:
        return INFINITE[0], 0.0

    def check(self, batch: Batch) -> None:
        super().check(batch)
        source = self.look.continuation
        if not isinstance(source, Column):
            return
        for row in range(len(batch)):
            text = said(batch, row, source)
            if text is not None and (not isinstance(text, str) or not text.strip()):
                raise ColumnError(
                    f"Echo: column `{source.name}` of row {row} is {text!r:.60}; it needs a text that is not empty"
                )

    def worth(self, batch: Batch, row: int, item: Any, asked: Asked, value: Any) -> float | Missing:
        return self.reduce([max(float(logp), self.lowest) for logp in value])


def _name(option: Any) -> str:
    return str(option).strip().casefold()


def _names(options: Any) -> list[str]:
    return [_name(option) for option in options]


def _best(found: Sequence[float | Missing]) -> float | Missing:
    read = [float(value) for value in found if not isinstance(value, Missing)]
    return max(read) if read else found[0]


_TEXTS = (
    "<description>a red ball</description>",
    "<description>a blue ball</description>",
    "a red ball",
    "<description></description>",
)
