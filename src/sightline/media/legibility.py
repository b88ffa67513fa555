"""How much of each character a degradation hides, and the three strings that follow: clear, partly covered, readable.

Shares of covered pixels are all it knows; whether somebody could still read a blurred character is not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ShapeError

CLEAR, PARTLY = 0.2, 0.6


class LegibleStrings(NamedTuple):
    """What can be read of a text.

    Args:
        clear: fully legible characters in reading order.
        not_clear: partly covered ones that can still be read, in reading order.
        final: both in order, with one blank for every unreadable character.
    """

    clear: str
    not_clear: str
    final: str


def covered_shares(mask: NDArray[np.bool_], boxes: ArrayLike) -> NDArray[np.float64]:
    """(N,) the share of each character box that is covered.

    Args:
        mask: (H, W) True where a pixel is hidden.
        boxes: (N, 4) xyxy in pixels of the mask, right and bottom edges excluded. An empty box counts as covered.

    Raises:
        ShapeError: the mask is not a picture's, or the boxes are not (N, 4).

    Example:
        >>> mask = np.zeros((4, 8), bool); mask[:, 2:4] = True
        >>> covered_shares(mask, [[0, 0, 4, 4], [4, 0, 8, 4]])
        array([0.5, 0. ])
    """
    mask, boxes_N4 = np.asarray(mask, dtype=bool), np.asarray(boxes, dtype=np.int64).reshape(-1, 4)
    if mask.ndim != 2:
        raise ShapeError(f"covered_shares needs a mask (H, W); got shape {mask.shape}")
    parts = [mask[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] for x1, y1, x2, y2 in boxes_N4.tolist()]
    return np.array([float(part.mean()) if part.size else 1.0 for part in parts])


def legible_strings(
    text: str, covered: Sequence[float] | NDArray[np.float64], clear: float = CLEAR, partly: float = PARTLY
) -> LegibleStrings:
    """The three strings of a text whose characters are covered to these shares.

    A character is clear up to the share `clear`, partly covered up to `partly`, unreadable beyond.

    Args:
        text: one character for each share; blanks of the text stay where they are in `final`.
        covered: (N,) shares, 0..1.

    Raises:
        ShapeError: text and shares differ in number.

    Example:
        >>> legible_strings("Beautiful", [0, .5, 0, 0, 1, 1, 0, 0, 0])
        LegibleStrings(clear='Bauful', not_clear='e', final='Beau  ful')

    References:
        He et al., Seeing is Believing?, arXiv 2506.20168, annotation; the thresholds are ours.
    """
    if len(text) != len(covered):
        raise ShapeError(f"legible_strings: {len(covered)} shares for {len(text)} characters")
    pairs = list(zip(text, covered, strict=True))
    return LegibleStrings(
        "".join(c for c, share in pairs if share <= clear),
        "".join(c for c, share in pairs if clear < share <= partly),
        "".join(c if share <= partly else " " for c, share in pairs),
    )
