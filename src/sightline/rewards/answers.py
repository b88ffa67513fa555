"""Whether the answer is right: one reward, and the comparisons it takes as values.

A comparison is a pure function of what was said and what is right, both texts, that returns 0..1, or `Missing` if the
answer cannot be read, which earns 0 with that reason. Any module-level function or frozen dataclass will do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.marks import Mark
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores
from sightline.metrics.numbers import relative_closeness
from sightline.metrics.text import indel_ratio, rouge, word_error_rate
from sightline.parse.choices import OptionLetter, YesNo, lone_letter
from sightline.parse.maths import LONGEST, Boxed, maths_equal, need_math_verify
from sightline.parse.numbers import Number, same_number
from sightline.parse.tags import ANSWER, Block, Span
from sightline.parse.text import clean_text, squeezed
from sightline.rewards.gold import GoldReward, gold, gold_texts, texts
from sightline.rewards.reward import Reward

_TEXT = re.compile(r"\\(?:text|textbf|textit|mathrm|mbox)\{([^{}]*)\}")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)\s+(?=\d)")

Comparison: TypeAlias = "Callable[[str, str], float | Missing]"


class Place(Protocol):
    """A parser that says where in a text it found something: `Block`, `LastBox`."""

    def span(self, text: str) -> Span | Missing: ...


@dataclass(frozen=True)
class Answer(GoldReward):
    """Whether, or how nearly, the answer is the right one.

    value = compare(text of the answer block, gold answer), the best of them if several answers are accepted

    Args:
        compare: (said, right) -> 0..1, or `Missing`: 0 with its reason.
        block: where the answer stands.
        column: the gold answer: a text, with or without answer tags, or a number; or a list of accepted answers.
        absent: what counts as said where there is no such block; None: that earns 0.
        read: value of the column -> accepted answers, or `Missing`: the caller's mistake.

    Reads: `column`. Range: 0..1. Marks: the answer block.

    Example:
        >>> said = ["<answer>B.</answer>", "<answer>A or B</answer>"]
        >>> Answer(same_letter)(Batch(said, {"answer": ["B", "B"]})).values
        array([1., 0.])
    """

    compare: Comparison
    block: Place = ANSWER
    column: str = "answer"
    absent: str | None = None
    read: Callable[[Any], tuple[str, ...] | Missing] = gold_texts

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = (
            "<answer>B.</answer>",
            "<answer>A or B</answer>",
            "<answer>b</answer>",
            "B",
            "<answer> (B) dog</answer>",
        )
        return cls(same_letter), [{"completion": text, "answer": "B"} for text in said]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        ready = getattr(self.compare, "ready", None)
        if ready is not None:
            ready()

    def right(self, batch: Batch) -> list[Any]:
        return gold(batch, self.column, type(self).__name__, self.read)

    def score(self, batch: Batch) -> Scores:
        right = self.right(batch)
        spans = batch.parse(self.block.span)
        return Scores.from_rows([self._one(*row) for row in zip(spans, right, strict=True)])

    def _one(self, span: Span | Missing, right: tuple[str, ...]) -> Score:
        if isinstance(span, Missing):
            if self.absent is None:
                return Score(0.0, span.why)
            return self._best(self.absent, right)
        found = self._best(span.text, right)
        return Score(found.value, found.why, (Mark("char", (span.start, span.end), found.value, found.why),))

    def _best(self, said: str, right: tuple[str, ...]) -> Score:
        best = self._compared(said, right[0])
        for other in right[1:]:
            if best.value >= 1:
                break
            best = max(best, self._compared(said, other), key=lambda score: score.value)
        return best

    def _compared(self, said: str, right: str) -> Score:
        value = self.compare(said, right)
        if isinstance(value, Missing):
            return Score(0.0, value.why)
        return Score(float(value), f"{_short(said)} for {_short(right)}" if value < 1 else "")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def same_text(said: str, right: str) -> float:
    """1 for the same characters."""
    return float(said == right)


def same_letter(said: str, right: str) -> float | Missing:
    """1 for the same text, or for a lone option letter that is the right one.

    Example:
        >>> same_letter("(b) dog", "B"), same_letter("A or B", "B"), same_letter("dog", "dog")
        (1.0, Missing(why='not a lone option letter'), 1.0)
    """
    if said == right:
        return 1.0
    mine, gold = lone_letter(said), lone_letter(right)
    if isinstance(gold, Missing) or isinstance(mine, Missing):
        return mine if isinstance(mine, Missing) else 0.0
    return float(mine == gold)


@dataclass(frozen=True)
class SameNumber:
    """1 for numbers that are equal after rounding; commas are taken out first.

    Args:
        decimals: digits kept behind the point.
        same_style: moreover both or neither text must contain `.` or `,`, as released code asks.
    """

    decimals: int = 2
    same_style: bool = False

    def __call__(self, said: str, right: str) -> float | Missing:
        found = Number()(said)
        if isinstance(found, Missing):
            return found
        return float(same_number(said, right, self.decimals, self.same_style))


def word_accuracy(said: str, right: str) -> float:
    """max(0, 1 - word error rate)."""
    return max(0.0, 1.0 - word_error_rate(said, right))


def rouge_mean(said: str, right: str) -> float:
    """Mean of the ROUGE-1, ROUGE-2 and ROUGE-L F measures, with stemming."""
    found = rouge(said, right)
    return (found.rouge_1 + found.rouge_2 + found.rouge_l) / 3


def number_closeness(said: str, right: str) -> float | Missing:
    """One minus the relative error, not below 0; 0 if either is not a number."""
    mine, gold = Number()(said), Number()(right)
    if isinstance(mine, Missing):
        return mine
    return 0.0 if isinstance(gold, Missing) else float(relative_closeness(mine, gold))


def same_clean_text(said: str, right: str) -> float:
    """1 for equal texts after cleaning: one line, trimmed, no final dots, lower case."""
    return float(clean_text(said) == clean_text(right))


def text_ratio(said: str, right: str) -> float:
    """2 LCS / (len + len) of the cleaned texts: insertions and deletions only."""
    return indel_ratio(clean_text(said), clean_text(right))


@dataclass(frozen=True)
class SameChoice:
    """1 if both texts settle on the same option letter; 0 if the answer settles on none.

    Args:
        letter: text -> letter or `Missing`.
    """

    letter: OptionLetter = OptionLetter()

    def __call__(self, said: str, right: str) -> float | Missing:
        mine = self.letter(said)
        if isinstance(mine, Missing):
            return mine
        gold = self.letter(right)
        # a bare gold letter is one, whatever the parser asks to stand behind it
        return float(mine == (right.strip().upper() if isinstance(gold, Missing) else gold))


@dataclass(frozen=True)
class SameYesNo:
    """1 if both texts say yes, or both say no.

    Args:
        find: text -> `yes`, `no` or `Missing`.
        neither_is_equal: two texts that say neither are equal, as in released code.
    """

    find: YesNo = YesNo()
    neither_is_equal: bool = False

    def __call__(self, said: str, right: str) -> float | Missing:
        mine, gold = self.find(said), self.find(right)
        if isinstance(mine, Missing):
            return float(isinstance(gold, Missing)) if self.neither_is_equal else mine
        return float(mine == gold)


@dataclass(frozen=True)
class SameMaths:
    """1 for mathematically equal answers: equal texts, else symbolically equal, else equal words.

    Words are compared inside `\\boxed{}` and `\\text{}`, in lower case, without blanks except between digits.

    Never compare lists of boxes with it: a maths parser reduces them to their first number.

    Args:
        seconds: how long one comparison may take.
    """

    seconds: float = 2.0

    def ready(self) -> None:
        need_math_verify()

    def __call__(self, said: str, right: str) -> float | Missing:
        if said == right:
            return 1.0
        found = maths_equal(said, right, self.seconds)
        if found is True:
            return 1.0
        mine, gold = _words(said), _words(right)
        return 1.0 if mine and mine == gold else found if isinstance(found, Missing) else 0.0


def _words(text: str) -> str:
    """What is compared of a text that is no mathematics; nothing of one that is too long for an answer."""
    inner = Boxed()(text)
    bare = text if isinstance(inner, Missing) else inner
    if len(bare) > LONGEST:
        return ""
    if found := _TEXT.fullmatch(bare.strip()):
        bare = found[1]
    return squeezed(_BETWEEN_DIGITS.sub("|", bare))


@dataclass(frozen=True)
class LooseMatch:
    """An answer of unknown kind, compared by the first test that applies.

    1. symbolically equal: 1
    2. the gold answer has a digit: 1 if both are the same float, the text ratio if either is no number
    3. the gold answer settles on an option letter: 1 if the answer settles on it, else 0
    4. the text ratio

    Args:
        letter: how option letters are found.
        seconds: how long the symbolic comparison may take.
    """

    letter: OptionLetter = OptionLetter()
    seconds: float = 2.0

    def ready(self) -> None:
        need_math_verify()

    def __call__(self, said: str, right: str) -> float | Missing:
        if maths_equal(said, right, self.seconds) is True:
            return 1.0
        if any(character.isdigit() for character in right):
            mine, gold = Number(commas=False)(said), Number(commas=False)(right)
            if isinstance(mine, Missing) or isinstance(gold, Missing):
                return text_ratio(said, right)
            return float(mine == gold)
        gold_letter = self.letter(right)
        if not isinstance(gold_letter, Missing):
            found = self.letter(said)
            return found if isinstance(found, Missing) else float(found == gold_letter)
        return text_ratio(said, right)


@dataclass(frozen=True)
class ClassName(GoldReward):
    """Whether the answer names the class, or one of its aliases, and nothing else.

    value = 1 if the names are equal in lower case without blanks and underscores, else 0

    Args:
        block: where the answer stands.
        column: the gold class name.

    Reads: `column`; `aliases` (list of texts, or None) if it is there. Range: 0 or 1.
    Low: an empty answer, a part of the name, a list of names.

    Raises:
        ColumnError: the aliases of a row are one text instead of a list.

    Example:
        >>> said = ["<answer>Garden_Phlox</answer>", "<answer>phlox</answer>"]
        >>> ClassName()(Batch(said, {"solution": ["garden phlox"] * 2})).values
        array([1., 0.])
    """

    block: Block = Block("answer", otherwise="text")
    column: str = "solution"
    may_read: ClassVar = ("aliases",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        said = ("<answer>Garden_Phlox</answer>", "phlox", "<answer></answer>", "<answer>A or garden phlox</answer>")
        rows: list[dict[str, Any]] = [{"completion": text, "solution": "garden phlox"} for text in said]
        return cls(), [*rows, {**rows[1], "aliases": ["phlox"]}]

    def check(self, batch: Batch) -> None:
        super().check(batch)
        for row, value in enumerate(batch.column("aliases") if batch.has("aliases") else ()):
            if value is not None and (isinstance(value, str) or not hasattr(value, "__iter__")):
                raise ColumnError(
                    f"ClassName: column `aliases` of row {row} is {value!r:.60}; it needs a list of texts"
                )

    def right(self, batch: Batch) -> list[str]:
        return texts(batch, self.column, type(self).__name__)

    def score(self, batch: Batch) -> Scores:
        right = self.right(batch)
        aliases = batch.column("aliases") if batch.has("aliases") else [None] * len(batch)
        said = batch.parse(self.block)
        return Scores.from_rows([self._one(*row) for row in zip(said, right, aliases, strict=True)])

    def _one(self, said: str | Missing, right: str, aliases: Any) -> Score:
        if isinstance(said, Missing):
            return Score(0.0, said.why)
        known = {squeezed(str(name)) for name in (right, *(() if aliases is None else aliases))} - {""}
        return Score(1.0) if squeezed(said) in known else Score(0.0, f"{_short(said)} is not {_short(right)}")


def contains_either_way(said: str, right: str) -> float:
    """1 if one squeezed name contains the other, as released code has it: the empty answer is right for every class.

    Example:
        >>> contains_either_way("", "garden phlox"), contains_either_way("rose", "garden phlox")
        (1.0, 0.0)
    """
    mine, gold = squeezed(said), squeezed(right)
    return float(mine in gold or gold in mine)
