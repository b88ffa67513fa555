"""Numbered blocks against the regular expressions that define them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.parse.numbered_blocks import BlocksInOrder, NumberedBlocks

PIECES = st.sampled_from(["<a1>", "</a1>", "<a2>", "</a2>", "<a12>", "</a12>", "x", "\n", " ", " / ", "<", ">", "<b1>"])
TEXTS = st.lists(PIECES, max_size=14).map("".join)


@given(TEXTS)
def test_by_number_is_the_first_opening_and_the_next_closing_of_each(text: str) -> None:
    for number in (1, 2, 12):
        wanted = re.search(rf"<a{number}>(.*?)</a{number}>", text, re.DOTALL)
        found = NumberedBlocks()(text).get(number)
        assert (found and found.text) == (wanted and wanted[1].strip())
        assert found is None or text[found.start : found.end] == found.text


@given(TEXTS)
def test_in_order_is_the_released_expression(text: str) -> None:
    squeezed = re.sub(r"\s*([<>/])\s*", r"\1", text)
    assert list(BlocksInOrder()(text)) == re.findall(r"<a\d+>(.*?)</a\d+>", squeezed)


def test_leading_zeros_make_no_number() -> None:
    assert NumberedBlocks()("<a01>4</a01>") == {}


def test_other_letters() -> None:
    assert NumberedBlocks("q")("<q1>How many?</q1><a1>4</a1>")[1].text == "How many?"


@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_flood_of_tags_or_blanks_is_read_in_linear_time() -> None:
    for text in ("<a1>" * 50_000, " " * 200_000, "<a1></a2>" * 20_000, "<a1>x" * 40_000 + "</a1>"):
        NumberedBlocks()(text)
        BlocksInOrder()(text)
