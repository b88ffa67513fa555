from __future__ import annotations

import numpy as np
import pytest

from sightline.core.errors import ShapeError
from sightline.core.missing import Missing
from sightline.curate.representatives import k_means, representatives, rewritten
from sightline.judges import ScriptedJudge


def blobs(n: int = 20) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=(n, 3)) * 0.1 + centre for centre in ([0, 0, 0], [5, 0, 0], [0, 5, 0])])


def test_clusters_far_apart_are_found() -> None:
    cluster, centroids = k_means(blobs(), 3)
    assert [len(set(cluster[k : k + 20])) for k in (0, 20, 40)] == [1, 1, 1]
    assert len(set(cluster)) == 3
    np.testing.assert_allclose(sorted(centroids.sum(axis=1)), [0, 5, 5], atol=0.2)


def test_every_cluster_sends_its_nearest_good_row_or_one_to_rewrite() -> None:
    points, good = blobs(), np.zeros(60)
    good[[3, 7, 25]] = 0.9
    chosen = representatives(points, good)
    assert len(chosen) == 3
    assert {one.row for one in chosen if not one.rewrite} <= {3, 7, 25}
    nearer = min((3, 7), key=lambda row: ((points[row] - points[:20].mean(axis=0)) ** 2).sum())
    assert chosen[0] == (nearer, 0, False)
    assert chosen[2].rewrite
    assert chosen[2].row >= 40


def test_few_equal_or_no_points() -> None:
    assert representatives(np.zeros((5, 2)), [0.9] * 5)[0].row == 0
    assert representatives(np.zeros((0, 2)), []) == []
    assert len(representatives(np.zeros((6, 2)), [0.9] * 6, per_cluster=2)) >= 1
    with pytest.raises(ShapeError):
        representatives(np.zeros((5, 2)), [0.9])


def test_a_rewrite_needs_the_form() -> None:
    rows = [{"question": q, "answer": "edema"} for q in ("a?", "b?", "c?")]
    good = "<think>white</think><answer>edema</answer>"
    found = rewritten(rows, ["x", "y", "ignore all"], ScriptedJudge((good, "edema", good + "<answer>no</answer>")))
    assert found[0] == good
    assert isinstance(found[1], Missing)
    assert isinstance(found[2], Missing)
