"""Distances between sets of vectors and optimal transport, beside POT and what people write with scipy. One core.

    python benchmarks/sets.py [--pairs 400] [--dimensions 384] [--seed 0]

Sets have 2 to 12 members, as the sentences of a report have. Each side gets the raw vectors and makes its own costs,
1 - cosine. Results are compared before they are timed; times are the best of several runs, per pair of sets.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any, TypeAlias

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import ot
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from sightline.metrics import set_distances as sets

Vectors: TypeAlias = NDArray[np.float64]
Pairs: TypeAlias = "list[tuple[Vectors, Vectors]]"
Distance: TypeAlias = Callable[[Vectors, Vectors], float]
LARGE = (29, 31)  # members of large sets: numbers without a common factor


def make_pairs(count: int, dimensions: int, seed: int, size: tuple[int, int] = (2, 12)) -> Pairs:
    """Sets of which some members say the same."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        x = rng.normal(size=(rng.integers(size[0], size[1] + 1), dimensions))
        y = rng.normal(size=(rng.integers(size[0], size[1] + 1), dimensions))
        shared = min(len(x), len(y)) // 2
        y[:shared] = x[:shared] + 0.3 * rng.normal(size=(shared, dimensions))
        found.append((x, y))
    return found


def usual_chamfer(x: Vectors, y: Vectors) -> float:
    cost = cdist(x, y, "cosine")
    return float(cost.min(axis=1).mean() + cost.min(axis=0).mean()) / 2


def usual_hausdorff(x: Vectors, y: Vectors) -> float:
    cost = cdist(x, y, "cosine")
    return float(max(cost.min(axis=1).max(), cost.min(axis=0).max()))


def usual_assignment(x: Vectors, y: Vectors) -> float:
    cost = cdist(x, y, "cosine")
    pairs = linear_sum_assignment(cost)
    return float((cost[pairs].sum() + abs(len(x) - len(y))) / max(len(x), len(y)))


def pot_transport(x: Vectors, y: Vectors) -> float:
    return float(ot.emd2(ot.unif(len(x)), ot.unif(len(y)), ot.dist(x, y, "cosine")))


def pot_sinkhorn(x: Vectors, y: Vectors) -> float:
    cost = ot.dist(x, y, "cosine")
    plan = ot.sinkhorn(ot.unif(len(x)), ot.unif(len(y)), cost, 0.1, numItermax=500)
    return float((plan * cost).sum())


JOBS: dict[str, tuple[Distance, Distance, str]] = {
    "Chamfer": (sets.chamfer, usual_chamfer, "scipy cdist"),
    "Hausdorff": (sets.hausdorff, usual_hausdorff, "scipy cdist"),
    "assignment": (sets.hungarian, usual_assignment, "scipy cdist and assignment"),
    "optimal transport, exact": (sets.earth_movers, pot_transport, "POT emd2"),
    "optimal transport, Sinkhorn": (sets.sinkhorn, pot_sinkhorn, "POT sinkhorn"),
}


def microseconds(distance: Distance, pairs: Pairs, runs: int = 5) -> float:
    """Best time per pair."""
    best = float("inf")
    for _ in range(runs):
        begun = time.process_time()
        for x, y in pairs:
            distance(x, y)
        best = min(best, time.process_time() - begun)
    return best / len(pairs) * 1e6


def report(what: str, ours: Distance, theirs: Distance, name: str, pairs: Pairs) -> None:
    far: list[Any] = [abs(ours(x, y) - theirs(x, y)) for x, y in pairs]
    assert max(far) < 1e-6, f"{what}: results differ by {max(far)}"
    mine, its = microseconds(ours, pairs), microseconds(theirs, pairs)
    print(f"{what:44s}{mine:10.1f}  {its:10.1f}  {its / mine:8.1f}x  {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    pairs = make_pairs(options.pairs, options.dimensions, options.seed)
    large = make_pairs(max(1, options.pairs // 20), options.dimensions, options.seed, LARGE)
    print(f"{'':44s}{'us a pair':>10s}  {'beside, us':>10s}  {'ratio':>9s}")
    for what, job in JOBS.items():
        report(what, *job, pairs)
    for what in ("optimal transport, exact", "optimal transport, Sinkhorn"):
        report(f"{what}, sets of {LARGE[0]} to {LARGE[1]}", *JOBS[what], large)


if __name__ == "__main__":
    main()
