"""Reports on text read off degraded pictures: per class of legibility, accuracy and similarity of the characters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sightline.core.errors import ShapeError
from sightline.metrics.characters import character_accuracy, edit_similarity, unsupported_share, without_blanks

CLASSES = ("clear", "not_clear", "final")
Strings = Mapping[str, Any]


def legibility_report(
    said: Sequence[Strings], right: Sequence[Strings], bare: Callable[[str], str] = without_blanks
) -> dict[str, Any]:
    """Means over samples, for each class of characters.

    Args:
        said: texts under `clear`, `not_clear` and `final`; one that is missing or no text counts as empty.
        right: the reference texts, under the same names.
        bare: what is compared of a text; `without_spaces` in the released script.

    Returns:
        For each class `accuracy` (position by position), `similarity` (edits) and `empty` (references without a
        character, whose accuracy is always 0); `average`, the mean of the three similarities; `invented`, the mean
        share of characters of `final` that the reference does not support.

    Raises:
        ShapeError: the numbers of samples differ.

    Example:
        >>> right = [{"clear": "Bauful", "not_clear": "e", "final": "Beau  ful"}]
        >>> report = legibility_report([{"clear": "Bauful", "final": "Beautiful"}], right)
        >>> round(report["average"], 6), round(report["invented"], 6)
        (0.592593, 0.222222)

    References:
        He et al., Seeing is Believing?, arXiv 2506.20168, evaluation script; `invented` is ours.
    """
    if len(said) != len(right):
        raise ShapeError(f"legibility_report: {len(said)} answers for {len(right)} references")
    report: dict[str, Any] = {}
    pairs = {
        name: [(bare(_text(a.get(name))), bare(_text(b.get(name)))) for a, b in zip(said, right, strict=True)]
        for name in CLASSES
    }
    for name, texts in pairs.items():
        report[name] = {
            "accuracy": _mean([character_accuracy(*pair) for pair in texts]),
            "similarity": _mean([edit_similarity(*pair) for pair in texts]),
            "empty": sum(not gold for _, gold in texts),
        }
    report["average"] = _mean([report[name]["similarity"] for name in CLASSES])
    report["invented"] = _mean([unsupported_share(*pair) for pair in pairs["final"]])
    return report


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
