"""How much of a table was rebuilt: which columns, as many rows, and how many values are equal.

Tables arrive as names and columns of cells; knows nothing of code or text around them.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from sightline.metrics.numbers import near

ABOVE = 50.0
_CURRENCY = str.maketrans("", "", ",$€£¥%")
_PLAIN = re.compile(r"[-+]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][-+]?\d{1,4})?", re.ASCII)


class Columns(Protocol):
    """A table: names, and as many columns of equal length."""

    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> tuple[tuple[Any, ...], ...]: ...
    @property
    def rows(self) -> int: ...


class TableFit(NamedTuple):
    """Shares in 0..1.

    Args:
        columns: of the true columns that were found.
        rows: 1 if the number of rows is right, else 0.
        values: of the values that are equal.
    """

    columns: float
    rows: float
    values: float

    @property
    def total(self) -> float:
        """0.2 columns + 0.1 rows + 0.7 values.

        Example:
            >>> round(TableFit(1.0, 1.0, 5 / 6).total, 6)
            0.883333
        """
        return 0.2 * self.columns + 0.1 * self.rows + 0.7 * self.values


def name_similarity(true: str, said: str) -> float:
    """How alike two column names are, 0..100: 100 * 2 M / T.

    M counts matching characters: the longest common block (leftmost in the true name, then in the said one), and the
    same again on both sides of it; T is the total length. 100 for two empty names.

    Example:
        >>> round(name_similarity("price", "rice"), 1), name_similarity("revenue", "rev"), name_similarity("ab", "bc")
        (88.9, 60.0, 50.0)
    """
    return 100.0 * SequenceMatcher(None, true, said, autojunk=False).ratio()


def plain_name(name: str) -> str:
    """A column name without white space, in lower case.

    Example:
        >>> plain_name("Sales (M)")
        'sales(m)'
    """
    return "".join(name.split()).lower()


def same_cell(said: Any, true: Any, tolerance: float = 0.01) -> bool:
    """Whether two cells hold the same value.

    Numbers are equal within a share of the larger one, zero only to zero; a text that is a number without blanks,
    commas, currency signs and % counts as one, and a number equals no text. Texts are compared without white space in
    lower case, and so are True and False. A missing value (None, NaN) equals a missing value only.

    Example:
        >>> same_cell(10.05, 10), same_cell("$1,000", 1000.0), same_cell(0, 1e-9), same_cell("New York", "newyork")
        (True, True, False, True)
        >>> same_cell(None, float("nan")), same_cell("nan", None), same_cell(True, 1)
        (True, False, False)
    """
    if _missing(said) or _missing(true):
        return _missing(said) and _missing(true)
    a, b = plain_number(said), plain_number(true)
    if a is None or b is None:
        return a is None and b is None and plain_name(str(said)) == plain_name(str(true))
    if a == 0 or b == 0:
        return abs(a - b) <= 1e-12
    return near(a, b, tolerance * max(abs(a), abs(b)))


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def plain_number(value: Any) -> float | None:
    """The finite number that a cell is, also as a text with blanks, commas, currency signs or %; None for all else.

    Example:
        >>> plain_number("$ 1,250.50"), plain_number("12 %"), plain_number("nan"), plain_number(True)
        (1250.5, 12.0, None, None)
    """
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, int | float | np.number):
        return _finite(value)
    bare = "".join(str(value).split()).translate(_CURRENCY)
    return _finite(bare) if _PLAIN.fullmatch(bare) else None


def _finite(value: Any) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if np.isfinite(number) else None


def table_fit(
    said: Columns,
    true: Columns,
    matching: Literal["one to one", "best each"] = "one to one",
    key: str | None = None,
) -> TableFit:
    """How much of the true table was said.

    Columns are matched by name similarity above 50. Values of a matched column are compared row by row, up to the
    shorter table; their share is that of the rows compared.

    Args:
        matching: `one to one` maximises the summed similarity with no column used twice, counts unmatched true columns
            as wrong values, and divides the column share by the surplus; `best each` gives every true column its best
            match, also one that another has, and looks at matched columns only.
        key: a true column by whose values rows are paired before they are compared; None: by their numbers.

    Returns: columns, rows and values; values are 0 if nothing matches or nothing is compared.

    Example:
        >>> from typing import NamedTuple
        >>> class T(NamedTuple):
        ...     names: tuple; columns: tuple
        ...     rows = property(lambda self: len(self.columns[0]))
        >>> true = T(("Year", "Sales (M)"), ((2019, 2020, 2021), (10, 20, 30)))
        >>> table_fit(T(("year",), ((2019, 2020, 2021),)), true)
        TableFit(columns=0.5, rows=1.0, values=0.5)
        >>> table_fit(T(("year",), ((2019, 2020, 2021),)), true, "best each").values
        1.0

    References:
        Visual Programmability, arXiv 2509.09286, data-accuracy reward (`best each`); `one to one` is ours.
    """
    pairs = _one_to_one(said.names, true.names) if matching == "one to one" else _best_each(said.names, true.names)
    rows = [(i, i) for i in range(min(said.rows, true.rows))] if key is None else _paired_rows(said, true, pairs, key)
    # rows that a key did not find count as compared, and as wrong
    compared = len(rows) if key is None else true.rows
    shares = [
        sum(same_cell(said.columns[s][i], true.columns[t][j]) for i, j in rows) / compared if compared else 0.0
        for t, s in pairs.items()
    ]
    columns = len(pairs) / len(true.names)
    if matching == "one to one":
        values = sum(shares) / len(true.names)
        columns *= len(true.names) / max(len(true.names), len(said.names))
    else:
        values = sum(shares) / len(shares) if shares else 0.0
    return TableFit(columns, float(said.rows == true.rows), values)


def _similarities(said: Sequence[str], true: Sequence[str]) -> np.ndarray:
    """(T, S) similarity of plain names; 0 where lengths alone keep it at 50 or below."""
    mine, gold = [plain_name(name) for name in said], [plain_name(name) for name in true]
    found = np.zeros((len(gold), len(mine)))
    for t, a in enumerate(gold):
        for s, b in enumerate(mine):
            total, most = len(a) + len(b), 2 * min(len(a), len(b))
            if total == 0 or 100 * most > ABOVE * total:
                found[t, s] = name_similarity(a, b)
    return found


def _best_each(said: Sequence[str], true: Sequence[str]) -> dict[int, int]:
    """True column -> its most similar said column, the earlier one among equals."""
    found = _similarities(said, true)
    best = found.argmax(1).tolist() if found.size else []
    return {t: s for t, s in enumerate(best) if found[t, s] > ABOVE}


def _one_to_one(said: Sequence[str], true: Sequence[str]) -> dict[int, int]:
    """True column -> said column, no column twice, with the largest sum; earlier columns among equal sums."""
    from scipy.optimize import linear_sum_assignment

    found = _similarities(said, true)
    worth = np.where(found > ABOVE, found - 1e-7 * np.arange(len(said)), 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return {int(t): int(s) for t, s in zip(rows, columns, strict=True) if found[t, s] > ABOVE}


def _paired_rows(said: Columns, true: Columns, pairs: dict[int, int], key: str) -> list[tuple[int, int]]:
    """(said row, true row) pairs with equal keys, each row once, in order."""
    if key not in true.names or true.names.index(key) not in pairs:
        return []
    at = true.names.index(key)
    free: dict[Hashable, list[int]] = {}
    for i, cell in enumerate(said.columns[pairs[at]]):
        free.setdefault(_key(cell), []).append(i)
    found = [(free.get(_key(cell)) or [-1], j) for j, cell in enumerate(true.columns[at])]
    return [(some.pop(0), j) for some, j in found if some and some[0] >= 0]


def _key(cell: Any) -> Hashable:
    number = plain_number(cell)
    return number if number is not None else None if _missing(cell) else plain_name(str(cell))
