"""Rewards for reranked lists beside the loop of a reward file, and beside scikit-learn's NDCG. One core.

    python benchmarks/rankings.py [--rollouts 8192] [--seed 0]

A rollout orders 5 to 20 candidates of which 1 to 3 are right. `plain loop` is what a reward file does, one completion
at a time: a regular expression, `ast.literal_eval`, a sum over ranks. Its results are compared before anything is
timed; NDCG is another discount of the same ranks, so only its time is compared.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.metrics import ndcg_score

from sightline.core import Batch
from sightline.metrics.ranking import rank_gain
from sightline.rewards.reranking import RankGain, RankingInRange, RankingLength

ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)


class Rollouts(NamedTuple):
    said: list[str]
    orders: list[list[int]]
    solution: list[list[Any]]


def make_rollouts(count: int, seed: int) -> Rollouts:
    """Groups of 8 orders of the same candidates; now and then one is left out."""
    rng = random.Random(seed)
    found = Rollouts([], [], [])
    for number in range(count):
        if number % 8 == 0:
            ids = list(range(1, rng.randint(5, 20) + 1))
            right = sorted(rng.sample(ids, rng.randint(1, 3)))
        order = rng.sample(ids, len(ids) - (rng.random() < 0.2))
        found.said.append(f"<think>The pages are compared one by one.</think><answer>{order}</answer>")
        found.orders.append(order)
        found.solution.append([right, len(ids)])
    return found


def loop_reward(completion: str, solution: list[Any], power: float = 3.0) -> float:
    """Rank gain, length and range of one completion."""
    right, total = set(solution[0]), solution[1]
    found = ANSWER.search(completion)
    try:
        order = ast.literal_eval(found.group(1).strip()) if found else []
    except (ValueError, SyntaxError):
        return 0.0
    order = list(dict.fromkeys(order))
    if not order:
        return 0.0
    best = sum(1 / rank**power for rank in range(1, len(right) + 1))
    gain = sum(1 / rank**power for rank, one in enumerate(order, start=1) if one in right) / best
    length = max(0.0, 1 - abs(len(order) - total) / total)
    return gain + length + sum(1 <= one <= total for one in order) / len(order)


def seconds(work: Callable[[], Any], runs: int = 5) -> float:
    best = float("inf")
    for _ in range(runs):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=8192)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = make_rollouts(options.rollouts, options.seed)
    reward = RankGain() + RankingLength() + RankingInRange()

    def ours() -> Any:
        return reward(Batch(data.said, {"solution": data.solution})).values

    def theirs() -> list[float]:
        return [loop_reward(*one) for one in zip(data.said, data.solution, strict=True)]

    np.testing.assert_allclose(ours(), theirs(), atol=1e-12)
    mine, loop = seconds(ours), seconds(theirs)
    count = len(data.said)
    print(f"{'rank gain + length + range, from text':44}{count / mine:>10,.0f}/s   {loop / mine:6.1f} x the plain loop")

    few = slice(0, min(512, count))
    asked = list(zip(data.orders[few], [one[0] for one in data.solution[few]], strict=True))
    relevance = [(np.array([[one in right for one in order]], float), len(order)) for order, right in asked]
    ranks = [-np.arange(size, dtype=float)[None] for _, size in relevance]
    mine = seconds(lambda: [rank_gain(order, right) for order, right in asked])
    learn = seconds(lambda: [ndcg_score(row[0], rank) for row, rank in zip(relevance, ranks, strict=True)], 2)
    each = len(asked) / mine
    print(f"{'rank gain of one order':44}{each:>10,.0f}/s   {learn / mine:6.1f} x scikit-learn's ndcg_score")


if __name__ == "__main__":
    main()
