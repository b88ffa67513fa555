"""Joint or decoupled: the advantage of a weighted sum, or the weighted sum of the advantages of its components.

Both use the population's standard deviation of the group; one of at most 1e-12 counts as 0 and gives 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import ColumnError, ConfigError, did_you_mean
from sightline.core.scores import Scores, Values
from sightline.credit.credit import Advantages, Tokens, group_mean
from sightline.metrics.component_gap import SETTLED, ComponentGap, component_gap

Weights = tuple[tuple[str, float], ...]


class Weigh(Protocol):
    """(K,) weights, (K, B) deviations of the components, (B,) of their sum -> (K, B) weights of their advantages."""

    def __call__(self, weights: Values, sigma: Values, whole: Values) -> Values: ...


def raw_weights(weights: Values, sigma: Values, whole: Values) -> Values:
    """The weights as they are: a component counts the same however little it varies.

    Example:
        >>> raw_weights(np.array([0.7, 0.3]), np.ones((2, 1)), np.ones(1)).ravel()
        array([0.7, 0.3])
    """
    return np.broadcast_to(weights[:, None], sigma.shape)


def matched_weights(weights: Values, sigma: Values, whole: Values) -> Values:
    """w_k sigma_k / sigma: with these the decoupled advantage is the joint one; 0 where the sum does not vary.

    Example:
        >>> matched_weights(np.array([0.75, 0.25]), np.array([[0.5], [0.5]]), np.array([0.25])).ravel()
        array([1.5, 0.5])
    """
    return np.where(whole > SETTLED, weights[:, None] * sigma / np.where(whole > SETTLED, whole, 1.0), 0.0)


@dataclass(frozen=True)
class Joint:
    """The advantage of the summed reward.

    A_i = (R_i - mean R) / (sigma + eps) over the scorable rollouts of the group, population sigma

    Args:
        eps: added to sigma; 0 keeps the identity with the decoupled form exact.

    Example:
        >>> Joint(eps=0.0).assign(Scores.of([0.25, 0.75]), Batch(["a", "b"], group=[0, 0]))[0]
        array([-1.,  1.])
    """

    eps: float = 1e-8

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        return _standardised(scores.values, batch.group, self.eps)[0], state


@dataclass(frozen=True)
class Decoupled:
    """Every component relative to the group for itself, then the weighted sum.

    A_i = sum_k u_k (R_ik - mean R_k) / (sigma_k + eps), u = weigh(w): w itself, or w_k sigma_k / sigma

    It raises the share of components that hardly vary, because they are rare or nearly saturated.

    Args:
        weights: (part, weight) pairs, not negative, summing to 1.
        weigh: raw_weights, or matched_weights, which gives the joint advantage.
        eps: added to every sigma.

    A rollout of which some weighted part is NaN gets 0 and is in no statistic.

    Raises:
        ConfigError: weights are negative or do not sum to 1.
        ColumnError: a weighted part is not among the parts of the scores.

    Example:
        >>> parts = {"a": Scores.of([0, 1]), "b": Scores.of([1, 0])}
        >>> scores = Scores(np.array([0.25, 0.75]), ["", ""], [(), ()], parts)
        >>> Decoupled((("a", 0.75), ("b", 0.25)), eps=0.0).assign(scores, Batch(["", ""], group=[0, 0]))[0]
        array([-0.5,  0.5])

    References:
        Rethinking reinforcement fine-tuning in LVLM, arXiv 2604.19857. Liu et al., GDPO, arXiv 2601.05242.
    """

    weights: Weights
    weigh: Weigh = raw_weights
    eps: float = 1e-8

    def __post_init__(self) -> None:
        given = [weight for _, weight in self.weights]
        if not given or not min(given) >= 0 or abs(sum(given) - 1.0) > 1e-9:
            raise ConfigError(f"Decoupled: weights are {given}; they must not be negative and sum to 1")

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]:
        values_KB = components(scores, self.weights)
        w = np.array([weight for _, weight in self.weights])
        found = [_standardised(values, batch.group, self.eps) for values in values_KB]
        sigma_KB = np.array([sigma for _, sigma in found])
        whole_B = _standardised(w @ values_KB, batch.group, self.eps)[1]
        own_KB = np.array([advantage for advantage, _ in found])
        return (self.weigh(w, sigma_KB, whole_B) * own_KB).sum(0), state


def components(scores: Scores, weights: Weights) -> Values:
    """(K, B) the weighted parts; a rollout that lacks one of them is NaN in all.

    Raises:
        ColumnError: a part is not among the parts of the scores.
    """
    for name, _ in weights:
        if name not in scores.parts:
            known = sorted(scores.parts)
            raise ColumnError(f"Decoupled weighs part `{name}`; the scores have {known}.{did_you_mean(name, known)}")
    values = np.array([scores.parts[name].values for name, _ in weights])
    return np.where(np.isnan(values).any(0), np.nan, values)


def component_figures(scores: Scores, batch: Batch, weights: Weights, ratio: Values | None = None) -> dict[str, float]:
    """What to log beside training with components: means over the groups that can be compared.

    `sigma k`, `v k` (matched weights), `corr j k`, `gap`, `bound` (of unclipped surrogates), `distance` (mean
    |A_decoupled - A_joint|), `constant` (share of groups of which some component does not vary) and `cancelled`.
    NaN where no group has it.

    Args:
        ratio: (B,) rho; None: all 1, for which surrogates and gap are 0.

    Example:
        >>> parts = {"a": Scores.of([0, 1]), "b": Scores.of([1, 0])}
        >>> scores = Scores(np.array([0.25, 0.75]), ["", ""], [(), ()], parts)
        >>> found = component_figures(scores, Batch(["", ""], group=[0, 0]), (("a", 0.75), ("b", 0.25)))
        >>> found["v a"], found["corr a b"], found["distance"]
        (1.5, -1.0, 0.5)
    """
    values_KB = components(scores, weights)
    w, rho = [weight for _, weight in weights], np.ones(len(batch)) if ratio is None else ratio
    found = []
    for rows in batch.groups():
        known = rows[~np.isnan(values_KB[0, rows])]
        if len(known) > 1:
            found.append(component_gap(values_KB[:, known], w, rho[known]))
    listed = [_figures(one, [name for name, _ in weights]) for one in found]
    return {name: _mean([one[name] for one in listed]) for name in (listed[0] if listed else ())}


def _figures(found: ComponentGap, names: list[str]) -> Mapping[str, float]:
    pairs = [(j, k) for j in range(len(names)) for k in range(j + 1, len(names))]
    return {
        **{f"sigma {name}": float(value) for name, value in zip(names, found.sigma, strict=True)},
        **{f"v {name}": float(value) for name, value in zip(names, found.matched, strict=True)},
        **{f"corr {names[j]} {names[k]}": float(found.correlation[j, k]) for j, k in pairs},
        "gap": found.gap,
        "bound": np.nan if found.bound is None else found.bound,
        "distance": float(np.abs(found.advantage_decoupled - found.advantage_joint).mean()),
        "constant": float((found.sigma == 0).any()),
        "cancelled": float(found.cancelled),
    }


def _mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _standardised(values: Values, group: NDArray[np.int64], eps: float) -> tuple[Values, Values]:
    """(B,) advantages and (B,) standard deviations of the groups, exactly 0 where they count as 0."""
    centred = values - group_mean(values, group)
    spread = np.sqrt(group_mean(centred**2, group))
    varies = spread > SETTLED
    sigma = np.where(varies, spread, 0.0)
    return np.where(varies & ~np.isnan(values), centred / np.where(varies, sigma + eps, 1.0), 0.0), sigma
