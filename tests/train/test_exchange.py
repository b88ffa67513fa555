"""Groups that straddle processes, with threads in place of processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny import AboveMean, Says, Short

from sightline.core import Rollout, Score
from sightline.core.errors import ColumnError
from sightline.rewards import RowReward
from sightline.train.exchange import Layout, Rows, score_groups


@dataclass(frozen=True)
class Sees(RowReward):
    """What a picture holds."""

    reads = ("images",)
    range = (0.0, 1000.0)

    def row(self, rollout: Rollout) -> Score:
        return Score(float(rollout["images"]))


def everywhere(world: int, work: Callable[[int, Callable[[list[Any]], list[Any]]], Any]) -> list[Any]:
    """What `work(rank, gather)` gives on every one of `world` processes."""
    barrier, slots, results = threading.Barrier(world, timeout=10), [[] for _ in range(world)], [None] * world

    def one(rank: int) -> None:
        def gather(given: list[Any]) -> list[Any]:
            slots[rank] = given
            barrier.wait()
            joined = [item for slot in slots for item in slot]
            barrier.wait()
            return joined

        try:
            results[rank] = work(rank, gather)
        except ColumnError as error:
            results[rank] = error

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(world)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def local(rank: int, size: int, completions: list[str], with_images: bool = True) -> Rows:
    part = slice(rank * size, (rank + 1) * size)
    columns: dict[str, list[Any]] = {
        "answer": ["red"] * size,
        "completion_tokens": [len(text.split()) for text in completions[part]],
    }
    if with_images:
        columns["images"] = list(range(len(completions)))[part]
    return Rows(["p"] * size, completions[part], columns)


@given(
    world=st.integers(1, 4),
    per_process=st.integers(1, 6),
    group=st.integers(1, 5),
    seed=st.integers(0, 10),
)
def test_several_processes_score_as_one(world: int, per_process: int, group: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(["red", "no", "blue"], rng.integers(0, 4))) for _ in range(world * per_process)]
    reward = Says().named("says") + Short().named("short") + AboveMean().named("longer") + 0.01 * Sees()
    one, _ = score_groups(reward, local(0, len(texts), texts), Layout(0, 1, len(texts), group), lambda x: x, 0)

    def work(rank: int, gather: Any) -> Any:
        layout = Layout(rank, world, per_process, group)
        return score_groups(reward, local(rank, per_process, texts), layout, gather, 0)

    for scores, batch in everywhere(world, work):
        np.testing.assert_array_equal(scores.values, one.values)
        assert list(scores.why) == list(one.why)
        assert list(scores.parts) == list(one.parts)
        np.testing.assert_array_equal(scores.parts["longer"].values, one.parts["longer"].values)
        assert batch.texts == texts
        assert world == 1 or not batch.has("images")


def test_every_group_is_scored_once() -> None:
    counted: list[str] = []

    @dataclass(frozen=True)
    class Counting(RowReward):
        def row(self, rollout: Rollout) -> Score:
            counted.append(rollout.text)
            return Score(0.0)

    texts = [str(i) for i in range(12)]
    everywhere(
        3, lambda rank, gather: score_groups(Counting(), local(rank, 4, texts), Layout(rank, 3, 4, 3), gather, 0)
    )
    assert sorted(counted, key=int) == texts


def test_an_error_on_one_process_is_raised_on_all() -> None:
    @dataclass(frozen=True)
    class Picky(RowReward):
        def row(self, rollout: Rollout) -> Score:
            if rollout.text == "3":
                raise ColumnError("row 3 is bad")
            return Score(0.0)

    texts = [str(i) for i in range(4)]
    found = everywhere(
        2, lambda rank, gather: score_groups(Picky(), local(rank, 2, texts), Layout(rank, 2, 2, 2), gather, 0)
    )
    assert [str(error) for error in found] == ["row 3 is bad"] * 2


@pytest.mark.parametrize(("rows", "group", "straddles"), [(4, 2, False), (3, 2, True), (2, 4, True)])
def test_layout(rows: int, group: int, straddles: bool) -> None:
    layout = Layout(1, 2, rows, group)
    assert layout.straddles is straddles
    assert len(set(zip(layout.group.tolist(), layout.owner.tolist(), strict=True))) == len(set(layout.group.tolist()))
