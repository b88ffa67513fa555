"""Gold boxes of a batch as arrays: lists of labelled boxes from a column, each distinct value parsed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        nothing: the words, in lower case, that say so; None: any.

    Raises:
        ColumnError: an item of a gold list has no box of four finite numbers, or a text is neither list nor `nothing`.
    """

    column: str
    find: Callable[[str], str | Missing]
    items: Detections
    who: str
    nothing: tuple[str, ...] | None = None

    def __call__(self, batch: Batch) -> GoldBoxes:
        rows = gold(batch, self.column, self.who, self._gold)
        parts = [boxes for boxes, _ in rows]
        flat = np.concatenate(parts) if parts else np.zeros((0, 4))
        return GoldBoxes(Ragged.from_counts(flat, [len(part) for part in parts]), [labels for _, labels in rows])

    def _gold(self, value: Any) -> tuple[NDArray[np.float64], list[str]] | Missing:
        """The boxes and labels of one value."""
        found = self._read(value)
        if isinstance(found, Missing):
            return found
        if found is None:
            return np.zeros((0, 4)), []
        boxes = np.array(found.xyxy, dtype=np.float64).reshape(-1, 4)
        return boxes, [label or "" for label in found.labels]

    def _read(self, value: Any) -> FoundBoxes | Missing | None:
        found: FoundBoxes | Missing
        if value is None:
            return None
        if isinstance(value, str):
            found = Inside(self.find, self.items)(value)
            if isinstance(found, Missing):
                return None if self._says_nothing(value) else Missing(f"it needs a list of boxes: {found.why}")
        elif isinstance(value, Sequence | np.ndarray):
            found = self.items.read([_plain(item) for item in value])
        else:
            return Missing("it needs a list of boxes, or a text that holds one")
        for number, box in enumerate(found.xyxy):
            if not is_box(list(box)):
                return Missing(f"item {number} of the gold list has no box of four finite numbers")
        return found

    def _says_nothing(self, value: str) -> bool:
        words = self.find(value)
        return self.nothing is None or (not isinstance(words, Missing) and words.strip().lower() in self.nothing)


def _plain(item: Any) -> Any:
    """An item with its box as a list of numbers, whatever arrays or tuples the data holds."""
    if not hasattr(item, "items"):
        return item
    return {key: _listed(value) for key, value in item.items()}


def _listed(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return [_listed(one) for one in value] if isinstance(value, tuple | list) else value
