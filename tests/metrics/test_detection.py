import numpy as np
import pytest
from coco_oracle import coco_average_precision
from hypothesis import given
from hypothesis import strategies as st

from sightline.core.errors import ShapeError
from sightline.metrics import (
    Ragged,
    average_precision,
    average_precision_batch,
    nms_average_precision,
    nms_keep,
    pooled_average_precision,
)

GOLD, LABELS = [[10, 10, 50, 50], [60, 60, 100, 100]], ["cat", "dog"]
JUNK = [[200 + i, 200, 220, 220] for i in range(6)]


def random_case(rng):
    """Crowded boxes on a coarse grid: ties, duplicates, swapped corners, absent labels, empty lists."""

    def boxes(n):
        corner, side = rng.integers(0, 8, (n, 2)) * 3, rng.integers(1, 6, (n, 2)) * 4
        return np.concatenate([corner, corner + side], axis=1).astype(float)

    gold = boxes(rng.integers(1, 9))
    near = gold[rng.integers(0, len(gold), rng.integers(0, 8))] + rng.integers(-1, 2, 4)
    pred = np.concatenate([near, gold[rng.integers(0, len(gold), rng.integers(0, 4))], boxes(rng.integers(0, 4))])
    if len(pred) > 1:
        pred[-1] = pred[-1][[2, 3, 0, 1]]
    pred = rng.permutation(pred)
    names = np.array(["a", "b", "c", "d"])
    return (
        pred.tolist(),
        names[rng.integers(0, rng.integers(1, 5), len(pred))].tolist(),
        gold.tolist(),
        names[rng.integers(0, rng.integers(1, 4), len(gold))].tolist(),
        (rng.integers(0, 4, len(pred)) / 4).tolist(),
    )


def columns(cases):
    return tuple(list(column) for column in zip(*cases, strict=True))


@pytest.mark.parametrize("ranked_by_score", [False, True])
def test_every_row_equals_a_coco_evaluation_of_its_own(ranked_by_score):
    rng = np.random.default_rng(1)
    cases = [random_case(rng) for _ in range(250)]
    pred, pred_labels, gold, gold_labels, scores = columns(cases)
    ap = average_precision_batch(pred, pred_labels, gold, gold_labels, scores if ranked_by_score else None)
    wanted = [coco_average_precision(*([x] for x in case[: 4 + ranked_by_score])) for case in cases]
    assert np.abs(np.stack(ap, axis=1) - wanted).max() < 1e-9
    assert 0.2 < ap.mean.mean() < 0.8


def test_equals_coco_with_more_than_100_predictions_of_a_category():
    rng = np.random.default_rng(2)
    pred, pred_labels, gold, gold_labels, _ = random_case(rng)
    pred, pred_labels = JUNK * 16 + pred * 9, ["a"] * 96 + pred_labels * 9
    scores = rng.integers(0, 50, len(pred)).tolist()
    for case in ((pred, pred_labels, gold, gold_labels), (pred, pred_labels, gold, gold_labels, scores)):
        assert average_precision(*case) == pytest.approx(coco_average_precision(*([x] for x in case)), abs=1e-9)


def test_the_101st_prediction_of_a_category_does_not_count():
    hit = [[0, 0, 10, 10]]
    for misses, wanted in ((99, 0.01), (100, 0.0)):
        pred = [[500, 500, 510, 510]] * misses + hit
        assert average_precision(pred, ["a"] * (misses + 1), hit, ["a"])[1] == pytest.approx(wanted)


def test_pooled_equals_a_coco_evaluation_of_the_data_set():
    rng = np.random.default_rng(3)
    pred, pred_labels, gold, gold_labels, scores = columns([random_case(rng) for _ in range(60)])
    for image in (5, 17):
        gold[image], gold_labels[image] = [], []
    for ranking in (None, scores):
        case = pred, pred_labels, gold, gold_labels, ranking
        assert pooled_average_precision(*case) == pytest.approx(coco_average_precision(*case), abs=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_a_row_counts_the_same_alone_in_company_and_in_any_order(seed):
    rng = np.random.default_rng(seed)
    cases = [random_case(rng) for _ in range(4)]
    together = average_precision_batch(*columns(cases))
    order = rng.permutation(4)
    shuffled = average_precision_batch(*columns([cases[i] for i in order]))
    assert ((together.mean >= 0) & (together.mean <= 1) & (together.at_50 + 1e-12 >= together.mean)).all()
    assert shuffled.mean.tolist() == together.mean[order].tolist()
    assert [average_precision(*case) for case in cases] == list(zip(*map(np.ndarray.tolist, together), strict=True))


@given(st.integers(0, 2**32 - 1))
def test_renaming_the_categories_and_shuffling_the_gold_of_apart_boxes_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    gold = np.array([[40 * i, 0, 40 * i + 30, 30] for i in range(n)], dtype=float)
    pred = gold[rng.integers(0, n, 6)] + rng.integers(0, 12, (6, 1)) * [1, 0, 1, 0]
    labels, pred_labels = rng.choice(["a", "b"], n).tolist(), rng.choice(["a", "b"], 6).tolist()
    ap = average_precision(pred, pred_labels, gold, labels)
    order = rng.permutation(n)
    assert average_precision(pred, pred_labels, gold[order], [labels[i] for i in order]) == pytest.approx(ap)
    other = {"a": 7, "b": ("x",)}
    renamed = [other[x] for x in pred_labels], [other[x] for x in labels]
    assert average_precision(pred, renamed[0], gold, renamed[1]) == pytest.approx(ap)


@pytest.mark.parametrize(
    ("pred", "labels", "mean", "at_50"),
    [
        (GOLD, LABELS, 1.0, 1.0),
        (GOLD[:1], LABELS[:1], 0.5, 0.5),
        (GOLD + JUNK, LABELS + ["dog"] * 6, 1.0, 1.0),
        (JUNK + GOLD, ["dog"] * 6 + LABELS, 0.571429, 0.571429),
        ([[14, 10, 54, 50], GOLD[1]], LABELS, 0.85, 1.0),
        ([[50, 50, 10, 10], GOLD[1]], LABELS, 0.5, 0.5),
        (GOLD, ["Cat", "dog"], 0.5, 0.5),
        (GOLD + JUNK, [*LABELS, *["bird"] * 6], 1.0, 1.0),
        ([], [], 0.0, 0.0),
    ],
)
def test_published_examples(pred, labels, mean, at_50):
    assert average_precision(pred, labels, GOLD, LABELS) == pytest.approx((mean, at_50), abs=5e-7)


def test_a_perfect_list_is_exactly_1_and_no_gold_box_is_not_applicable():
    ap = average_precision_batch([GOLD, GOLD, []], [LABELS, LABELS, []], [GOLD, [], []], [LABELS, [], []])
    assert ap.mean[0] == ap.at_50[0] == 1.0
    assert np.isnan([ap.mean[1:], ap.at_50[1:]]).all()
    assert np.isnan(pooled_average_precision([GOLD], [LABELS], [[]], [[]])).all()
    assert average_precision_batch([], [], [], []).mean.shape == (0,)


def test_equal_iou_takes_the_later_gold_box():
    """The second prediction only reaches the first gold box, which must still be free."""
    gold = [[0, 0, 10, 10], [4, 0, 14, 10]]
    pred = [[2, 0, 12, 10], [0, 0, 10, 10]]
    assert average_precision(pred, ["a"] * 2, gold, ["a"] * 2)[1] == 1.0
    assert average_precision(pred, ["a"] * 2, gold[::-1], ["a"] * 2)[1] < 1.0


def test_nms_keeps_the_best_prediction_of_each_gold_box_whatever_the_labels():
    gold = [[[0, 0, 10, 10], [0, 0, 10, 12]], [[0, 0, 10, 10]]]
    pred = [[[0, 0, 10, 10], [0, 0, 10, 11], [0, 0, 10, 12], [40, 40, 50, 50]], [[0, 0, 10, 10], [0, 0, 10, 5]]]
    # row 0: one prediction serves both gold boxes; row 1: IoU exactly 0.5 covers nothing
    assert nms_keep(pred, gold, [[0.2, 0.9, 0.5, 0.1], [0.3, 0.9]]).tolist() == [False, True, False, True, True, True]
    assert nms_keep(pred, gold, [[0.5] * 4, [0.5] * 2]).tolist() == [True, False, False, True, True, True]


def test_nms_ap_takes_the_gain_out_of_labelling_one_box_many_times():
    flood = [GOLD[:1] * 2], [["cat", "dog"]], [GOLD], [LABELS]
    assert pooled_average_precision(*flood, [[0.5, 0.9]]) == (0.5, 0.5)
    assert nms_average_precision(*flood, [[0.5, 0.9]]) == (0.0, 0.0)
    assert nms_average_precision(*flood, [[0.9, 0.5]]) == (0.5, 0.5)


def test_wrong_shapes_are_named():
    with pytest.raises(ShapeError, match="pred: row 0 has 2 boxes, 1 labels"):
        average_precision_batch([GOLD], [["cat"]], [GOLD], [LABELS])
    with pytest.raises(ShapeError, match="gold: 1 rows of boxes, 2 of labels"):
        average_precision_batch([GOLD], [LABELS], [GOLD], [LABELS, []])
    with pytest.raises(ShapeError, match="pred: row 0 has 2 boxes, 0 scores"):
        average_precision_batch([GOLD], [LABELS], [GOLD], [LABELS], [[]])
    with pytest.raises(ShapeError, match="1 rows of predictions, 2 rows of gold"):
        average_precision_batch(Ragged.of_boxes([GOLD]), [LABELS], [GOLD, []], [LABELS, []])
