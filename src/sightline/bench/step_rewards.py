"""What to watch while step rewards train a policy: longer solutions, repeated steps, returns that grow, a stale cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from sightline.core.errors import ShapeError
from sightline.metrics.step_shaping import StepScores, bounded
from sightline.parse.steps import Steps
from sightline.parse.tags import Span

STEPS = Steps()


class StepReport(NamedTuple):
    """Means over solutions, but for the last, which is over steps.

    Args:
        steps: per solution.
        raw_return: sum of a solution's step scores.
        repeated: share of a solution's steps that equal an earlier one.
        one_step: share of solutions with a single step, which earns nothing by differences.
        clipped: share of scored steps below the threshold; near 1 the threshold is stale.
    """

    steps: float
    raw_return: float
    repeated: float
    one_step: float
    clipped: float


def step_report(
    texts: Sequence[str],
    scores: Sequence[StepScores],
    eta: float = 0.0,
    steps: Callable[[str], Sequence[Span]] = STEPS,
) -> StepReport:
    """Figures of a batch of solutions.

    Args:
        texts: the solutions.
        scores: per solution the scores of its steps; None where one is missing.
        eta: the threshold in use.
        steps: text -> steps.

    Raises:
        ShapeError: there are not as many lists of scores as texts.

    Example:
        >>> step_report(["add\\nready\\nready\\nready", "5"], [[0.4, 0.9, 0.9, 0.8], [0.2]], eta=0.5)
        StepReport(steps=2.5, raw_return=1.6, repeated=0.25, one_step=0.5, clipped=0.4)
    """
    if len(texts) != len(scores):
        raise ShapeError(f"step_report: {len(texts)} texts and {len(scores)} lists of scores")
    if not texts:
        return StepReport(*[float("nan")] * 5)
    written = [[" ".join(step.text.split()) for step in steps(text)] for text in texts]
    known = [array[~np.isnan(array)] for array in map(bounded, scores)]
    pooled = np.concatenate(known)
    return StepReport(
        float(np.mean([len(own) for own in written])),
        float(np.mean([array.sum() for array in known])),
        float(np.mean([(len(own) - len(set(own))) / max(len(own), 1) for own in written])),
        float(np.mean([len(own) == 1 for own in written])),
        float(np.mean(pooled < eta)) if len(pooled) else 0.0,
    )
