import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.metrics import Ragged, buckets

COUNTS = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), max_size=60)


@given(COUNTS)
def test_buckets_hold_every_pairable_row_once_and_wide_enough(counts):
    p, g = [a for a, _ in counts], [b for _, b in counts]
    seen = []
    for rows, P, G in buckets(p, g):
        assert max(p[row] for row in rows) == P
        assert max(g[row] for row in rows) == G
        seen += rows.tolist()
    assert sorted(seen) == [row for row, (a, b) in enumerate(counts) if a and b]


def test_a_flood_of_predictions_does_not_widen_the_other_rows():
    sizes = [(len(rows), P) for rows, P, _ in buckets([2000, *[3] * 500], [2] * 501)]
    assert sizes == [(500, 3), (1, 2000)]


def test_rows_keep_their_items_whether_lists_or_arrays():
    rows = [[[0, 0, 1, 1]], [], [[1, 1, 2, 2], [3, 3, 4, 4]]]
    mixed = [np.array(rows[0]), [], rows[2]]
    for given_rows in (rows, mixed, [np.array(row, dtype=float).reshape(-1, 4) for row in rows]):
        ragged = Ragged.of_boxes(given_rows)
        assert ragged.counts.tolist() == [1, 0, 2]
        assert ragged.flat.tolist() == [*rows[0], *rows[2]]
        padded = ragged.padded(np.array([2, 1]), 3)
        assert padded[0, :2].tolist() == rows[2]
        assert np.isnan(padded[0, 2]).all()
        assert np.isnan(padded[1]).all()
        assert ragged.sum(np.array([1.0, 2.0, 3.0])).tolist() == [1.0, 0.0, 5.0]


def test_no_rows_and_empty_rows():
    assert len(Ragged.of_boxes([])) == 0
    empty = Ragged.of_boxes([[], []])
    assert empty.padded(np.array([0, 1]), 2).shape == (2, 2, 4)
    assert empty.sum(np.zeros(0)).tolist() == [0.0, 0.0]
    assert list(buckets([0, 0], [1, 2])) == []


@pytest.mark.parametrize("bad", [[[1, 2, 3]], [1, 2, 3, 4], [["a", 0, 1, 1]], [[[0, 0, 1, 1]]], [[0, 0, 1, 10**400]]])
def test_a_row_that_is_no_box_list_is_named(bad):
    with pytest.raises(ShapeError, match="row 1"):
        Ragged.of_boxes([[[0, 0, 1, 1]], bad])


def test_counts_must_add_up():
    with pytest.raises(ShapeError, match="add up to 3, but there are 2"):
        Ragged.from_counts(np.zeros(2), [1, 2])
