"""Few rows that stand for many: k-means over question embeddings, and from each cluster the best usable answer.

For fine-tuning on what a model has written itself: near the middle of every cluster a row is taken whose own answer is
good enough; where there is none, the row in the middle is taken and its answer is rewritten towards the reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ShapeError
from sightline.core.missing import Missing
from sightline.judges import Generates, Question, Sampling, ask, prompt
from sightline.metrics.embeddings import Floats, vectors
from sightline.parse.tags_once import TagsOnce

FORM = TagsOnce()


class Chosen(NamedTuple):
    """One row that was chosen.

    Args:
        row: its number.
        cluster: what it stands for.
        rewrite: whether its own answer is not good enough.
    """

    row: int
    cluster: int
    rewrite: bool


def k_means(points_ND: ArrayLike, k: int, seed: int = 0, rounds: int = 50) -> tuple[NDArray[np.int64], Floats]:
    """Clusters (N,) and centroids (k, D): Lloyd's iterations behind a k-means++ start.

    k is cut to the number of points. A cluster that loses its last point keeps its centroid.

    Example:
        >>> cluster, centroid = k_means([[0.0], [0.2], [5.0], [5.2]], 2)
        >>> bool(cluster[0] == cluster[1] != cluster[2] == cluster[3]), np.sort(centroid.ravel()).round(1)
        (True, array([0.1, 5.1]))
    """
    points = vectors(points_ND, "k_means")
    k = min(max(k, 1), len(points))
    if not k:
        return np.zeros(0, dtype=np.int64), points
    centroids = _spread_start(points, k, np.random.default_rng(seed))
    cluster = _nearest(points, centroids)
    for _ in range(rounds):
        for one in np.unique(cluster):
            centroids[one] = points[cluster == one].mean(axis=0)
        moved = _nearest(points, centroids)
        if np.array_equal(moved, cluster):
            break
        cluster = moved
    return cluster, centroids


def representatives(
    questions_ND: ArrayLike, agreement: ArrayLike, per_cluster: int = 20, good: float = 0.5, seed: int = 0
) -> list[Chosen]:
    """One row per cluster of questions: the nearest to the centroid whose answer agrees with the reference.

    Args:
        questions_ND: embeddings of the questions.
        agreement: (N,) textual correctness of each row's own answer.
        per_cluster: rows per cluster; there are N / per_cluster clusters, at least one.
        good: least agreement; if no row of a cluster has it, the nearest row is chosen, to be rewritten.

    Raises:
        ShapeError: as many numbers as embeddings are needed.

    Example:
        >>> representatives([[0.0], [0.1], [5.0], [5.3], [5.1]], [.9, .2, .1, .6, .2], per_cluster=2)
        [Chosen(row=0, cluster=0, rewrite=False), Chosen(row=3, cluster=1, rewrite=False)]

    References:
        Breaking Reward Collapse (ARMed), arXiv 2508.12957, its data stage; the rule is ours.
    """
    points, right = vectors(questions_ND, "representatives"), np.asarray(agreement, dtype=np.float64)
    if right.shape != (len(points),):
        raise ShapeError(f"representatives: {right.shape} agreements for {len(points)} questions")
    cluster, centroids = k_means(points, len(points) // per_cluster, seed)
    far = ((points - centroids[cluster]) ** 2).sum(axis=1) if len(points) else np.zeros(0)
    found = []
    for one in np.unique(cluster).tolist():
        rows = np.flatnonzero(cluster == one)
        usable = rows[right[rows] >= good]
        among = usable if len(usable) else rows
        found.append(Chosen(int(among[np.argmin(far[among])]), one, not len(usable)))
    return [Chosen(row, number, rewrite) for number, (row, _, rewrite) in enumerate(sorted(found))]


def rewritten(
    rows: Sequence[Mapping[str, Any]], attempts: Sequence[str], teacher: Generates, max_tokens: int = 512
) -> list[str | Missing]:
    """Answers that a teacher writes anew, told the reference; `Missing` where its reply has not the asked form.

    Args:
        rows: with `question`, `answer` and optionally `images`.
        attempts: what the model wrote for each.
    """
    words = prompt("anchored_rewrite").text
    asked = [
        Question(
            words,
            (("question", str(row["question"])), ("answer", str(row["answer"])), ("attempt", attempt)),
            fenced=("attempt",),
            images=tuple(row.get("images") or ()),
            sampling=Sampling(max_tokens=max_tokens),
        )
        for row, attempt in zip(rows, attempts, strict=True)
    ]
    return [_formed(verdict.value, verdict.error) for verdict in ask(teacher, "generate", asked)]


def _formed(reply: Any, error: str) -> str | Missing:
    if reply is None:
        return Missing(error)
    form = FORM(reply)
    return Missing(f"{form.why}: {reply!r:.80}") if isinstance(form, Missing) else str(reply).strip()


def _nearest(points: Floats, centroids: Floats) -> NDArray[np.int64]:
    squares = (points**2).sum(axis=1)[:, None] - 2 * points @ centroids.T + (centroids**2).sum(axis=1)
    return np.asarray(squares.argmin(axis=1))


def _spread_start(points: Floats, k: int, rng: np.random.Generator) -> Floats:
    """k of the points, each drawn in proportion to its squared distance from those drawn before."""
    drawn = [int(rng.integers(len(points)))]
    far = ((points - points[drawn[0]]) ** 2).sum(axis=1)
    while len(drawn) < k:
        total = far.sum()
        drawn.append(int(rng.choice(len(points), p=far / total)) if total > 0 else len(drawn))
        far = np.minimum(far, ((points - points[drawn[-1]]) ** 2).sum(axis=1))
    return points[drawn].copy()
