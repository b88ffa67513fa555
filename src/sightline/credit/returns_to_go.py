"""Rewards of tokens carried back over the tokens before them: returns, advantages with a critic, whitening.

Axes: B rollouts, T tokens. Tokens that the policy did not write take no part: time does not pass over them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def returns_to_go(rewards: Floats, mask: Mask, gamma: float = 1.0) -> Floats:
    """What is earned from each token on: G_t = r_t + gamma * G_{t+1}.

    Args:
        rewards, mask: (B, T).
        gamma: discount per policy token.

    Returns: (B, T), 0 outside the mask.

    Example:
        >>> returns_to_go(np.array([[1.0, 9.0, 2.0]]), np.array([[True, False, True]]))
        array([[3., 0., 2.]])
    """
    earned = np.zeros(rewards.shape)
    ahead = np.zeros(len(rewards))
    for t in range(rewards.shape[1] - 1, -1, -1):
        ahead = np.where(mask[:, t], rewards[:, t] + gamma * ahead, ahead)
        earned[:, t] = np.where(mask[:, t], ahead, 0.0)
    return earned


def gae(rewards: Floats, values: Floats, mask: Mask, gamma: float = 1.0, lam: float = 1.0) -> Floats:
    """Generalised advantage estimates with the value behind the last token 0, neither scaled nor whitened.

    delta_t = r_t + gamma * V_{t+1} - V_t;   A_t = delta_t + gamma * lam * A_{t+1}

    Args:
        rewards, values, mask: (B, T); values of a critic.
        gamma, lam: per policy token.

    Returns: (B, T), 0 outside the mask. A + V is what the critic should have said.

    Example:
        >>> rewards = np.array([[0, 0, 0, 2, 0, 0, 0, -1, 0, 1.0]])
        >>> gae(rewards, np.full((1, 10), 0.5), np.ones((1, 10), bool))
        array([[ 1.5,  1.5,  1.5,  1.5, -0.5, -0.5, -0.5, -0.5,  0.5,  0.5]])

    References:
        Schulman et al., High-dimensional continuous control using generalized advantage estimation, arXiv 1506.02438.
    """
    found = np.zeros(rewards.shape)
    ahead, value = np.zeros(len(rewards)), np.zeros(len(rewards))
    for t in range(rewards.shape[1] - 1, -1, -1):
        delta = rewards[:, t] + gamma * value - values[:, t]
        ahead = np.where(mask[:, t], delta + gamma * lam * ahead, ahead)
        value = np.where(mask[:, t], values[:, t], value)
        found[:, t] = np.where(mask[:, t], ahead, 0.0)
    return found


def whiten(values: Floats, mask: Mask, ddof: int = 0, eps: float = 1e-8) -> Floats:
    """(B, T) minus their mean, over their standard deviation + eps, both over all tokens of the mask.

    Args:
        ddof: 0 for the population's standard deviation, 1 for the sample's.

    Returns: 0 outside the mask, and everywhere if at most `ddof` tokens are in it.

    Example:
        >>> whiten(np.array([[1.0, 3.0, 7.0]]), np.array([[True, True, False]])).round(3)
        array([[-1.,  1.,  0.]])
    """
    some = values[mask]
    if len(some) <= ddof:
        return np.zeros(values.shape)
    return np.where(mask, (values - some.mean()) / (some.std(ddof=ddof) + eps), 0.0)
