"""An encoder of pictures and texts without a model: which colours are there? For tests and for runs without a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sightline.core.errors import MediaError
from sightline.judges.judge import Question, Verdict

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
