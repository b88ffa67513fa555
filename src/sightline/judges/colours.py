"""Judges of pictures without a model: which colours are there? For tests and for runs without a model."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.errors import MediaError
from sightline.judges.judge import Question, Verdict

_WORD = re.compile(r"[^\W_]+")
COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "red": (255, 0, 0), "green": (0, 160, 0),
    "blue": (0, 0, 255), "yellow": (255, 255, 0), "brown": (130, 80, 40), "grey": (128, 128, 128),
}  # fmt: skip


@dataclass(frozen=True)
class ColourEmbedder:
    """Counts eight colours: named in the text, or shown in the picture; both in one space.

    text:     how often each colour is named
    picture:  share of pixels nearest to each colour (mean over several pictures)

    Example:
        >>> red = np.full((2, 2, 3), (250, 10, 10), dtype=np.uint8)
        >>> text, picture = ColourEmbedder().embed([Question("a red ball"), Question("", images=(red,))])
        >>> text.value == picture.value
        True
    """

    @property
    def id(self) -> str:
        return "colours"

    def embed(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """Eight numbers per question."""
        return [_colours(question) for question in questions]


@dataclass(frozen=True)
class ColourJudge:
    """Finds likely the colours that a picture shows.

    loglik    per word of the continuation log(least + share of pixels) if it is one of eight colours, else log(least)
    choose    options in proportion to least + share of pixels of the colour that they name
    generate  the whole number nearest to 10 x share of pixels of the colours that the fields name, as a rating

    Args:
        least: what a colour that is not shown counts, in (0, 1).

    Verdicts: an error for a picture that cannot be read; without pictures every share is 0.

    Example:
        >>> red = np.full((2, 2, 3), (250, 10, 10), dtype=np.uint8)
        >>> shown = Question("{said}", (("said", "a red ball"),), images=(red,), options=("red", "blue"))
        >>> [round(share, 4) for share in ColourJudge().choose([shown])[0].value]
        [0.9902, 0.0098]
        >>> ColourJudge().generate([shown])[0].value
        '10'
    """

    least: float = 0.01

    @property
    def id(self) -> str:
        return f"colour judge:{self.least:g}"

    def loglik(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """A log-probability per word."""
        return [self._of(question, self._logps) for question in questions]

    def choose(self, questions: Sequence[Question]) -> list[Verdict[tuple[float, ...]]]:
        """Shares of the options."""
        return [self._of(question, self._shares) for question in questions]

    def generate(self, questions: Sequence[Question]) -> list[Verdict[str]]:
        """A rating from 0 to 10."""
        return [self._of(question, self._rating) for question in questions]

    def _of(self, question: Question, read: Callable[[Question, dict[str, float]], Any]) -> Verdict[Any]:
        seen = _colours(question) if question.images else Verdict((0.0,) * len(COLOURS))
        if seen.value is None:
            return Verdict(error=seen.error)
        return Verdict(read(question, dict(zip(COLOURS, seen.value, strict=True))))

    def _logps(self, question: Question, shown: dict[str, float]) -> tuple[float, ...]:
        words = _WORD.findall(question.continuation.lower())
        return tuple(math.log(min(1.0, self.least + shown.get(word, 0.0))) for word in words)

    def _shares(self, question: Question, shown: dict[str, float]) -> tuple[float, ...]:
        found = [self.least + shown.get(option.strip().lower(), 0.0) for option in question.options]
        return tuple(share / sum(found) for share in found)

    def _rating(self, question: Question, shown: dict[str, float]) -> str:
        words = set(_WORD.findall(" ".join(str(value) for _, value in question.fields).lower()))
        return str(round(10 * sum(share for name, share in shown.items() if name in words)))


def _colours(question: Question) -> Verdict[tuple[float, ...]]:
    from sightline.media import images

    if not question.images:
        words = question.text().lower().split()
        return Verdict(tuple(float(words.count(name)) for name in COLOURS))
    try:
        pictures = [np.asarray(images.load(image), dtype=np.int64).reshape(-1, 1, 3) for image in question.images]
    except MediaError as error:
        return Verdict(error=str(error))
    table_C3 = np.array(list(COLOURS.values()))
    nearest = [((pixels_N13 - table_C3) ** 2).sum(-1).argmin(1) for pixels_N13 in pictures]
    shares = np.mean([np.bincount(one, minlength=len(COLOURS)) / len(one) for one in nearest], axis=0)
    return Verdict(tuple(shares.tolist()))
