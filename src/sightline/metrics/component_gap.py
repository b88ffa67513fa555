"""A reward that is a weighted sum: what its advantage gains or loses when every component is normalised for itself.

Axes: K components, G rollouts of one prompt. Standard deviations are the population's; up to 1e-12 they count as 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.core.errors import ConfigError, ShapeError

Floats = NDArray[np.float64]
SETTLED = 1e-12


def standardised(values: ArrayLike, eps: float = 0.0) -> Floats:
    """(R - mean) / (sigma + eps) along the last axis, exactly 0 where sigma counts as 0.

    Args:
        values: (..., G).
        eps: added to the standard deviation; 0 keeps the identities of `component_gap` exact.

    Example:
        >>> standardised([0.25, 0.75]), standardised([0.1 + 0.2, 0.3])
        (array([-1.,  1.]), array([0., 0.]))
    """
    given = np.asarray(values, np.float64)
    centred = given - given.mean(-1, keepdims=True)
    sigma = given.std(-1, keepdims=True)
    return np.where(sigma > SETTLED, centred / np.where(sigma > SETTLED, sigma + eps, 1.0), 0.0)


def surrogate(advantage: ArrayLike, ratio: ArrayLike, clip: float | None = 0.2) -> float:
    """mean_i min(rho_i A_i, clip(rho_i, 1 - clip, 1 + clip) A_i), to be maximised; mean_i rho_i A_i without a clip.

    Args:
        advantage, ratio: (G,).

    Example:
        >>> round(surrogate([-1, 1], [0.9, 1.5]), 4), round(surrogate([-1, 1], [0.9, 1.5], None), 4)
        (0.15, 0.3)
    """
    gain, rho = np.asarray(advantage, np.float64), np.asarray(ratio, np.float64)
    plain = rho * gain
    if clip is None:
        return float(plain.mean())
    return float(np.minimum(plain, np.clip(rho, 1 - clip, 1 + clip) * gain).mean())


@dataclass(frozen=True, eq=False)
class ComponentGap:
    """Joint and decoupled advantages of one group, and what lies between them.

    Args:
        sigma: (K,) standard deviation of every component.
        sigma_joint: of the composite R = sum_k w_k R_k.
        matched: (K,) v_k = w_k sigma_k / sigma_joint: the weights under which the decoupled advantage is the joint one;
            0 if the composite does not vary.
        correlation: (K, K) of the components; NaN where one does not vary.
        advantage_joint: (G,) of the composite.
        advantage_decoupled: (G,) sum_k w_k A_k.
        joint, decoupled, rematched: surrogates with the joint advantage, with raw weights, with matched weights.
        gap: decoupled - joint.
        bound: sum_k w_k |1 - sigma_k / sigma_joint| sqrt(mean rho^2) over components that vary, never below |gap|;
            None if the composite does not vary, or if some ratio lies outside the clip.
        residual: (G,) A_joint - sum_k v_k A_k, identically 0 unless `cancelled`.
        cancelled: components vary, yet their sum does not: the joint advantage is 0, the decoupled one need not be.
        raised: (K,) components with v_k < w_k, whose weight decoupling raises.
    """

    sigma: Floats
    sigma_joint: float
    matched: Floats
    correlation: Floats
    advantage_joint: Floats
    advantage_decoupled: Floats
    joint: float
    decoupled: float
    rematched: float
    gap: float
    bound: float | None
    residual: Floats
    cancelled: bool
    raised: NDArray[np.bool_]


def component_gap(
    rewards: ArrayLike, weights: ArrayLike, ratio: ArrayLike | None = None, clip: float | None = None
) -> ComponentGap:
    """Normalise the sum, or sum the normalised: both surrogates of a group, their exact gap and a bound on it.

    A_joint = (R - mean R) / sigma = sum_k v_k A_k;   v_k = w_k sigma_k / sigma;   A_decoupled = sum_k w_k A_k
    gap     = J_decoupled - J_joint = sum_k w_k (1 - sigma_k / sigma) mean_i(rho_i A_ik) without clipping

    With equal ratios (the first update on a batch) both surrogates are 0 whatever their gradients are.

    Args:
        rewards: (K, G) component rewards.
        weights: (K,) w_k >= 0.
        ratio: (G,) rho_i, probability now over probability when sampled; None: all 1.
        clip: of the ratio; None: none.

    Raises:
        ShapeError: the shapes do not fit.
        ConfigError: a weight is negative, or a reward or ratio is not finite.

    Example:
        >>> found = component_gap([[0, 1], [1, 0]], [0.75, 0.25], [0.9, 1.1])
        >>> round(found.joint, 6), round(found.decoupled, 6), round(found.bound, 6), found.matched
        (0.1, 0.05, 1.004988, array([1.5, 0.5]))

    References:
        Rethinking reinforcement fine-tuning in LVLM, arXiv 2604.19857, theorem 2. Departs: the theorem bounds the gap
        by `residual`, which is 0 while the gap is not; gap and bound are ours.
    """
    given, w, rho = _checked(rewards, weights, ratio)
    own = standardised(given)
    sigma = np.where(given.std(-1) > SETTLED, given.std(-1), 0.0)
    whole = w @ given
    varies = bool(whole.std() > SETTLED)
    sigma_joint = float(whole.std()) if varies else 0.0
    v = w * sigma / sigma_joint if varies else np.zeros(len(w))
    joint_G, decoupled_G = standardised(whole), w @ own
    values = [surrogate(advantage, rho, clip) for advantage in (joint_G, decoupled_G, v @ own)]
    free = clip is None or bool((np.abs(rho - 1.0) <= clip).all())
    away = float((w * np.abs(1.0 - sigma / sigma_joint))[sigma > 0].sum()) if varies else 0.0
    return ComponentGap(
        sigma=sigma,
        sigma_joint=sigma_joint,
        matched=v,
        correlation=_correlation(own, sigma),
        advantage_joint=joint_G,
        advantage_decoupled=decoupled_G,
        joint=values[0],
        decoupled=values[1],
        rematched=values[2],
        gap=values[1] - values[0],
        bound=away * float(np.sqrt((rho**2).mean())) if varies and free else None,
        residual=joint_G - v @ own,
        cancelled=not varies and bool((w * sigma > 0).any()),
        raised=(v < w) & (sigma > 0),
    )


def _correlation(own: Floats, sigma: Floats) -> Floats:
    varies = sigma > 0
    return np.where(varies[:, None] & varies[None], own @ own.T / own.shape[1], np.nan)


def _checked(rewards: ArrayLike, weights: ArrayLike, ratio: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    given, w = np.asarray(rewards, np.float64), np.asarray(weights, np.float64)
    if given.ndim != 2 or given.shape[1] == 0 or w.shape != given.shape[:1]:
        raise ShapeError(f"component_gap needs rewards (K, G) and weights (K,); got {given.shape} and {w.shape}")
    rho = np.ones(given.shape[1]) if ratio is None else np.asarray(ratio, np.float64)
    if rho.shape != given.shape[1:]:
        raise ShapeError(f"component_gap needs a ratio (G,) of {given.shape[1]} rollouts; got {rho.shape}")
    if not ((w >= 0) & np.isfinite(w)).all():
        raise ConfigError(f"component_gap: weights are {w.tolist()}; none may be negative or without end")
    if not (np.isfinite(given).all() and np.isfinite(rho).all()):
        raise ConfigError("component_gap: a reward or ratio is not finite; leave such rollouts out")
    return given, w, rho
