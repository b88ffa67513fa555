"""Every reward and every system keeps every promise; a new one is covered on arrival."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import sightline
import sightline.rewards as room
from sightline.check import PROMISES
from sightline.check.promises import Promise
from sightline.rewards.algebra import Constant, Map, Named, Node, Unary
from sightline.rewards.gold import GoldReward
from sightline.rewards.reward import JudgedReward, Reward, RowReward

for module in pkgutil.iter_modules(room.__path__):
    importlib.import_module(f"{room.__name__}.{module.name}")

ABSTRACT = {Reward, RowReward, JudgedReward, GoldReward, Node, Unary}


def leaves(kind: type[Reward] = Reward) -> list[type[Reward]]:
    """Every reward of the room that scores by itself, or brings a specimen."""
    found = [sub for child in kind.__subclasses__() for sub in (child, *leaves(child))]
    public = [sub for sub in dict.fromkeys(found) if not sub.__name__.startswith("_")]
    mine = [sub for sub in public if sub.__module__.startswith("sightline.rewards")]
    return [sub for sub in mine if sub not in ABSTRACT and (not issubclass(sub, Node) or "specimen" in vars(sub))]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("kind", [k for k in leaves() if k is not Constant], ids=lambda kind: kind.__name__)
def test_reward_keeps(kind: type[Reward], promise: Promise) -> None:
    promise(*kind.specimen())


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
@pytest.mark.parametrize("variant", ["strict", "official"])
@pytest.mark.parametrize("slug", sightline.names())
def test_system_keeps(slug: str, variant: str, promise: Promise) -> None:
    system = sightline.load(slug)
    reward = system.variant(variant)
    promise(reward, system.specimen)


def test_nodes_are_known() -> None:
    assert {Named, Map} <= set(Node.__subclasses__()) | set(Unary.__subclasses__())
