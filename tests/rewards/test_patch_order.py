"""Jigsaw answers and accepted texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core import Batch
from sightline.core.errors import ColumnError
from sightline.rewards.accepted import AcceptedAnswer
from sightline.rewards.patch_order import PatchOrder, whole_numbers

ORDER = st.permutations(range(1, 5))


@given(ORDER, ORDER)
def test_permutations_earn_their_share_in_both_variants(said: list[int], right: list[int]) -> None:
    batch = Batch([f"<answer>{','.join(map(str, said))}</answer>"], {"answer": [",".join(map(str, right))]})
    share = sum(a == b for a, b in zip(said, right, strict=True)) / 4
    assert PatchOrder()(batch).values[0] == PatchOrder(permutation=False)(batch).values[0] == share


@given(st.lists(st.integers(0, 5), max_size=6), ORDER)
def test_anything_else_earns_nothing_when_strict(said: list[int], right: list[int]) -> None:
    batch = Batch([f"<answer>{','.join(map(str, said))}</answer>"], {"answer": [",".join(map(str, right))]})
    if sorted(said) != [1, 2, 3, 4]:
        assert PatchOrder()(batch).values[0] == 0
    hits = sum(a == b for a, b in zip(said, right, strict=False))
    assert PatchOrder(permutation=False)(batch).values[0] == hits / 4


@pytest.mark.parametrize("gold", ["1,1,2", "0,1", "a", "", "1,,2", 3.5])
def test_gold_orders_that_are_none(gold: object) -> None:
    with pytest.raises(ColumnError, match="it needs the numbers 1 to n"):
        PatchOrder()(Batch(["a"], {"answer": [gold]}))


def test_numbers_as_a_program_reads_them() -> None:
    assert whole_numbers("1, +2 ,-3,4.0, ,1e1," + "9" * 5000) == [1, 2, -3, None, None, None, None]


@given(st.text(max_size=30))
def test_accepted_texts_are_split_and_trimmed(text: str) -> None:
    batch = Batch(["<answer>left</answer>"], {"answer": [f"{text.replace(',', ' ')} , left"]})
    assert AcceptedAnswer()(batch).values[0] == 1


@pytest.mark.parametrize(
    "text", ["<answer>" + "1," * 400_000 + "</answer>", "assistant\n" * 100_000, "<answer>" * 120_000]
)
@pytest.mark.timeout(60)  # seconds where milliseconds will do: only work out of proportion fails
def test_a_megabyte_takes_no_time(text: str) -> None:
    batch = Batch([text], {"answer": ["3,2,1,4"]})
    PatchOrder()(batch), AcceptedAnswer()(batch)
