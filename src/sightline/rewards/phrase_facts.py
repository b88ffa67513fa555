"""Whether what a description states is in the picture, phrase by phrase, one kind of fact at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from sightline.core.batch import Batch
from sightline.core.errors import ConfigError
from sightline.core.marks import Mark
from sightline.core.scores import Score, Scores, failed
from sightline.judges.judge import Ability, Question, Verdict
from sightline.judges.lexical import LexicalJudge
from sightline.judges.prompts import prompt
from sightline.metrics.fact_classes import CLASSES, by_class
from sightline.parse.phrases import Phrases
from sightline.parse.tags import Span
from sightline.rewards.pictures import pictures_if_any
from sightline.rewards.reward import JudgedReward, Range, Reward

Divide = Callable[[str], Sequence[Span]]
KINDS = {
    "object": "objects: that something is there",
    "attribute": "attributes: colour, number, shape, material or state of something",
    "relation": "relations: how two things stand to each other",
}


@dataclass(frozen=True)
class PhraseFacts(JudgedReward):
    """What the phrases of a description earn for their facts of one kind: 1 if clean, -1 if hallucinated, 0 if none.

    p_i   = judge's probabilities of (not applicable, clean, hallucinated) for phrase i, given the phrases before it
    value = sum_i worth(p_i)

    Args:
        judge: chooses one of the three classes; a trained token classifier, or a model that is asked.
        kind: object, attribute or relation.
        worth: probabilities -> what the phrase earns, in [-1, 1].
        phrases: text -> the phrases.
        most: so many phrases are judged at most; those beyond are one phrase with the last of these.
        template: the prompt, with places `kind` and `phrases`.

    Marks: every phrase with what it earns, for credit at its last token.

    Reads: `images` if they are there. Range: -most..most. Low, without a call: -1 for a text without words.
    NaN: the judge failed on some phrase.

    Raises:
        ConfigError: there is no such kind.

    Example:
        >>> from sightline.judges.replay import ScriptedJudge
        >>> judge = ScriptedJudge((), {"choose": ((0.1, 0.8, 0.1), (0.0, 0.3, 0.7), (0.9, 0.1, 0.0))})
        >>> scores = PhraseFacts(judge, "object")(Batch(["A dog. A cat. How nice.", ""]))
        >>> scores.values, [mark.value for mark in scores.marks[0]]
        (array([ 0., -1.]), [1.0, -1.0, 0.0])

    References:
        FGAIF, arXiv 2404.05046, reward models of segments.
    """

    kind: str
    worth: Callable[[Sequence[float]], float] = by_class
    phrases: Divide = Phrases()
    most: int = 64
    template: str = prompt("fact_class").text
    ability: ClassVar[Ability] = "choose"
    may_read: ClassVar[tuple[str, ...]] = ("images",)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"{type(self).__name__}: kind is {self.kind!r}; it can be {list(KINDS)}")
        if self.most < 1:
            raise ConfigError(f"{type(self).__name__}: at most {self.most} phrases; it must be at least 1")

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        texts = ("A clean red cup, and a hallucinated dog runs past it. Fine.", "clean", "", " \n", "hallucinated.")
        return cls(LexicalJudge(), "object", most=3), [{"completion": text} for text in texts]

    def bounds(self) -> Range:
        return -float(self.most), float(self.most)

    def questions(self, batch: Batch) -> list[tuple[Question, ...]]:
        images = pictures_if_any(batch)
        return [self._asked(self._capped(p), i) for p, i in zip(self._all(batch), images, strict=True)]

    def _all(self, batch: Batch) -> list[Sequence[Span]]:
        return batch.parse(cast(Any, self.phrases))

    def _asked(self, phrases: Sequence[Span], images: tuple[Any, ...]) -> tuple[Question, ...]:
        texts = tuple(phrase.text for phrase in phrases)
        return tuple(
            Question(
                self.template,
                (("kind", KINDS[self.kind]), ("phrases", texts[: i + 1])),
                ("phrases",),
                images,
                CLASSES,
            )
            for i in range(len(texts))
        )

    def _capped(self, found: Sequence[Span]) -> Sequence[Span]:
        if len(found) <= self.most:
            return found
        rest = found[self.most - 1 :]
        joined = Span(" ".join(phrase.text for phrase in rest), rest[0].start, rest[-1].end)
        return [*found[: self.most - 1], joined]

    def judged(self, batch: Batch, verdicts: list[tuple[Verdict[Any], ...]]) -> Scores:
        rows = zip(batch.texts, self._all(batch), verdicts, strict=True)
        return Scores.from_rows([self._of(text, self._capped(phrases), said) for text, phrases, said in rows])

    def _of(self, text: str, phrases: Sequence[Span], verdicts: Sequence[Verdict[Any]]) -> Score:
        if phrases:
            return self._one(phrases, verdicts)
        return Score(0.0, "no phrase") if text.strip() else self.blank()

    def blank(self) -> Score:
        """What a text without words earns."""
        return Score(-1.0, "no words")

    def _one(self, phrases: Sequence[Span], verdicts: Sequence[Verdict[Any]]) -> Score:
        error = next((verdict.error for verdict in verdicts if verdict.value is None), "")
        if error:
            return failed(f"a phrase could not be judged: {error}")
        chances: list[Sequence[float]] = [verdict.value or () for verdict in verdicts]
        earned = [float(self.worth(chance)) for chance in chances]
        marks = tuple(
            Mark("char", (phrase.start, phrase.end), value, f"{self.kind}: {_likeliest(chance)}")
            for phrase, value, chance in zip(phrases, earned, chances, strict=True)
        )
        wrong = sum(value < 0 for value in earned)
        return Score(math.fsum(earned), f"{len(phrases)} phrases, {wrong} with a wrong {self.kind}", marks)


@dataclass(frozen=True)
class CheckablePhrases(PhraseFacts):
    """Share of the phrases that state a fact of the kind at all: to watch, since vague text earns 0 and loses nothing.

    value = phrases whose likeliest class is not "not applicable" / phrases

    Range: 0..1. Low: 0 for a text without words.

    Example:
        >>> CheckablePhrases(LexicalJudge(), "object")(Batch(["All is clean. Not applicable."])).values
        array([0.5])
    """

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        return cls(LexicalJudge(), "relation"), PhraseFacts.specimen()[1]

    def bounds(self) -> Range:
        return 0.0, 1.0

    def blank(self) -> Score:
        """Nothing is stated."""
        return Score(0.0, "no words")

    def _one(self, phrases: Sequence[Span], verdicts: Sequence[Verdict[Any]]) -> Score:
        error = next((verdict.error for verdict in verdicts if verdict.value is None), "")
        if error:
            return failed(f"a phrase could not be judged: {error}")
        stated = sum(_likeliest(verdict.value or ()) != CLASSES[0] for verdict in verdicts)
        return Score(stated / len(phrases), f"{stated} of {len(phrases)} phrases state one")


def _likeliest(probabilities: Sequence[float]) -> str:
    return CLASSES[max(range(len(CLASSES)), key=lambda i: probabilities[i])]
