"""What data calls right, however its numbers are stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.core.missing import Missing
from sightline.rewards.gold import gold


def seen(value: Any) -> Any:
    """What a reader is handed."""
    found: list[Any] = []

    def read(one: Any) -> int | Missing:
        found.append(one)
        return 0

    gold(Batch([""], {"answer": [value]}), "answer", "a test", read)
    return found[0]


@pytest.mark.parametrize(
    ("given", "handed"),
    [
        ([np.int64(1), np.float64(2.5)], [1, 2.5]),
        ({"box": (np.int32(1), 2), "E": np.float64(0.5)}, {"box": (1, 2), "E": 0.5}),
        ([["cat", [np.int64(0)]], None], [["cat", [0]], None]),
        (np.bool_(True), True),
        (np.str_("B"), "B"),
    ],
)
def test_numbers_of_numpy_are_numbers(given: Any, handed: Any) -> None:
    found = seen(given)
    assert found == handed
    assert repr(found) == repr(handed), "nothing of numpy is left"


def test_what_breaks_a_reader_is_the_callers_mistake() -> None:
    with pytest.raises(ColumnError, match=r"a test: column `answer` of row 0 is \[1\]; it cannot be read: .*list"):
        gold(Batch([""], {"answer": [[1]]}), "answer", "a test", float)


def test_arrays_stay_arrays() -> None:
    array = np.zeros((2, 4))
    assert seen(array) is array
