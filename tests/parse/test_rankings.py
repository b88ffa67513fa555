"""Lists of ids: what is read, what is not, and the whole order that follows."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Missing
from sightline.parse.rankings import RankedIds, TightRankedIds, whole_order

RELEASED = re.compile(r"<answer>\[(.*?)\]</answer>")


@given(st.lists(st.integers(0, 99), min_size=1), st.sampled_from([",", ", ", " ,\n ", "\t,"]))
def test_lists_come_back_without_repeats(ids: list[int], comma: str) -> None:
    text = f"<answer> [ {comma.join(map(str, ids))}\n] </answer>"
    assert RankedIds()(text).ids == tuple(dict.fromkeys(ids))
    assert RankedIds(repeats="keep")(text).ids == tuple(ids)


@given(st.text(alphabet="<answer>[]/ ,12\n"))
def test_tight_lists_stand_where_the_released_expression_finds_them(text: str) -> None:
    text = f"{text}<answer>[1,2]</answer>"
    found, released = TightRankedIds()(text), RELEASED.search(text)
    assert released is not None
    if not isinstance(found, Missing):
        assert (found.start, found.end) == released.span(1)
    elif re.fullmatch(r"[0-9 ]+(,[0-9 ]+)*", released[1]):
        assert any(not part.strip() or " " in part.strip() for part in released[1].split(","))


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "<answer>[]</answer>", "<answer>[1,]</answer>", "<answer>[-1]</answer>", "<answer>[٣]</answer>"],
)
def test_anything_else_is_missing(text: str) -> None:
    assert isinstance(RankedIds()(text), Missing)


def test_a_think_block_must_end_before_the_answer() -> None:
    behind = RankedIds(after="think")
    assert behind("a<think>b</think>c<answer>[1]</answer>").ids == (1,)
    assert not behind("<answer>[1]</answer><think>b</think>")
    assert not behind("<think>b<answer>[1]</answer></think>")


def test_long_numbers_differ_but_are_no_pages() -> None:
    big = "9" * 5000
    assert RankedIds()(f"<answer>[{big}, {big}8, {big}]</answer>").ids == (-1, -1)


@pytest.mark.parametrize(
    "text",
    [
        "<answer>[" + "1, " * 300_000,
        "<answer>[" + "1," * 90_000 + "1]</answer>",
        "<answer>[" * 100_000,
        "<answer>[\n" * 100_000 + "]</answer>",
        "<think>" * 100_000,
    ],
)
@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_floods_cost_little(text: str) -> None:
    for parser in (RankedIds(), RankedIds(after="think"), TightRankedIds(), TightRankedIds("think", 2, literal=True)):
        parser(text)


@given(st.lists(st.integers(-3, 12)), st.integers(0, 9))
def test_the_repaired_order_is_whole(said: list[int], n: int) -> None:
    order = whole_order(said, n)
    assert sorted(order) == list(range(n))
    legal = [one - 1 for one in dict.fromkeys(said) if 1 <= one <= n]
    assert order[: len(legal)] == legal
