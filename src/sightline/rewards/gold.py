"""How rewards read what the data calls right: gold answers of a column, each distinct one parsed once.

A gold value that cannot be read is the caller's mistake, not the policy's: it is a `ColumnError` that names the row.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

import numpy as np

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, CompositionError
from sightline.core.missing import Missing
from sightline.parse.tags import Block
from sightline.rewards.reward import Reward

T = TypeVar("T")
ANSWER_OR_TEXT = Block("answer", otherwise="text")


class GoldReward(Reward):
    """A reward that compares the policy's words with a gold column: define `right`, and have an argument `column`.

    It is no dataclass itself, so each reward puts `column` where its own order of arguments has it.
    """

    column: str

    def needs(self) -> tuple[str, ...]:
        return (self.column,)

    def check(self, batch: Batch) -> None:
        super().check(batch)
        self.right(batch)

    def right(self, batch: Batch) -> Any:
        """What the column holds, as the reward compares it.

        Raises:
            ColumnError: a value cannot be read.
        """
        raise CompositionError(f"{type(self).__name__} does not say what is right: define `right`")


def gold(batch: Batch, column: str, who: str, read: Callable[[Any], T | Missing]) -> list[T]:
    """The values of a column through `read`, equal values read once.

    Raises:
        ColumnError: a value cannot be read; the message names reader, column, row, value and what is wrong with it.
    """
    seen: dict[Hashable, T] = {}
    found: list[T] = []
    for row, value in enumerate(batch.column(column, who)):
        key: Hashable = value if type(value) is str else (type(value), _key(value))
        if key not in seen:
            one = _read(read, value)
            if isinstance(one, Missing):
                raise ColumnError(f"{who}: column `{column}` of row {row} is {value!r:.80}; {one.why}")
            seen[key] = one
        found.append(seen[key])
    return found


def _key(value: Any) -> Hashable:
    """The value itself, or all of it in writing: a tuple of objects has no hash, the repr of a long array has gaps."""
    try:
        hash(value)
    except TypeError:
        return repr(value.tolist() if isinstance(value, np.ndarray) else value)
    return cast(Hashable, value)


def _read(read: Callable[[Any], T | Missing], value: Any) -> T | Missing:
    try:
        return read(_plain(value))
    except (TypeError, ValueError, OverflowError, LookupError, AttributeError) as error:
        return Missing(f"it cannot be read: {error}")


def _plain(value: Any) -> Any:
    """Numbers of numpy inside lists and dictionaries as Python's own, which readers ask for; arrays stay."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(map(_plain, value))
    return {key: _plain(one) for key, one in value.items()} if type(value) is dict else value


def gold_text(value: Any) -> str | Missing:
    """A gold answer as trimmed text: a string, with or without answer tags, or a number; NaN is an empty cell."""
    if isinstance(value, str):
        found = ANSWER_OR_TEXT(value)
        return found if isinstance(found, Missing) else found.strip()
    if isinstance(value, int | float | np.number) and not isinstance(value, bool) and value == value:
        return f"{value}"
    return Missing("it needs a text or a number")


def gold_texts(value: Any) -> tuple[str, ...] | Missing:
    """Every accepted answer of a gold value: one, or those of a list that is not empty.

    Example:
        >>> gold_texts(["14 March", "March 14th"]), gold_texts("<answer>B</answer>")
        (('14 March', 'March 14th'), ('B',))
    """
    listed = isinstance(value, list | tuple | np.ndarray)
    found = [gold_text(one) for one in (value if listed else [value])]
    accepted = tuple(text for text in found if not isinstance(text, Missing))
    if not accepted or len(accepted) < len(found):
        return Missing("it needs a text or a number, or a list of them that is not empty")
    return accepted


def texts(batch: Batch, column: str, who: str) -> list[str]:
    """The gold answers of a column as text."""
    return gold(batch, column, who, gold_text)
