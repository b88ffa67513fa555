"""Gold boxes of a batch as arrays: lists of labelled boxes from a column, each distinct value parsed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.missing import Missing
from sightline.metrics.ragged import Ragged
from sightline.parse.boxes import Detections, FoundBoxes, is_box
from sightline.parse.tags import Inside
from sightline.rewards.gold import gold


@dataclass(frozen=True, eq=False)
class GoldBoxes:
    """What is right for each of B rollouts.

    Args:
        boxes: B rows of (n, 4) boxes.
        labels: B lists of labels; an item without one has the empty string.

    A row without boxes says that there is nothing to be found.
    """

    boxes: Ragged
    labels: list[list[str]]


@dataclass(frozen=True)
class ReadGoldBoxes:
    """A gold column as boxes, once per batch.

    Args:
        column: texts, or lists of items.
        find: text -> text of the list, for texts.
        items: text of the list, or list, -> boxes. A text that holds no list says in words that there is nothing.
        who: the reward that reads, for messages.

    Raises:
        ColumnError: an item of a gold list has no box of four finite numbers.
    """

    column: str
    find: Callable[[str], str | Missing]
    items: Detections
    who: str

    def __call__(self, batch: Batch) -> GoldBoxes:
        rows = gold(batch, self.column, self.who, self._read)
        counts = [0 if row is None else len(row.xyxy) for row in rows]
        flat = [box for row in rows if row is not None for box in row.xyxy]
        boxes = np.fromiter(chain.from_iterable(flat), np.float64, 4 * len(flat)).reshape(-1, 4)
        labels = [[] if row is None else [label or "" for label in row.labels] for row in rows]
        return GoldBoxes(Ragged.from_counts(boxes, counts), labels)

    def _read(self, value: Any) -> FoundBoxes | Missing | None:
        found: FoundBoxes | Missing
        if isinstance(value, str):
            found = Inside(self.find, self.items)(value)
        elif value is None:
            return None
        else:
            found = self.items.read([_plain(item) for item in value])
        if isinstance(found, Missing):
            return None
        for number, box in enumerate(found.xyxy):
            if not is_box(list(box)):
                return Missing(f"item {number} of the gold list has no box of four finite numbers")
        return found


def _plain(item: Any) -> Any:
    """An item with its box as a list of numbers, whatever arrays or tuples the data holds."""
    if not hasattr(item, "items"):
        return item
    return {key: list(value) if isinstance(value, tuple | np.ndarray) else value for key, value in item.items()}
