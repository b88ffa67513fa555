"""Log-probabilities of a text's tokens as one number, and of several samples together. Natural logarithms throughout.

Axes: T tokens, N samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def log_probability(logps: Sequence[float]) -> float:
    """L = sum_t l_t, <= 0; 0 for no tokens.

    Example:
        >>> round(log_probability(np.log([0.9, 0.5])), 4)
        -0.7985
    """
    return float(np.sum(logps))


def mean_log_probability(logps: Sequence[float]) -> float:
    """L / T, <= 0; 0 for no tokens.

    Example:
        >>> round(mean_log_probability(np.log([0.9, 0.5])), 4)
        -0.3993
    """
    return float(np.mean(logps)) if len(logps) else 0.0


def probability(logps: Sequence[float]) -> float:
    """exp(L), in 0..1; 0 for no tokens. Underflows beyond a few dozen tokens.

    Example:
        >>> round(probability(np.log([0.9, 0.5])), 6)
        0.45
    """
    return float(np.exp(np.sum(logps))) if len(logps) else 0.0


def mean_probability(logps: Sequence[float]) -> float:
    """mean_t exp(l_t), in 0..1; 0 for no tokens.

    Example:
        >>> round(mean_probability(np.log([0.9, 0.5])), 6)
        0.7
    """
    return float(np.mean(np.exp(logps))) if len(logps) else 0.0


def geometric_probability(logps: Sequence[float]) -> float:
    """exp(L / T), in 0..1; 0 for no tokens.

    Example:
        >>> round(geometric_probability(np.log([0.9, 0.4])), 6)
        0.6
    """
    return float(np.exp(np.mean(logps))) if len(logps) else 0.0


def log_mean_exp(values: ArrayLike) -> float:
    """log((1 / N) sum_i exp(L_i)): the probability of an answer over N samples of reasoning, in logarithms.

    Example:
        >>> round(log_mean_exp([-900.0, -901.0, -905.0, -903.0]), 4)
        -901.0325
    """
    given = np.asarray(values, dtype=np.float64)
    top = float(given.max())
    return top if np.isinf(top) else top + float(np.log(np.mean(np.exp(given - top))))


def lifted(values: ArrayLike, group: NDArray[np.int64], lowest: float = -1e4) -> Floats:
    """Log-probabilities of a prompt's rollouts with 1 less than the least finite one in the place of -inf.

    Args:
        values: (B,) <= 0; NaN stays.
        group: (B,) numbers of the prompts, from 0.
        lowest: for prompts without any finite one.

    Example:
        >>> lifted([-2.0, -np.inf, -5.0, -np.inf], np.array([0, 0, 0, 1]))
        array([-2.e+00, -6.e+00, -5.e+00, -1.e+04])
    """
    given = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(given)
    least = np.full(int(group.max(initial=0)) + 1, np.inf)
    np.minimum.at(least, group[finite], given[finite])
    floor = np.where(np.isfinite(least), least - 1.0, lowest)
    return np.where(np.isneginf(given), floor[group], given)


def perplexity(totals: ArrayLike, counts: ArrayLike) -> float:
    """exp(-(mean over answers of L / T)).

    Args:
        totals: (N,) log-probabilities of answers.
        counts: (N,) their tokens, at least 1 each.

    Example:
        >>> round(perplexity([-2.0, -6.0], [2, 3]), 4)
        4.4817
    """
    return float(np.exp(-np.mean(np.asarray(totals, dtype=np.float64) / np.asarray(counts, dtype=np.float64))))


def length_scaled_perplexity(nll: float, tokens: float) -> float:
    """exp(nll / max(1, 1 + log10(tokens))): a long reasoning must explain the answer better.

    Args:
        nll: mean negative log-probability of the answer's tokens.
        tokens: of the reasoning.

    Example:
        >>> [round(length_scaled_perplexity(1.2, n), 6) for n in (10, 100, 1)]
        [1.822119, 1.491825, 3.320117]

    References:
        Liu et al., NOVER: incentive training for language models via verifier-free reinforcement learning,
        arXiv 2505.16022.
    """
    scale = max(1.0, 1.0 + float(np.log10(tokens))) if tokens > 0 else 1.0
    with np.errstate(over="ignore"):
        return float(np.exp(nll / scale))


def as_bfloat16(value: ArrayLike) -> Floats:
    """Numbers rounded to bfloat16, to the nearest, ties to even.

    Example:
        >>> as_bfloat16([0.575, 1.0]).tolist()
        [0.57421875, 1.0]
    """
    bits = np.asarray(value, dtype=np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32).astype(np.float64)
