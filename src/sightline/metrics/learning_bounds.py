"""Bounds as calculators: how fast a gradient shrinks, what training prompts say about others, what another mix costs.

Distributions are (N,) probabilities over the same N prompts or kinds of prompts; logarithms are natural.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ConfigError, ShapeError

Floats = NDArray[np.float64]


def total_variation(p: ArrayLike, q: ArrayLike) -> float:
    """Half the sum of |p - q|: how much probability must move.

    Example:
        >>> total_variation([0.5, 0.5], [0.75, 0.25])
        0.25
    """
    first, second = _distributions(p, q)
    return float(np.abs(first - second).sum() / 2)


def kl_divergence(p: ArrayLike, q: ArrayLike) -> float:
    """sum p ln(p / q); infinite where q is 0 and p is not.

    Example:
        >>> round(kl_divergence([0.75, 0.25], [0.5, 0.5]), 6), kl_divergence([1, 0], [0, 1])
        (0.130812, inf)
    """
    first, second = _distributions(p, q)
    some = first > 0
    if (second[some] == 0).any():
        return math.inf
    return max(0.0, float((first[some] * np.log(first[some] / second[some])).sum()))


def pac_bayes_term(kl: float, prompts: int, delta: float) -> float:
    """sqrt((KL(Q||P) + ln(2 sqrt(n) / delta)) / (2 n)): how far the mean over n prompts may lie above the truth.

    Args:
        kl: KL(Q||P) of what was learnt from what was there before, >= 0.
        prompts: n, drawn independently; values lie in [0, 1].
        delta: probability with which it may be violated.

    Example:
        >>> [round(pac_bayes_term(*given), 5) for given in ((2, 500, 0.05), (2, 2000, 0.05), (0, 100, 0.1))]
        [0.09379, 0.04871, 0.16276]

    References:
        Maurer, A note on the PAC Bayesian theorem, cs/0411099.
    """
    if prompts < 1 or not 0 < delta < 1 or not kl >= 0:
        raise ConfigError(f"pac_bayes_term needs n >= 1, 0 < delta < 1 and KL >= 0; got {prompts}, {delta}, {kl}")
    return math.sqrt((kl + math.log(2 * math.sqrt(prompts) / delta)) / (2 * prompts))


def shift_term(target: ArrayLike, source: ArrayLike, value_max: float = 1.0) -> float:
    """V_max * min(TV(T, S), sqrt(KL(T||S) / 2)): what another mix of prompts can cost, however many there were.

    By Pinsker's inequality the first of the two is never the larger one.

    Args:
        target, source: (N,) distributions at test and at training.
        value_max: largest value; the least is 0.

    Example:
        >>> shift_term([0.75, 0.25], [0.5, 0.5]), round(shift_term_over_root_n([0.75, 0.25], [0.5, 0.5], 100), 4)
        (0.25, 0.0256)
    """
    return value_max * min(total_variation(target, source), math.sqrt(kl_divergence(target, source) / 2))


def shift_term_over_root_n(target: ArrayLike, source: ArrayLike, prompts: int, value_max: float = 1.0) -> float:
    """V_max * sqrt(KL(T||S) / 2) / sqrt(n), as printed in the paper's appendix: no bound, kept to show that it is none.

    T = (0.75, 0.25), S = (0.5, 0.5), V = (1, 0) lose 0.25, however large n is.
    """
    return value_max * math.sqrt(kl_divergence(target, source) / 2) / math.sqrt(prompts)


def transfer_bound(
    empirical: float,
    kl: float,
    prompts: int,
    delta: float,
    target: ArrayLike,
    source: ArrayLike,
    value_max: float = 1.0,
) -> float:
    """A value that holds under the target mix with probability 1 - delta over the n training prompts.

    V_T(Q) >= V^_S(Q) - pac_bayes_term(KL, n, delta) - shift_term(T, S, V_max)

    Args:
        empirical: V^_S(Q), mean value over the training prompts.
        value_max: at most 1, since the middle term is that of values in [0, 1].

    Raises:
        ConfigError: values beyond [0, 1].

    Example:
        >>> round(transfer_bound(0.8, 2, 500, 0.05, [0.75, 0.25], [0.5, 0.5]), 6)
        0.456212

    References:
        Rethinking reinforcement fine-tuning in LVLM, arXiv 2604.19857, theorem 3. Departs: restated, its shift term
        does not shrink with n.
    """
    if not 0 < value_max <= 1:
        raise ConfigError(f"transfer_bound holds for values in [0, 1]; value_max is {value_max}: rescale the reward")
    return empirical - pac_bayes_term(kl, prompts, delta) - shift_term(target, source, value_max)


def convergence_bound(
    gap: float,
    steps: int,
    components: int,
    group_size: int,
    smoothness: float = 1.0,
    variance: float = 1.0,
    scale: float = 1.0,
) -> float:
    """2 (J* - J_0) / (eta T) + L eta sigma^2 K / G with eta = scale / sqrt(T): on the least E|grad J|^2 of T steps.

    It speaks of the best step, not of the last one. That the variance grows like K / G is assumed, not derived.

    Args:
        gap: J* - J_0.
        steps, components, group_size: T, K, G.
        smoothness, variance, scale: L, sigma^2 and c.

    Example:
        >>> [round(convergence_bound(1, steps, components=3, group_size=8), 6) for steps in (100, 400)]
        [0.2375, 0.11875]

    References:
        Rethinking reinforcement fine-tuning in LVLM, arXiv 2604.19857, theorem 1. Constants are ours.
    """
    if min(steps, components, group_size) < 1 or scale <= 0 or min(gap, smoothness, variance) < 0:
        raise ConfigError(
            "convergence_bound needs T, K, G >= 1, a positive scale and nothing negative; got "
            f"{steps}, {components}, {group_size}, {scale}, {(gap, smoothness, variance)}"
        )
    eta = scale / math.sqrt(steps)
    return 2 * gap / (eta * steps) + smoothness * eta * variance * components / group_size


def _distributions(p: ArrayLike, q: ArrayLike) -> tuple[Floats, Floats]:
    first, second = np.asarray(p, np.float64), np.asarray(q, np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ShapeError(f"two distributions (N,) are needed; got {first.shape} and {second.shape}")
    for one in (first, second):
        if not (one >= 0).all() or abs(one.sum() - 1) > 1e-9:
            raise ConfigError(f"a distribution has probabilities that sum to 1; got {one.tolist()}")
    return first, second
