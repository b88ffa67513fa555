"""Whether a description leaves the answer to whoever reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.core.scores import Score, Scores
from sightline.parse.presence import NotBlank
from sightline.parse.tags import Block
from sightline.rewards.gold import gold, gold_texts
from sightline.rewards.reward import Reward

_ANSWER_FORMS = ("\\boxed", "answer is")
_LAST_LETTER = re.compile(r"[\W_]*+([a-z])(?:[^\w\s]|_)*+(?:\s|\Z)")  # of a text read backwards
_LETTER = re.compile(r"[\W_]*+[a-z][\W_]*+")


@dataclass(frozen=True)
class KeepsAnswerBack(Reward):
    r"""Whether a description does not state the final answer in the form of an answer.

    value = 0 if the description contains `\boxed` or "answer is", or if the question is multiple choice and its last
    token is a bare option letter; else 1

    A question is multiple choice if a right answer is a single letter A to Z, punctuation around it or not. Case does
    not matter; tokens are what stands between blanks, their outer punctuation taken off; punctuation alone is none. A
    gate for what a second reader earns: it cannot tell a fact that must be described ("two cups") from a leak in other
    words.

    Args:
        find: text -> the description, or `Missing`: 0.

    Reads: `answer`. Range: 0 or 1.

    Example:
        >>> said = [f"<description>{d}</description>" for d in ("two cups", "The answer is 2", "It shows (B).")]
        >>> KeepsAnswerBack()(Batch(said, {"answer": ["2", "2", "B"]})).values
        array([1., 0., 0.])
    """

    find: Callable[[str], str | Missing] = NotBlank(Block("description"))
    reads: ClassVar = ("answer",)

    @classmethod
    def specimen(cls) -> tuple[Reward, list[dict[str, Any]]]:
        texts = ("two cups", "so \\boxed{2}", "The Answer is two", "options. B", "", "vitamin b")
        rows = [{"completion": f"<description>{text}</description>", "answer": "B"} for text in texts]
        return cls(), [*rows, {"completion": "none", "answer": "2"}, {**rows[3], "answer": ["2", "two"]}]

    def score(self, batch: Batch) -> Scores:
        right = gold(batch, "answer", type(self).__name__, gold_texts)
        rows = zip(batch.parse(self.find), right, strict=True)
        return Scores.from_rows([self._one(said, accepted) for said, accepted in rows])

    def _one(self, said: str | Missing, accepted: tuple[str, ...]) -> Score:
        if isinstance(said, Missing):
            return Score(0.0, said.why)
        low = said.casefold()
        stated = next((form for form in _ANSWER_FORMS if form in low), None)
        if stated is not None:
            return Score(0.0, f"the description states an answer: {stated!r}")
        last = _LAST_LETTER.match(low[::-1])
        if last is not None and any(_LETTER.fullmatch(one.casefold()) for one in accepted):
            return Score(0.0, f"the description ends in the option letter {last[1]!r}")
        return Score(1.0)
