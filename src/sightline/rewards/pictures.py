"""The pictures of a rollout, however its row holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sightline.core.batch import Batch


def pictures(value: Any) -> tuple[Any, ...]:
    """What a cell holds, as pictures: none for None, and one where it is not in a list.

    A list may have come as an array of objects, as Parquet gives it; an array of numbers is one picture.

    Example:
        >>> pictures(None), pictures("a.png"), pictures(["a.png"]), pictures(np.array(["a.png", "b.png"], object))
        ((), ('a.png',), ('a.png',), ('a.png', 'b.png'))
    """
    several = isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object)
    return () if value is None else tuple(value) if several else (value,)


def pictures_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The pictures of a row of data: those of `images`, else that of `image`.

    Example:
        >>> pictures_of({"images": ["a.png", "b.png"]}), pictures_of({"image": "a.png"}), pictures_of({})
        (('a.png', 'b.png'), ('a.png',), ())
    """
    return pictures(row.get("image") if row.get("images") is None else row["images"])


def pictures_if_any(batch: Batch, column: str = "images") -> list[tuple[Any, ...]]:
    """The pictures of every rollout of a batch that may have none.

    Example:
        >>> pictures_if_any(Batch(["", ""])), pictures_if_any(Batch([""], {"images": ["a.png"]}))
        ([(), ()], [('a.png',)])
    """
    return [pictures(value) for value in batch.column(column)] if batch.has(column) else [()] * len(batch)
