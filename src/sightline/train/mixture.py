"""Several files as the rows of one stage: which rows of each, where its pictures lie, what is the same in all.

data:
  grpo:
    - rec.jsonl
    - {file: charts.jsonl, images: charts/pictures, take: "random:10%", columns: {accu_reward_method: math}}
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.core.errors import ConfigError
from sightline.train.config import Part

if TYPE_CHECKING:
    from datasets import Dataset


def parts_of(source: Any) -> list[Part] | None:
    """The parts of a mixture, or None if `source` is one file or rows.

    Example:
        >>> [part.file for part in parts_of(["a.jsonl", Part(file="b.jsonl")])]
        ['a.jsonl', 'b.jsonl']
        >>> parts_of("a.jsonl"), parts_of([{"prompt": "Where?"}])
        (None, None)
    """
    given = [source] if isinstance(source, Part) else source
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        return None
    if not all(isinstance(one, str | Path | Part) for one in given):
        return None
    return [one if isinstance(one, Part) else Part(file=str(one)) for one in given]


def mixed(parts: Sequence[Part], method: str) -> Dataset:
    """The rows of all parts, one part after the other; a column that a part lacks is None there.

    Raises:
        ConfigError: a part takes no rows, or gives a column that its file has.
    """
    from datasets import concatenate_datasets

    found = [_rows(part, method) for part in parts]
    return concatenate_datasets(_alike(found)) if len(found) > 1 else found[0]


def taken(take: str, rows: int, seed: int = 0) -> list[int]:
    """The rows that `take` stands for, in the order of the file.

    first:N, end:N and random:N, where N is a number of rows or a percentage, rounded up; N% alone takes the first.

    Example:
        >>> taken("first:2", 5), taken("end:2", 5), taken("25%", 5), taken("first:9", 2)
        ([0, 1], [3, 4], [0, 1], [0, 1])
    """
    how, _, amount = take.rpartition(":")
    wanted = math.ceil(float(amount[:-1]) * rows / 100) if amount.endswith("%") else int(amount)
    wanted = min(wanted, rows)
    if how == "random":
        return sorted(random.Random(seed).sample(range(rows), wanted))
    return list(range(rows - wanted, rows)) if how == "end" else list(range(wanted))


def _rows(part: Part, method: str) -> Dataset:
    from sightline.train import data

    dataset = data.load(part.file, method, part.columns, part.images)
    if part.take is None:
        return dataset
    rows = taken(part.take, len(dataset), part.seed)
    if not rows:
        raise ConfigError(f"{part.file}: take `{part.take}` leaves no rows of {len(dataset)}")
    return dataset.select(rows)


def _alike(found: Sequence[Dataset]) -> list[Dataset]:
    """The same data sets with the same columns, each of one type."""
    from datasets import Json

    from sightline.train.data import with_column

    names = dict.fromkeys(name for one in found for name in one.column_names)
    for name in names:
        types = [one.features[name] for one in found if name in one.column_names]
        shared = types[0] if all(kind == types[0] for kind in types) else Json()
        empty: Any = [] if name == "images" else None
        found = [
            one
            if one.features.get(name) == shared
            else with_column(one, name, one[name][:] if name in one.column_names else [empty] * len(one), shared)
            for one in found
        ]
    return [one.select_columns(list(names)) for one in found]
