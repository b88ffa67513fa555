"""Credit for seeing: rollouts count by how much they depend on the pictures, and their most dependent tokens learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.scores import Scores
from sightline.credit.credit import Advantages, Credit, Tokens, known
from sightline.credit.gates import informative
from sightline.credit.group_relative import GroupRelative
from sightline.credit.measures import Corruption, Entropy, Estimator, ImageDependency, Measure
from sightline.credit.pivotal import masked_means, top_share, trajectory_weights

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class TokenPerception:
    """Advantages for the tokens of a rollout that depend on the pictures.

    A'_it = f_i * A_i * m_it + c
    f_i   by the mean dependency s_i of the rollout's tokens, from `low` on, mean 1 (see `trajectory_weights`)
    m_it  1 for the ceil(share * n_i) most dependent tokens, or among the ceil(entropy_share * n_i) least certain ones

    The loss stays a mean over all tokens, as the paper has it: only a share of them has an advantage.

    Args:
        corrupt: how the pictures are spoiled.
        credit: the rule that gives A.
        share: of a rollout's tokens that learn; 1 filters nothing.
        low: the least weight of a rollout; 1 weighs nothing.
        entropy_share: share of tokens that learn because the policy is uncertain there; 0 for none.
        sharpen: c, of all policy tokens: an entropy penalty, which on policy has the gradient of c * mean(-log p).
        estimator: of the dependency.
        bypass_zero: a rollout without any dependency learns with all its tokens.
        only_informative: f_i is computed over groups whose rewards differ, for trainers that have not left out the
            others before.

    Raises:
        ShapeError: the dependency, or the entropy where it is asked for, was not measured.

    Example:
        >>> dependency = np.array([[0.0, 0.809438, 0.001293, 0.193147, 0.0], [0.0, 0.0, 0.193147, 0.0, 0.0]])
        >>> mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]], bool)
        >>> rule = TokenPerception(abs, GroupRelative(scale=None))
        >>> found, _ = rule.assign(Scores.of([2, 0]), Batch(["", ""], group=[0, 0]),
        ...                        Tokens(mask, measured={"dependency": dependency}))
        >>> found.round(3) + 0.0
        array([[ 0. ,  1.1,  0. ,  1.1,  0. ],
               [-0.9,  0. , -0.9,  0. ,  0. ]])

    References:
        Spotlight on token perception (VPPO), arXiv 2510.09285.
    """

    corrupt: Corruption
    credit: Credit = GroupRelative(eps=1e-6)
    share: float = 0.4
    low: float = 0.9
    entropy_share: float = 0.0
    sharpen: float = 0.0
    estimator: Estimator = "k3"
    bypass_zero: bool = True
    only_informative: bool = False

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What the trainer shall measure."""
        dependency = ImageDependency(self.corrupt, self.estimator)
        return (dependency, Entropy()) if self.entropy_share else (dependency,)

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        who = type(self).__name__
        tokens = known(tokens, who)
        advantages, state = self.credit.assign(scores, batch, tokens, state)
        weights = self.weights(tokens.measure("dependency", who), tokens.mask, self._counted(scores, batch))
        wide = advantages if advantages.ndim == 2 else advantages[:, None]
        shaped = np.where(self.pivotal(tokens), weights[:, None] * wide, 0.0)
        return shaped + np.where(tokens.mask, self.sharpen, 0.0), state

    def weights(self, dependency: NDArray[np.float64], mask: Mask, counted: Mask | None = None) -> NDArray[np.float64]:
        """(B,) weights of rollouts; 1 for those without tokens or not counted.

        Example:
            >>> TokenPerception(abs).weights(np.array([[0.4], [0.1]]), np.ones((2, 1), bool)).round(3)
            array([1.1, 0.9])
        """
        means = masked_means(np.asarray(dependency, np.float64), np.asarray(mask, bool))
        return trajectory_weights(means if counted is None else np.where(counted, means, np.nan), self.low)

    def pivotal(self, tokens: Tokens) -> Mask:
        """(B, T) the tokens that learn."""
        who = type(self).__name__
        seen = top_share(tokens.measure("dependency", who), tokens.mask, self.share, self.bypass_zero)
        if not self.entropy_share:
            return seen
        uncertain = top_share(tokens.measure("entropy", who), tokens.mask, self.entropy_share, bypass_zero=False)
        return np.asarray(seen | uncertain)

    def _counted(self, scores: Scores, batch: Batch) -> Mask | None:
        return informative(scores.values, batch.group) if self.only_informative else None
