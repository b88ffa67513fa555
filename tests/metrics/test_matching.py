from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sightline.core.errors import ShapeError
from sightline.metrics import Ragged, box_iou, greedy_by_score, greedy_global, hungarian, match_boxes

# few distinct values, so that ties are the rule
VALUES = st.sampled_from([0.0, 0.25, 0.5, 0.5000001, 0.75, 1.0, np.nan])
MATRICES = st.tuples(st.integers(0, 5), st.integers(0, 5)).flatmap(
    lambda size: arrays(np.float64, size, elements=VALUES)
)
BATCHES = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)).flatmap(
    lambda size: st.tuples(
        arrays(np.float64, size, elements=VALUES),
        arrays(np.float64, size[:2], elements=st.sampled_from([0.1, 0.9, np.nan])),
    )
)


def by_score_by_hand(similarity, score, above):
    free, matched = set(range(similarity.shape[1])), [-1] * len(similarity)
    for p in sorted(range(len(similarity)), key=lambda p: (np.isnan(score[p]), -np.nan_to_num(score[p]))):
        choice = max(
            (g for g in sorted(free) if not np.isnan(similarity[p, g])), key=lambda g: similarity[p, g], default=None
        )
        if choice is not None and similarity[p, choice] > above:
            matched[p] = choice
            free.discard(choice)
    return matched


def global_by_hand(similarity, at_least):
    matched, taken = [-1] * len(similarity), set()
    pairs = sorted(np.ndindex(similarity.shape), key=lambda pair: (-np.nan_to_num(similarity[pair], nan=-1), pair))
    for p, g in pairs:
        if similarity[p, g] >= at_least and matched[p] < 0 and g not in taken:
            matched[p] = g
            taken.add(g)
    return matched


@given(BATCHES, st.sampled_from([0.0, 0.5]))
def test_greedy_by_score_is_its_definition_row_by_row(batch, above):
    similarity, score = batch
    matched = greedy_by_score(similarity, score, above)
    assert matched.shape == score.shape
    for row in range(len(similarity)):
        assert matched[row].tolist() == by_score_by_hand(similarity[row], score[row], above)
        assert matched[row].tolist() == greedy_by_score(similarity[row], score[row], above).tolist()


@given(BATCHES, st.sampled_from([0.25, 0.5]))
def test_greedy_global_is_its_definition_row_by_row(batch, at_least):
    similarity, _ = batch
    matched = greedy_global(similarity, at_least)
    for row in range(len(similarity)):
        assert matched[row].tolist() == global_by_hand(similarity[row], at_least)


@given(MATRICES)
def test_no_matcher_uses_a_gold_item_twice(matrix):
    for matched in (greedy_by_score(matrix), greedy_global(matrix), hungarian(-matrix)):
        used = matched[matched >= 0].tolist()
        assert len(used) == len(set(used))
        assert not np.isnan(matrix[matched >= 0, used]).any()


@given(MATRICES)
def test_hungarian_has_the_most_pairs_and_then_the_least_cost(cost):
    def worth(assignment):
        chosen = [cost[p, g] for p, g in enumerate(assignment) if g >= 0 and not np.isnan(cost[p, g])]
        return -len(chosen), sum(chosen)

    P, G = cost.shape
    slots = [*range(G), *[-1] * P]
    best = min((worth(assignment) for assignment in set(permutations(slots, P))), default=(0, 0))
    assert worth(hungarian(cost)) == pytest.approx(best)


@given(BATCHES)
def test_hungarian_of_a_batch_is_that_of_its_rows(batch):
    cost, _ = batch
    matched = hungarian(cost)
    assert all(matched[row].tolist() == hungarian(cost[row]).tolist() for row in range(len(cost)))


def test_padding_does_not_change_an_assignment():
    cost = np.array([[1.0, 2.0], [1.0, 9.0], [3.0, 9.0]])
    padded = np.full((5, 4), np.nan)
    padded[:3, :2] = cost
    assert hungarian(padded).tolist() == [*hungarian(cost).tolist(), -1, -1]


def test_equality_with_the_bound_fails_by_score_and_passes_globally():
    assert greedy_by_score([[0.5]]).tolist() == [-1]
    assert greedy_global([[0.5]]).tolist() == [0]


def test_an_unmatched_prediction_takes_nothing():
    assert greedy_by_score([[0.4], [0.6]], [0.9, 0.1]).tolist() == [-1, 0]


def test_match_boxes_equals_matching_each_row_alone():
    rng = np.random.default_rng(0)
    pred, gold, score = [], [], []
    for _ in range(300):
        gold.append(random_boxes(rng, rng.integers(0, 7)))
        near = gold[-1][: rng.integers(0, 7)] + rng.integers(-3, 4, 4)
        pred.append(np.concatenate([near, random_boxes(rng, rng.integers(0, 4))]))
        score.append(rng.integers(0, 4, len(pred[-1])) / 4)
    flat = np.concatenate(score)
    sides = Ragged.of_boxes(pred), Ragged.of_boxes(gold)
    offsets = sides[0].offsets
    for matcher in (greedy_by_score, lambda iou, _: greedy_global(iou), lambda iou, _: hungarian(-iou)):
        matches = match_boxes(*sides, matcher=matcher, score_N=flat)
        for row in range(300):
            iou = box_iou(pred[row], gold[row])
            alone = matcher(iou, score[row])
            part = slice(offsets[row], offsets[row + 1])
            assert matches.gold[part].tolist() == alone.tolist()
            wanted = [iou[p, g] if g >= 0 else 0.0 for p, g in enumerate(alone)]
            assert matches.similarity[part].tolist() == wanted


def random_boxes(rng, n):
    corner, side = rng.integers(0, 60, (n, 2)), rng.integers(5, 30, (n, 2))
    return np.concatenate([corner, corner + side], axis=1).astype(float)


def test_published_detection_examples():
    """IoU and confidence of Visual-RFT's worked examples 2, 4 and 5."""
    gold = [[10, 10, 50, 50], [60, 60, 100, 100]]
    pred = [[[14, 10, 54, 50]], [[10, 10, 50, 30]], [[10, 10, 50, 50], [11, 10, 50, 50]]]
    sides = Ragged.of_boxes(pred), Ragged.of_boxes([gold] * 3)
    matches = match_boxes(*sides, score_N=[0.9, 0.6, 0.9, 0.9])
    assert sides[0].sum(matches.similarity) / 2 == pytest.approx([0.409091, 0.0, 0.5], abs=5e-7)
    assert matches.hit.tolist() == [True, False, True, False]


def test_wrong_shapes_are_named():
    with pytest.raises(ShapeError, match="one score per prediction"):
        greedy_by_score([[0.5, 0.6]], [0.1, 0.2])
    with pytest.raises(ShapeError, match=r"needs a matrix"):
        greedy_global([0.5, 0.6])
    with pytest.raises(ShapeError, match="2 rows of predictions, 1 rows of gold"):
        match_boxes(Ragged.of_boxes([[], []]), Ragged.of_boxes([[]]))
    with pytest.raises(ShapeError, match="-inf"):
        hungarian([[-np.inf]])
