"""The clipped loss of policy gradients on arrays: what a trainer minimises, for checking advantages by hand."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike


def clipped_loss(
    advantages: ArrayLike,
    mask: ArrayLike,
    ratio: ArrayLike = 1.0,
    low: float = 0.2,
    high: float = 0.28,
    dual: float | None = 3.0,
    mean: Literal["token", "rollout"] = "token",
) -> float:
    """The loss of a batch, to be minimised.

    l = max(-A rho, -A clip(rho, 1 - low, 1 + high)); where A < 0 also l = min(l, -dual * A)

    Args:
        advantages: (B, T) or (B,).
        mask: (B, T) policy tokens, of which all count in the mean.
        ratio: rho, probability now over probability when sampled, broadcast to (B, T).
        dual: bound on the ratio where the advantage is negative; None: no bound.
        mean: over all tokens of the batch, or over each rollout's tokens and then over rollouts.

    Example:
        >>> kept = np.array([[0, 1, 0, 1, 0], [1, 0, 1, 0, 0]])
        >>> mask = [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]
        >>> shaped = kept * np.array([[1.1], [-0.9]])
        >>> round(clipped_loss(shaped, mask), 6), round(clipped_loss(shaped, mask, mean="rollout"), 6)
        (-0.044444, 0.005)

    References:
        Schulman et al., Proximal policy optimization algorithms, arXiv 1707.06347. Ye et al., Mastering complex control
        in MOBA games, arXiv 1912.09729 (dual clip).
    """
    valid = np.asarray(mask, dtype=np.float64)
    given = np.asarray(advantages, dtype=np.float64)
    wide = np.broadcast_to(given[:, None] if given.ndim == 1 else given, valid.shape)
    rho = np.broadcast_to(np.asarray(ratio, dtype=np.float64), valid.shape)
    loss = np.maximum(-wide * rho, -wide * np.clip(rho, 1 - low, 1 + high))
    if dual is not None:
        loss = np.where(wide < 0, np.minimum(loss, -dual * wide), loss)
    if mean == "token":
        return float((loss * valid).sum() / max(valid.sum(), 1.0))
    return float(np.mean((loss * valid).sum(1) / np.maximum(valid.sum(1), 1.0)))
