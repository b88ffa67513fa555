"""How well a reward tells goal states from others, before anything is trained; how many episodes reached the goal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sightline.core.errors import ShapeError


class RewardDistance(NamedTuple):
    """Distance between a reward and goal labels.

    Args:
        rho: their correlation, -1 to 1.
        distance: 0 (the same up to scale) to 1 (opposite).
        why: why both are NaN, if they are.
    """

    rho: float
    distance: float
    why: str = ""


def epic_distance(rewards: ArrayLike, labels: ArrayLike) -> RewardDistance:
    """How far a reward is from the ideal one that pays 1 in goal states and 0 elsewhere, whatever its scale.

        rho = sqrt(Var(y) / Var(R)) * (mean R of goal states - mean R of the others);  D = sqrt((1 - rho) / 2)

    Variances are the population's; for binary labels this rho is Pearson's correlation.

    Args:
        rewards: (N,) rewards R of N states.
        labels: (N,) 1 or True for goal states, else 0.

    Returns: not applicable (NaN, with `why`): equal rewards, or labels of one kind only.

    Raises:
        ShapeError: other shapes, other labels, or rewards that are not finite.

    Example:
        >>> found = epic_distance([0.30, 0.28, 0.20, 0.22], [1, 1, 0, 0])
        >>> round(found.rho, 6), round(found.distance, 6)
        (0.970143, 0.122183)

    References:
        Gleave et al., Quantifying Differences in Reward Functions, arXiv 2006.13900, as used in arXiv 2310.12921.
    """
    R_N, y_N = np.asarray(rewards, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if R_N.ndim != 1 or R_N.shape != y_N.shape or not np.isfinite(R_N).all() or not np.isin(y_N, (0, 1)).all():
        raise ShapeError(f"epic_distance: rewards {R_N.shape} and labels {y_N.shape}; it needs (N,) finite and 0 or 1")
    goal_N = y_N == 1
    if goal_N.all() or not goal_N.any():
        return RewardDistance(np.nan, np.nan, "labels of one kind only")
    if np.ptp(R_N) == 0:
        return RewardDistance(np.nan, np.nan, "all rewards are equal")
    scale = np.sqrt(y_N.var()) / np.sqrt(R_N.var())
    rho = float(np.clip(scale * (R_N[goal_N].mean() - R_N[~goal_N].mean()), -1.0, 1.0))
    return RewardDistance(rho, float(np.sqrt((1.0 - rho) / 2.0)))


def success_rate(percents: ArrayLike, least: float = 50.0) -> float:
    """Share of episodes that were in the goal state for at least `least` percent of their steps.

    Args:
        percents: (N,) 0 to 100, also in steps of 25 as people label them.

    Returns: 0 to 1; NaN without episodes.

    Example:
        >>> success_rate([100, 75, 50, 25, 0])
        0.6
    """
    reached_N = np.asarray(percents, dtype=np.float64) >= least
    return float(reached_N.mean()) if reached_N.size else float("nan")
