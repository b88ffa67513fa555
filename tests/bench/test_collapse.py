from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sightline.bench.collapse import auc, collapse, flat_groups, spread
from sightline.core.errors import ShapeError
from sightline.metrics.recent_scores import QuantileSigmoid


def test_auc_is_that_of_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        scores, right = rng.integers(0, 5, 30) / 4, rng.random(30) < 0.4
        right[:2] = True, False
        assert auc(scores, right) == pytest.approx(roc_auc_score(right, scores))


def test_a_map_spreads_and_keeps_the_auc() -> None:
    rng = np.random.default_rng(1)
    right = rng.random(200) < 0.5
    raw = 0.85 + 0.02 * right + 0.01 * rng.normal(size=200)
    found = collapse(raw, QuantileSigmoid()(raw, raw), np.arange(200) // 8, right)
    assert found.mapped.std > 5 * found.raw.std
    assert found.mapped.auc == pytest.approx(found.raw.auc)


def test_nan_is_left_out_and_nothing_is_nothing() -> None:
    assert spread([0.1, np.nan, 0.3]).mean == pytest.approx(0.2)
    assert all(np.isnan(spread([np.nan])))
    assert flat_groups([0.5, 0.5, 0.1, 0.9], ["a", "a", "b", "b"]) == 0.5


def test_lengths_must_agree() -> None:
    with pytest.raises(ShapeError, match="right"):
        collapse([0.1, 0.2], [0.1, 0.2], right=[1])
