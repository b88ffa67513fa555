"""Gold lists of labelled boxes: read once per batch, their labels as numbers that can be compared.

A value that cannot be used is the caller's mistake: a `ColumnError` that names the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.core.scores import Values
from sightline.metrics.ragged import Ragged
from sightline.parse.boxes import is_box
from sightline.parse.json import load
from sightline.rewards.gold import gold
from sightline.rewards.picture_sizes import is_extent

BACKGROUND = -1.0  # the code of a label that no gold box can have


@dataclass(frozen=True)
class LabelledGold:
    """Gold boxes and labels of every row, once per batch.

    Args:
        column: list of [category, [x1, y1, x2, y2]], or JSON of it.
    """

    column: str

    def __call__(self, batch: Batch) -> list[tuple[list[list[float]], list[str]]]:
        return gold(batch, self.column, "a reward over labelled boxes", labelled_gold)


def original_sizes(batch: Batch) -> Values:
    """(B, 2) the columns `width` and `height`.

    Raises:
        ColumnError: one is not there, or a value is not a positive number.
    """
    for name in ("width", "height"):
        for row, side in enumerate(batch.column(name, "a reward over labelled boxes")):
            if not is_extent(side):
                raise ColumnError(f"column `{name}` of row {row} is {side!r}; it needs a positive number of pixels")
    return np.array([batch.column("width"), batch.column("height")], dtype=np.float64).T


def labelled_gold(value: Any) -> tuple[list[list[float]], list[str]] | Missing:
    """Boxes and labels of a gold list of [category, [x1, y1, x2, y2]], given as a list or as JSON.

    Example:
        >>> labelled_gold('[["cat", [1, 2, 3, 4]]]'), labelled_gold([["cat", [3, 2, 1, 4]]]).why
        (([[1, 2, 3, 4]], ['cat']), 'item 0 needs [category, [x1, y1, x2, y2]] with x1 < x2 and y1 < y2')
    """
    items = load(value) if isinstance(value, str) else value
    items = items.tolist() if isinstance(items, np.ndarray) else items
    if isinstance(items, Missing) or not isinstance(items, Sequence):
        return Missing("it needs a list of [category, [x1, y1, x2, y2]]")
    pairs = [_labelled(item) for item in items]
    if None in pairs:
        return Missing(f"item {pairs.index(None)} needs [category, [x1, y1, x2, y2]] with x1 < x2 and y1 < y2")
    whole = [pair for pair in pairs if pair is not None]
    return [box for _, box in whole], [label for label, _ in whole]


@dataclass(frozen=True)
class CodedGold:
    """Gold boxes with the code of their label, (M, 5), and the codes of labels in rows without a map; once per batch.

    Args:
        column: as in `BoxPairing`.
    """

    column: str

    def __call__(self, batch: Batch) -> tuple[Ragged, Mapping[str, float]]:
        rows = batch.once(LabelledGold(self.column))
        maps = batch.column("target_id_maps") if batch.has("target_id_maps") else [None] * len(batch)
        stated = batch.column("num_instances") if batch.has("num_instances") else [None] * len(batch)
        known = {_plain(label): 0.0 for _, labels in rows for label in labels}
        known = {label: float(code) for code, label in enumerate(known)}
        flat: list[tuple[float, ...]] = []
        for row, ((boxes, labels), names, number) in enumerate(zip(rows, maps, stated, strict=True)):
            if number is not None and number != len(boxes):
                raise ColumnError(
                    f"BoxPairing: column `num_instances` of row {row} is {number!r}; `{self.column}` has {len(boxes)}"
                )
            coded = codes(labels, _checked(names, row), known)
            if BACKGROUND in coded:
                raise ColumnError(
                    f"BoxPairing: column `target_id_maps` of row {row} lacks {labels[coded.index(BACKGROUND)]!r}"
                )
            flat += [(*box, code) for box, code in zip(boxes, coded, strict=True)]
        counts = [len(boxes) for boxes, _ in rows]
        return Ragged.from_counts(np.array(flat, dtype=np.float64).reshape(-1, 5), counts), known


def _labelled(item: Any) -> tuple[str, list[float]] | None:
    """A category and a box with an area, of one gold item."""
    label, box = item if isinstance(item, Sequence | np.ndarray) and len(item) == 2 else (None, None)
    listed = box.tolist() if isinstance(box, np.ndarray) else list(box) if isinstance(box, tuple | list) else []
    if isinstance(label, str) and is_box(listed) and listed[0] < listed[2] and listed[1] < listed[3]:
        return label, listed
    return None


def codes(labels: Sequence[str | None], names: Any, known: Mapping[str, float]) -> list[float]:
    """Labels as numbers that are equal where the labels are; background for what is in no map."""
    if names is not None and labels:
        known = {_plain(name): float(number) for name, number in names.items() if number > 0}
    return [BACKGROUND if label is None else known.get(_plain(label), BACKGROUND) for label in labels]


def _plain(label: str) -> str:
    return label.strip().lower()


def _checked(names: Any, row: int) -> Any:
    if names is not None and not (isinstance(names, Mapping) and all(map(_is_entry, names.items()))):
        raise ColumnError(
            f"BoxPairing: column `target_id_maps` of row {row} is {names!r:.60}; it needs a mapping of names to ids"
        )
    return names


def _is_entry(entry: tuple[Any, Any]) -> bool:
    name, number = entry
    return isinstance(name, str) and isinstance(number, int | float | np.number)
