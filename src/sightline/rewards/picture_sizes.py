"""Widths and heights of pictures, from columns of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.scores import Values


def picture_sizes(batch: Batch, column: str, who: str, otherwise: Values | None = None) -> Values:
    """(B, 2) width and height of each row, in pixels.

    Args:
        column: (width, height) pairs.
        otherwise: (B, 2) sizes of rows that have none; None: every row must have one.

    Raises:
        ColumnError: a row's value is not a pair of positive finite numbers.

    Example:
        >>> picture_sizes(Batch(["a"], {"image_size": [(640, 480)]}), "image_size", "a test")
        array([[640., 480.]])
    """
    given = batch.column(column, who) if otherwise is None or batch.has(column) else [None] * len(batch)
    sizes = np.ones((len(batch), 2))
    for row, value in enumerate(given):
        if value is None and otherwise is not None:
            sizes[row] = otherwise[row]
        elif not is_size(value):
            raise ColumnError(f"{who}: column `{column}` of row {row} is {value!r}; it needs (width, height) in pixels")
        else:
            sizes[row] = value
    return sizes


def is_size(value: Any) -> bool:
    """A pair of positive finite numbers."""
    pair = value if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else ()
    return len(pair) == 2 and all(is_extent(side) for side in pair)


def is_extent(value: Any) -> bool:
    """A positive finite number."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return bool(number and 0 < value <= 1e300)  # an integer of any length is less than infinity
