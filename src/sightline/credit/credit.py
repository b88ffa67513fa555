"""Scores -> advantages: what a credit rule is, and the group statistics they share.

Advantages are (B,) for a whole completion or (B, T) per token. NaN scores are left out of every statistic and get
advantage 0. Axes: B rollouts, T tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sightline.core.batch import Batch
from sightline.core.errors import ShapeError, did_you_mean
from sightline.core.scores import Scores, Values

Advantages = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tokens:
    """What a credit rule may know about the tokens of a batch. A rule declares what it needs, see `Credit`.

    Args:
        mask: (B, T) True where a token is trained on: what the policy wrote, not padding, not what a tool answered.
        logp: (B, T) log-probabilities under the policy that sampled, or None.
        ids: (B, T) token ids, -1 where there is no token, or None.
        offsets: (B, T, 2) the characters [start, end) of `batch.texts[row]` that a token stands for, -1 where there are
            none, or None.
        spliced: (B, T) True where the trainer put a text and its end in the place of what the policy wrote, or None.
        measured: name -> (B, T), what the rule's `measures` asked for.
    """

    mask: NDArray[np.bool_]
    logp: NDArray[np.float64] | None = None
    ids: NDArray[np.int64] | None = None
    offsets: NDArray[np.int64] | None = None
    spliced: NDArray[np.bool_] | None = None
    measured: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def measure(self, name: str, who: str) -> NDArray[np.float64]:
        """(B, T) what was measured under a name.

        Raises:
            ShapeError: it was not measured.

        Example:
            >>> Tokens(np.ones((1, 2), bool), measured={"dependency": np.array([[0.1, 2.0]])}).measure("dependency", "")
            array([[0.1, 2. ]])
        """
        if name not in self.measured:
            raise ShapeError(
                f"{who} needs `{name}` (B, T) of every token; measured: {sorted(self.measured)}."
                f"{did_you_mean(name, self.measured)}"
            )
        return self.measured[name]

    def places(self, who: str) -> NDArray[np.int64]:
        """(B, T, 2) the characters of every token.

        Raises:
            ShapeError: they are not known.
        """
        if self.offsets is None:
            raise ShapeError(f"{who} needs the characters (B, T, 2) of every token; got none")
        return self.offsets


def known(tokens: Tokens | None, who: str) -> Tokens:
    """The tokens.

    Raises:
        ShapeError: there are none.
    """
    if tokens is None:
        raise ShapeError(f"{who} needs the tokens' mask (B, T); got none")
    return tokens


@runtime_checkable
class Credit(Protocol):
    """A rule that turns scores into advantages; `state` carries what it remembers between batches (None at first).

    A rule may declare what the trainer shall do for it, by attributes:
        places: True: fill `Tokens.offsets`.
        measures: what to measure of every token, see `sightline.credit.measures`.
        injects: the column of demonstrations, see `sightline.credit.injected_label`.
        splices, follows, fills: see `sightline.rewards.policy_columns`.
    """

    def assign(
        self, scores: Scores, batch: Batch, tokens: Tokens | None = None, state: Any = None
    ) -> tuple[Advantages, Any]: ...


def declared(rule: Any, name: str) -> Iterator[Any]:
    """What a rule, and the rules in its fields, declare under a name; the outer one first.

    Example:
        >>> from sightline.credit import DynamicSampling, LabelInGroup
        >>> list(declared(DynamicSampling(LabelInGroup()), "injects"))
        ['label']
    """
    own = getattr(rule, name, None)
    if own is not None:
        yield own
    for inner in _inner_rules(rule):
        yield from declared(inner, name)


def _inner_rules(rule: Any) -> Iterator[Any]:
    for given in fields(rule) if is_dataclass(rule) else ():
        value = getattr(rule, given.name)
        several = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,)
        for one in several:
            yield from (part for part in (one if isinstance(one, tuple) else (one,)) if isinstance(part, Credit))


def group_sum(values: Values, group: NDArray[np.int64]) -> Values:
    """(B,) the sum of each rollout's group, NaN left out."""
    known = np.where(np.isnan(values), 0.0, values)
    total: Values = np.bincount(group, weights=known).astype(np.float64)[group]
    return total


def group_size(values: Values, group: NDArray[np.int64]) -> Values:
    """(B,) how many rollouts of each rollout's group can be scored.

    Example:
        >>> group_size(np.array([1.0, np.nan, 2.0]), np.array([0, 0, 1]))
        array([1., 1., 1.])
    """
    return group_sum(np.where(np.isnan(values), np.nan, 1.0), group)


def group_mean(values: Values, group: NDArray[np.int64]) -> Values:
    """(B,) the mean of each rollout's group, NaN left out; 0 for a group without a scorable rollout."""
    return group_sum(values, group) / np.maximum(group_size(values, group), 1.0)


def group_spread(values: Values, group: NDArray[np.int64]) -> Values:
    """(B,) largest minus smallest value of each rollout's group; 0 if nothing can be scored."""
    size = int(group.max()) + 1 if len(group) else 0
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    known = ~np.isnan(values)
    np.minimum.at(low, group[known], values[known])
    np.maximum.at(high, group[known], values[known])
    spread: Values = np.where(np.isfinite(low), high - low, 0.0)[group]
    return spread
