"""What a credit rule may ask to have measured of every token: values that say what, computed by the trainer.

Every measure is (B, T) of float under its name, see `Tokens.measured`. Nothing here knows how to compute it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Corruption: TypeAlias = Callable[[Picture, np.random.Generator], Picture]
Whose = Literal["policy", "reference"]
Estimator = Literal["k3", "full_kl", "difference"]
MOST_GAP, MOST_DEPENDENCY = 20.0, 10.0


@dataclass(frozen=True)
class Logp:
    """Natural log-probability of each token, given what stands before it and the pictures.

    Args:
        name: under which it is measured.
        of: whose: that of the policy, or of the reference, a copy of the policy as training began.
    """

    name: str = "logp"
    of: Whose = "policy"


@dataclass(frozen=True)
class Entropy:
    """Entropy in nats of the policy's distribution at each token."""

    name: str = "entropy"


@dataclass(frozen=True)
class ImageDependency:
    """How much each token depends on the pictures: the same tokens scored once more with spoiled pictures.

    k3          d = clip(log p' - log p, -20, 20);  clip(exp(d) - d - 1, 0, 10), of the written token only
    full_kl     sum_v p(v) (log p(v) - log p'(v)) over the whole vocabulary, >= 0
    difference  log p - log p' of the written token

    p with the true pictures, p' with the spoiled ones. 0 where a rollout has no picture.

    Args:
        corrupt: (picture (H, W, 3) of uint8, generator) -> picture of the same size; seeded by step and rollout.
        estimator: which of the three.
        name: under which it is measured.

    References:
        Spotlight on token perception (VPPO), arXiv 2510.09285.
    """

    corrupt: Corruption
    estimator: Estimator = "k3"
    name: str = "dependency"


Measure: TypeAlias = Logp | Entropy | ImageDependency


def k3(logp: NDArray[np.float64], spoiled: NDArray[np.float64]) -> NDArray[np.float64]:
    """The k3 estimate of KL(p || p') from the written tokens' log-probabilities, clipped to [0, 10].

    d = clip(log p' - log p, -20, 20);  clip(exp(d) - d - 1, 0, 10)

    Args:
        logp, spoiled: (...,) with the true and with the spoiled pictures.

    Example:
        >>> k3(np.log([0.5, 0.2]), np.log([0.1, 0.19])).round(6)
        array([0.809438, 0.001293])
    """
    gap = np.clip(np.asarray(spoiled, np.float64) - np.asarray(logp, np.float64), -MOST_GAP, MOST_GAP)
    return np.clip(np.exp(gap) - gap - 1.0, 0.0, MOST_DEPENDENCY)
