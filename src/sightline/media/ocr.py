"""Printed text in pictures, read by rapidocr: its models travel with the package, nothing is fetched.

Knows nothing of fields or questions.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from sightline.core.errors import MissingExtra
from sightline.media.images import Source, load


class TextLine(NamedTuple):
    """A line of text in a picture.

    Args:
        text: what it says.
        box: xyxy in pixels of the picture, around the line.
        confidence: the reader's own, 0..1.
    """

    text: str
    box: tuple[float, float, float, float]
    confidence: float


def text_lines(source: Source) -> list[TextLine]:
    """The lines of text in a picture, in the reader's order: from the top, then from the left.

    Args:
        source: anything `media.images.load` takes.

    Raises:
        MissingExtra: rapidocr is not installed.
        MediaError: the picture cannot be read.
    """
    picture = np.asarray(load(source))[:, :, ::-1]  # the reader wants blue first
    found = _reader()(np.ascontiguousarray(picture))
    if found.txts is None or found.boxes is None or found.scores is None:
        return []
    return [
        TextLine(text, _around(corners), float(score))
        for text, corners, score in zip(found.txts, found.boxes, found.scores, strict=True)
    ]


def _around(corners: Any) -> tuple[float, float, float, float]:
    x, y = np.asarray(corners, dtype=np.float64).reshape(-1, 2).T
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


@lru_cache(maxsize=1)
def _reader() -> Any:
    """The reader, made once: loading its models takes a second."""
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise MissingExtra.of("reading text in pictures", "ocr") from error
    return RapidOCR(params={"Global.log_level": "error"})
