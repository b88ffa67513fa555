"""Pages: exact truth of what is hidden, and worlds that can be drawn again."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.lab.experiments.kie_hvqa import spoken, strings
from sightline.lab.worlds.pages import CODES, KNOWN, PAPERS, Codes, Damage
from sightline.media.legibility import legible_strings


@pytest.mark.parametrize("world", [CODES, PAPERS], ids=["codes", "papers"])
@pytest.mark.parametrize("split", ["train", "shifted"])
def test_rows_can_be_drawn_again_and_say_what_is_hidden(world, split) -> None:
    rows, again = world.rows(12, split, seed=4), world.rows(14, split, seed=4)
    for row, same in zip(rows, again, strict=False):
        assert {k: v for k, v in row.items() if k != "images"} == {k: v for k, v in same.items() if k != "images"}
        assert np.array_equal(row["images"][0], same["images"][0])
        assert legible_strings(row["answer"], row["truth"]["covered"]) == (row["clear"], row["not_clear"], row["final"])
        assert len(row["boxes"]) == len(row["answer"])
    assert any(max(row["truth"]["covered"]) > 0.6 for row in rows)


def test_codes_follow_the_prior_where_they_should() -> None:
    known = [np.mean([row["answer"] in KNOWN for row in CODES.rows(60, split)]) for split in ("biased", "reversed")]
    assert known[0] > 0.75
    assert known[1] == 0


def test_an_undamaged_page_hides_nothing() -> None:
    rows = Codes(Damage(intact=1.0)).rows(5)
    assert all(row["clear"] == row["final"] == row["answer"] and row["not_clear"] == "" for row in rows)


def test_the_tiny_model_can_say_every_answer() -> None:
    from sightline.lab.models import tokenizer

    reader = tokenizer.build()
    rows = CODES.rows(20)
    said = [reader.decode(reader.encode(spoken(row))) for row in rows]
    assert said == [spoken(row) for row in rows]
    assert all(one[name] == row[name] for one, row in zip(strings(said), rows, strict=True) for name in one)
