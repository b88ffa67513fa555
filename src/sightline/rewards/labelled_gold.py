"""Gold lists of labelled boxes: read once per batch, their labels as numbers that can be compared.

A value that cannot be used is the caller's mistake: a `ColumnError` that names the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
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
    """Gold boxes with the code of their label, (M, 5), and the codes of names in each row; once per batch.

    Args:
        column: as in `BoxPairing`.
    """

    column: str

    def __call__(self, batch: Batch) -> tuple[Ragged, list[Mapping[str, float]]]:
        rows = batch.once(LabelledGold(self.column))
        maps = batch.column("target_id_maps") if batch.has("target_id_maps") else [None] * len(batch)
        stated = batch.column("num_instances") if batch.has("num_instances") else [None] * len(batch)
        distinct = {id(pair): pair for pair in rows}  # equal values were read once, and are one object
        names = dict.fromkeys(_plain(label) for _, labels in distinct.values() for label in labels)
        known = {name: float(code) for code, name in enumerate(names)}
        books: list[Mapping[str, float]] = []
        of_pair: dict[int, Values] = {}
        parts: list[Values] = [np.zeros((0, 5))]
        for row, (pair, ids, number) in enumerate(zip(rows, maps, stated, strict=True)):
            boxes, labels = pair
            if number is not None and number != len(boxes):
                raise ColumnError(
                    f"BoxPairing: column `num_instances` of row {row} is {number!r}; `{self.column}` has {len(boxes)}"
                )
            books.append(known if ids is None else _book(ids, row))
            if ids is None and id(pair) in of_pair:
                parts.append(of_pair[id(pair)])
                continue
            coded = codes(labels, books[-1])
            if BACKGROUND in coded:
                raise ColumnError(
                    f"BoxPairing: column `target_id_maps` of row {row} lacks {labels[coded.index(BACKGROUND)]!r}"
                )
            flat = [(*box, code) for box, code in zip(boxes, coded, strict=True)]
            parts.append(np.array(flat, dtype=np.float64).reshape(-1, 5))
            if ids is None:
                of_pair[id(pair)] = parts[-1]
        return Ragged.from_counts(np.concatenate(parts), [len(boxes) for boxes, _ in rows]), books


def _labelled(item: Any) -> tuple[str, list[float]] | None:
    """A category and a box with an area, of one gold item."""
    label, box = item if isinstance(item, Sequence | np.ndarray) and len(item) == 2 else (None, None)
    listed = box.tolist() if isinstance(box, np.ndarray) else list(box) if isinstance(box, tuple | list) else []
    if isinstance(label, str) and is_box(listed) and listed[0] < listed[2] and listed[1] < listed[3]:
        return label, listed
    return None


def codes(labels: Sequence[str | None], book: Mapping[str, float]) -> list[float]:
    """Labels as numbers that are equal where the labels are; background for what the book does not have."""
    return [BACKGROUND if label is None else book.get(_plain(label), BACKGROUND) for label in labels]


def codes_of_rows(rows: Sequence[Sequence[str | None]], books: Sequence[Mapping[str, float]]) -> list[float]:
    """The codes of all labels of B rows, row after row, each row by its own book."""
    if len(set(map(id, books))) > 1:
        return [code for labels, book in zip(rows, books, strict=True) for code in codes(labels, book)]
    labels = list(chain.from_iterable(rows))
    distinct = list(dict.fromkeys(labels))
    known = dict(zip(distinct, codes(distinct, books[0] if books else {}), strict=True))
    return list(map(known.__getitem__, labels))


def _plain(label: str) -> str:
    return label.strip().lower()


def _book(value: Any, row: int) -> Mapping[str, float]:
    """The codes of a row's map of names to ids, a mapping or JSON of it; files give it the names of other rows as None.

    Ids below 1 are background.
    """
    ids = load(value) if isinstance(value, str) else value
    if not (isinstance(ids, Mapping) and all(map(_is_entry, ids.items()))):
        raise ColumnError(
            f"BoxPairing: column `target_id_maps` of row {row} is {value!r:.60}; it needs a mapping of names to ids"
        )
    return {_plain(name): float(number) for name, number in ids.items() if number is not None and number > 0}


def _is_entry(entry: tuple[Any, Any]) -> bool:
    name, number = entry
    numeric = isinstance(number, int | float | np.number) and not isinstance(number, bool)
    return isinstance(name, str) and (number is None or numeric)
