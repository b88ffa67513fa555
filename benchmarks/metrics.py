"""Speed of the metrics beside the ways people compute them today, as ratios from one run.

    python benchmarks/metrics.py [--rollouts 4096] [--seed 0]

Rollouts have 1-10 predicted and 1-10 gold boxes of up to three categories; texts have about 40 words. Times are the
best of several runs, per rollout and on one core; the slow ways are timed on fewer rollouts. Results are compared
before they are timed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from sightline.metrics import (
    Ragged,
    average_precision_batch,
    box_iou,
    greedy_by_score,
    greedy_global,
    hungarian,
    match_boxes,
    rouge,
)

sys.path.append(str(Path(__file__).parents[1] / "tests" / "metrics"))
from coco_oracle import coco_average_precision

NAMES = ("cat", "dog", "bird")
WORDS = (
    "the",
    "a",
    "red",
    "green",
    "ball",
    "balls",
    "rolled",
    "rolling",
    "over",
    "into",
    "basket",
    "lazily",
    "throwing",
)


class Rollouts(NamedTuple):
    pred: list[list[list[float]]]
    pred_labels: list[list[str]]
    gold: list[list[list[float]]]
    gold_labels: list[list[str]]
    scores: list[list[float]]


def make_rollouts(count: int, seed: int) -> Rollouts:
    """Predictions that are jittered gold boxes and some strays."""
    rng = np.random.default_rng(seed)

    def boxes(n: int) -> Any:
        corner, side = rng.integers(0, 800, (n, 2)), rng.integers(20, 200, (n, 2))
        return np.concatenate([corner, corner + side], axis=1)

    rows = []
    for _ in range(count):
        gold = boxes(rng.integers(1, 11))
        near = gold[: rng.integers(1, len(gold) + 1)] + rng.integers(-8, 9, 4)
        pred = np.concatenate([near, boxes(rng.integers(0, 4))])[:10]
        names = [[NAMES[k] for k in rng.integers(0, 3, len(side))] for side in (pred, gold)]
        names[0][: len(near)] = names[1][: len(near)]
        rows.append((pred.tolist(), names[0], gold.tolist(), names[1], rng.random(len(pred)).round(2).tolist()))
    return Rollouts(*map(list, zip(*rows, strict=True)))


def microseconds(work: Callable[[], Any], rollouts: int, runs: int = 7) -> float:
    """Best time per rollout."""
    best = float("inf")
    for _ in range(runs):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best / rollouts * 1e6


def report(what: str, ours: float, theirs: float | None = None, name: str = "") -> None:
    beside = f"{theirs:11.2f}  {theirs / ours:8.1f}x  {name}" if theirs is not None else ""
    print(f"{what:44s}{ours:9.2f}  {1e6 / ours:10,.0f}/s {beside}")


def bench_average_precision(data: Rollouts, small: int) -> None:
    few = Rollouts(*(column[:small] for column in data))

    def one_coco_object_each() -> list[tuple[float, float]]:
        return [coco_average_precision(*([x] for x in row[:4])) for row in zip(*few, strict=True)]

    ours = average_precision_batch(*few[:4])
    assert np.abs(np.stack(ours, axis=1) - one_coco_object_each()).max() < 1e-9
    coco = microseconds(one_coco_object_each, small, runs=2)
    everything = microseconds(lambda: average_precision_batch(*data[:4]), len(data.gold))
    report("AP of each rollout, from lists", everything, coco, "one COCO object per rollout")
    group = Rollouts(*(column[:64] for column in data))
    report(
        "AP of each rollout, 64 at a time",
        microseconds(lambda: average_precision_batch(*group[:4]), 64, 50),
        coco,
        "same",
    )


def bench_matching(data: Rollouts, small: int) -> None:
    B = len(data.gold)
    score_N = np.concatenate(data.scores)
    pred, gold = Ragged.of_boxes(data.pred), Ragged.of_boxes(data.gold)
    report(
        "lists of boxes to arrays, both sides",
        microseconds(lambda: [Ragged.of_boxes(data.pred), Ragged.of_boxes(data.gold)], B),
    )
    arrays = [
        (np.array(p, float), np.array(g, float), np.array(s)) for p, g, s in zip(*data[:3:2], data.scores, strict=True)
    ]
    rows = arrays[:small]
    matchers = {
        "greedy by score": greedy_by_score,
        "greedy global": lambda iou, _: greedy_global(iou),
        "Hungarian": lambda iou, _: hungarian(-iou),
    }
    for name, matcher in matchers.items():
        batch = microseconds(lambda: match_boxes(pred, gold, matcher, score_N), B)  # noqa: B023
        each = microseconds(lambda: [matcher(box_iou(p, g), s) for p, g, s in rows], small, runs=2)  # noqa: B023
        report(f"IoU and {name}", batch, each, "the same, rollout by rollout")
    from scipy.optimize import linear_sum_assignment

    ours = microseconds(lambda: match_boxes(pred, gold, matchers["Hungarian"], score_N), B)
    for iou, name in ((looped_iou, "scipy loop, IoU box by box"), (plain_iou, "scipy loop, IoU in numpy")):
        assert all(np.allclose(iou(p, g), box_iou(p, g)) for p, g, _ in rows)
        loop = microseconds(lambda: [linear_sum_assignment(-iou(p, g)) for p, g, _ in rows], small, runs=3)  # noqa: B023
        report("IoU and Hungarian", ours, loop, name)


def plain_iou(a: Any, b: Any) -> Any:
    """(P, G) IoU as a reward file in numpy has it."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = (a[:, 2:] - a[:, :2]).prod(axis=1)[:, None] + (b[:, 2:] - b[:, :2]).prod(axis=1)[None]
    return shared / (areas - shared)


def looped_iou(a: Any, b: Any) -> Any:
    """(P, G) IoU as most reward files have it: a function of two boxes in two loops."""

    def iou(p: list[float], g: list[float]) -> float:
        width, height = min(p[2], g[2]) - max(p[0], g[0]), min(p[3], g[3]) - max(p[1], g[1])
        shared = max(0.0, width) * max(0.0, height)
        return shared / ((p[2] - p[0]) * (p[3] - p[1]) + (g[2] - g[0]) * (g[3] - g[1]) - shared)

    return np.array([[iou(p, g) for g in b.tolist()] for p in a.tolist()])


def bench_rouge(pairs: int, seed: int) -> None:
    from rouge_score import rouge_scorer

    chance = random.Random(seed)
    texts = [[" ".join(chance.choices(WORDS, k=chance.randint(20, 60))) for _ in range(2)] for _ in range(pairs)]
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    for a, b in texts[:50]:
        assert list(rouge(a, b)) == [score.fmeasure for score in scorer.score(b, a).values()]
    ours = microseconds(lambda: [rouge(*pair) for pair in texts], pairs)
    theirs = microseconds(lambda: [scorer.score(b, a) for a, b in texts[:50]], 50, runs=2)
    report("ROUGE-1, -2, -L with stemming", ours, theirs, "rouge-score")
    alone = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=True)
    theirs = microseconds(lambda: [alone.score(b, a) for a, b in texts[:50]], 50, runs=2)
    report("ROUGE-L with stemming", ours, theirs, "rouge-score, L alone; ours gives all three")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=4096)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data, small = make_rollouts(options.rollouts, options.seed), min(64, options.rollouts)
    print(f"{'':44s}{'us':>9s}  {'':12s} {'beside, us':>11s}  {'ratio':>9s}")
    bench_average_precision(data, small)
    bench_matching(data, small)
    bench_rouge(min(1000, options.rollouts), options.seed)


if __name__ == "__main__":
    main()
