"""What a reward and a credit rule ask of the trainer, gathered from their attributes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sightline.core.errors import ConfigError
from sightline.credit.credit import Credit, declared
from sightline.credit.measures import Logp, Measure
from sightline.rewards.policy_columns import Continue, Filled, FollowUp, PolicyLoglik, PolicyWrites
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class Wishes:
    """Everything that is declared, equal wishes once.

    Args:
        places: whether characters of tokens are needed.
        measures: what to measure of every token.
        fills: columns for the policy to fill.
        splices: the text to put in the place of a rollout's answer, or None.
        follows: rollouts that are asked what others make of it, or None.
    """

    places: bool = False
    measures: tuple[Measure, ...] = ()
    fills: tuple[Filled, ...] = ()
    splices: Continue | None = None
    follows: FollowUp | None = None

    @classmethod
    def of(cls, reward: Reward, credit: Credit) -> Wishes:
        """The wishes of an expression and a rule.

        Raises:
            ConfigError: two different measures or columns have one name; two splices or follow-ups.
        """
        measures = _distinct(chain.from_iterable(declared(credit, "measures")), "name")
        fills = _distinct(chain.from_iterable(_anywhere(reward, credit, "fills")), "column")
        return cls(
            any(declared(credit, "places")),
            tuple(measures),
            tuple(fills),
            _only(_anywhere(reward, credit, "splices"), "splices"),
            _only(_anywhere(reward, credit, "follows"), "follows"),
        )

    @property
    def reference(self) -> bool:
        """Whether a copy of the policy as training begins is needed."""
        return any(
            isinstance(wish, Logp | PolicyLoglik | PolicyWrites) and wish.of == "reference"
            for wish in (*self.measures, *self.fills)
        )


def filled(reward: Reward) -> set[str]:
    """Names of the columns that the trainer fills for a reward."""
    return {fill.column for node in reward.walk() for fill in getattr(node, "fills", ())}


def _anywhere(reward: Reward, credit: Credit, name: str) -> Iterable[Any]:
    nodes = (getattr(node, name, None) for node in reward.walk())
    return chain((found for found in nodes if found is not None), declared(credit, name))


def _distinct(wishes: Iterable[Any], key: str) -> list[Any]:
    kept: dict[str, Any] = {}
    for wish in wishes:
        name = getattr(wish, key)
        if kept.setdefault(name, wish) != wish:
            raise ConfigError(f"two different wishes for `{name}`: {kept[name]} and {wish}; give one another {key}")
    return list(kept.values())


def _only(wishes: Iterable[Any], what: str) -> Any:
    distinct = list(dict.fromkeys(wishes))
    if len(distinct) > 1:
        raise ConfigError(f"`{what}` is declared twice: {distinct[0]} and {distinct[1]}")
    return distinct[0] if distinct else None
