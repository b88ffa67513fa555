"""How much of a table was rebuilt."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.metrics.tables import name_similarity, plain_number, same_cell, table_fit
from sightline.parse.tables import Table

names = st.lists(st.text("abcd", min_size=1, max_size=4), min_size=1, max_size=4, unique=True)


def table(columns: list[str], rows: int = 2) -> Table:
    return Table(tuple(columns), tuple(tuple(10 * i + j + 1 for j in range(rows)) for i in range(len(columns))))


def blocks(a: str, b: str) -> int:
    """Matching characters by the recursion of the definition."""
    best = max(
        ((n, -i, -j) for i in range(len(a)) for j in range(len(b)) for n in [common(a[i:], b[j:])] if n), default=None
    )
    if best is None:
        return 0
    n, i, j = best[0], -best[1], -best[2]
    return n + blocks(a[:i], b[:j]) + blocks(a[i + n :], b[j + n :])


def common(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


@given(st.text("ab", max_size=9), st.text("abc", max_size=9))
def test_name_similarity_is_the_recursion(a: str, b: str) -> None:
    assert name_similarity(a, b) == pytest.approx(200 * blocks(a, b) / (len(a) + len(b)) if a or b else 100)


@given(names, names)
def test_one_to_one_matching_has_the_largest_sum(said: list[str], true: list[str]) -> None:
    short, long_ = sorted((said, true), key=len)
    best = 0.0
    for order in permutations(range(len(long_)), len(short)):
        pairs = [(short[i], long_[j]) if short is said else (long_[j], short[i]) for i, j in enumerate(order)]
        similar = [name_similarity(t, s) for s, t in pairs]
        best = max(best, sum(one for one in similar if one > 50))
    fit = table_fit(table(said), table(true))
    found = fit.columns * max(len(said), len(true))
    assert found == pytest.approx(round(found))
    assert (found > 0) == (best > 0)
    assert found <= len(short)


@given(names, st.integers(0, 4))
def test_a_table_is_itself(columns: list[str], rows: int) -> None:
    for matching in ("one to one", "best each"):
        fit = table_fit(table(columns, rows), table(columns, rows), matching)
        assert (fit.columns, fit.rows, fit.values) == (1.0, 1.0, 1.0 if rows else 0.0)


def test_rows_can_be_paired_by_a_key() -> None:
    true = Table(("Year", "Sales"), ((2019, 2020, 2021), (10, 20, 30)))
    turned = Table(("Year", "Sales"), ((2021, 2019, 2020), (30, 10, 20)))
    assert table_fit(turned, true, key="Year").total == 1.0
    assert table_fit(turned, true).values == 0.5  # the years are within a hundredth, the sales are not
    shorter = Table(("Year", "Sales"), ((2021, 2021), (30, 10)))
    assert table_fit(shorter, true, key="Year").values == pytest.approx(1 / 3)
    assert table_fit(Table(("Sales",), ((10, 20, 30),)), true, key="Year").values == 0.0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,000", 1000),
        ("-5 %", -5),
        ("€ 3.5", 3.5),
        (".5", 0.5),
        ("1e3", 1000),
        ("1e", None),
        ("inf", None),
    ],
)
def test_numbers_in_text(text: str, value: float | None) -> None:
    assert plain_number(text) == value


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_equality_of_numbers_is_symmetric(a: float, b: float) -> None:
    assert same_cell(a, b) == same_cell(b, a)
    assert same_cell(a, a)


def test_huge_integers_are_texts() -> None:
    assert not same_cell(10**400, 1.0)
    assert same_cell(10**400, 10**400)
