"""Transit maps: drawn again, and answers that follow from the network."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.lab.worlds.transit import KINDS, TRANSIT, Transit


def test_rows_can_be_drawn_again() -> None:
    rows, again = TRANSIT.rows(12, "train", seed=4), TRANSIT.rows(14, "train", seed=4)
    for row, same in zip(rows, again, strict=False):
        assert {k: v for k, v in row.items() if k != "images"} == {k: v for k, v in same.items() if k != "images"}
        assert np.array_equal(row["images"][0], same["images"][0])


@pytest.mark.parametrize("kind", KINDS)
def test_answers_follow_from_the_network(kind: str) -> None:
    rows = Transit(kinds=(kind,)).rows(40, seed=2)
    for row in rows:
        lines, text = row["json"], row["prompt"][0]["content"][-1]["text"]
        at = [(name, stations) for name, stations in lines.items()]
        if kind == "planning":
            assert row["answer"] is None
            assert row["question_transfer_count"] in (0, 1, 2, 3, 4)
        elif kind == "TorF1":
            station, name = text.removeprefix("Is ").removesuffix("?").split(" on ")
            assert row["answer"] == int(station in lines[name])
        elif kind == "Counting1":
            station = text.removeprefix("How many lines stop at ").split("?")[0]
            assert row["answer"] == sum(station in stations for _, stations in at) - 1
        elif kind == "Counting3":
            assert row["answer"] == len(lines[text.removeprefix("How many stations does ").removesuffix(" have?")])
        else:
            assert row["answer"] >= 0
    if kind.startswith("TorF"):
        assert 0.2 < np.mean([row["answer"] for row in rows]) < 0.8
