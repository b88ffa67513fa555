"""Training rows of rerankers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ConfigError
from sightline.curate.reranking import balanced_by_size, gold_order, top_candidates


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60), st.integers(1, 10), st.data())
def test_every_bin_gives_its_share(sizes: list[int], bins: int, data: st.DataObject) -> None:
    total = data.draw(st.integers(0, len(sizes)))
    drawn = balanced_by_size(sizes, total, bins, seed=3)
    assert len(drawn) == len(set(drawn)) == total
    rank = np.argsort(np.argsort(sizes, kind="stable"))
    for rows in np.array_split(np.arange(len(sizes)), bins):
        taken = np.isin(rank[drawn], rows).sum() if total else 0
        assert abs(taken - total * len(rows) / len(sizes)) < 1 + 1e-9


def test_a_draw_needs_rows() -> None:
    with pytest.raises(ConfigError, match="cannot draw 3 of 2 rows"):
        balanced_by_size([1, 2], 3)


def test_gold_order_by_score_or_shuffled() -> None:
    scores, right = [0.1, 0.9, 0.5, 0.7, 0.3], {0, 2}
    assert gold_order(scores, right) == [2, 0, 1, 3, 4]
    shuffled = {tuple(gold_order(scores, right, np.random.default_rng(seed))) for seed in range(30)}
    assert len(shuffled) > 5
    assert all(set(order[:2]) == right for order in shuffled)


def test_candidates_without_a_right_page_make_no_row() -> None:
    assert top_candidates([3, 2, 1], {2}, 2) == []
    assert top_candidates([1, 1, 1], {2}, 3) == [0, 1, 2]
