"""The record of a published system: what it rewards, how that becomes credit, and the paper's settings.

A file in `systems/` holds one `SYSTEM` and nothing but values. The folder is the registry: `names()` lists it, `load`
imports one file.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sightline.core.errors import ConfigError, UnknownSystem, did_you_mean
from sightline.credit.credit import Credit
from sightline.credit.group_relative import GroupRelative
from sightline.judges.judge import Judge
from sightline.rewards.reward import JudgedReward, Reward, with_judge, without

VARIANTS = ("strict", "official")
_PARTS = re.compile(r"\n(?=  \S)")  # between the parts of a written reward


@dataclass(frozen=True)
class Stage:
    """One stage of a recipe: a training method with the paper's settings under the field's plain names.

    Args:
        name: what the paper calls it.
        method: `sft` (supervised fine-tuning), `grpo` (group-relative policy optimisation), or, for agents in an
            environment, `dqn` (deep Q-learning) or `sac` (soft actor-critic).
        settings: plain name -> value; `sightline.train.recipe` knows each name and its counterpart in TRL.
    """

    name: str
    method: Literal["sft", "grpo", "dqn", "sac"]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Extra:
    """A reward that the paper offers besides its main one, in both variants.

    Args:
        reward: the strict reward.
        official: the released code's arithmetic where it differs.
        what: one line for `sightline show`.
    """

    reward: Reward
    what: str
    official: Reward | None = None

    def with_judge(self, judge: Judge) -> Extra:
        """The same extra asking another judge."""
        official = None if self.official is None else with_judge(self.official, judge)
        return replace(self, reward=with_judge(self.reward, judge), official=official)


@dataclass(frozen=True)
class System:
    """A published reward system as values.

    Args:
        slug: the name users type.
        title, arxiv, year: the paper.
        family: what the reward looks at.
        reward: the strict reward: the paper's definition, closed against known exploits.
        official: the released code's arithmetic where it differs; None if there is none.
        extras: rewards that can be added by name.
        credit: how scores become advantages.
        recipe: the paper's training stages.
        specimen: a few rows that the reward can score: an example for `show`, and what its promises are checked on.
        columns: column -> what it holds, for every column that some part of the reward reads.
        departs: where and why `reward` differs from the paper or its code.
        formula: the reward in plain text, in the paper's symbols.
    """

    slug: str
    title: str
    arxiv: str
    year: int
    family: str
    reward: Reward
    formula: str
    official: Reward | None = None
    extras: Mapping[str, Extra] = field(default_factory=dict)
    credit: Credit = field(default_factory=GroupRelative)
    recipe: tuple[Stage, ...] = ()
    specimen: tuple[Mapping[str, Any], ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    departs: tuple[str, ...] = ()

    def variant(self, name: str, plus: Iterable[str] = (), minus: Iterable[str] = ()) -> Reward:
        """The reward of a variant; `official` is the strict one where both agree.

        Args:
            name: `strict` or `official`.
            plus: names of extras to add.
            minus: names of parts to leave out.

        Raises:
            ConfigError: no such variant or extra.
            CompositionError: no such part.
        """
        if name not in VARIANTS:
            raise ConfigError(f"unknown variant `{name}`; there are {list(VARIANTS)}.{did_you_mean(name, VARIANTS)}")
        reward = _either(name, self.reward, self.official)
        for extra in plus:
            reward = reward + self.extra(extra, name)
        for part in minus:
            reward = without(reward, part)
        return reward

    def extra(self, name: str, variant: str = "strict") -> Reward:
        """One extra under its name, in one variant.

        Raises:
            ConfigError: no such extra.
        """
        if name not in self.extras:
            known = sorted(self.extras)
            raise ConfigError(f"{self.slug} has no extra `{name}`; there are {known}.{did_you_mean(name, known)}")
        found = self.extras[name]
        return _either(variant, found.reward, found.official).named(name)

    def with_judge(self, judge: Judge) -> System:
        """The same system asking another judge."""
        official = None if self.official is None else with_judge(self.official, judge)
        extras = {name: extra.with_judge(judge) for name, extra in self.extras.items()}
        return replace(self, reward=with_judge(self.reward, judge), official=official, extras=extras)

    def __repr__(self) -> str:
        return f"System({self.slug!r}, {self.title!r}, arXiv {self.arxiv})"

    def __str__(self) -> str:
        strict, *parts = _PARTS.split(str(self.reward))
        lines = [repr(self), self.formula, f"strict   = {strict}", *parts]
        if self.official is not None:
            official, *others = _PARTS.split(str(self.official))
            lines += [f"official = {official}", *(part for part in others if part not in parts)]
        return "\n".join(lines)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # what IPython and notebooks show
        printer.text(str(self))

    @property
    def judged(self) -> bool:
        """Whether some part of the reward asks a judge."""
        return any(isinstance(node, JudgedReward) for node in self.reward.walk())

    @property
    def file_name(self) -> str:
        """The slug as a module name: what is not a letter or digit becomes an underscore."""
        return module_name(self.slug)


def _either(variant: str, strict: Reward, official: Reward | None) -> Reward:
    return official if variant == "official" and official is not None else strict


def module_name(slug: str) -> str:
    """The file name of a slug.

    Example:
        >>> module_name("ixc-2.5-reward")
        'ixc_2_5_reward'
    """
    return "".join(letter if letter.isalnum() else "_" for letter in slug)


def modules() -> list[str]:
    """Module names of all systems, sorted."""
    folder = importlib.import_module("sightline.systems")
    return sorted(module.name for module in pkgutil.iter_modules(folder.__path__))


def names() -> list[str]:
    """Slugs of all systems, sorted."""
    return sorted(load(module).slug for module in modules())


def load(slug: str) -> System:
    """One system by its slug.

    Raises:
        UnknownSystem: there is none; the message names the closest.

    Example:
        >>> load("video-ver").arxiv
        '2510.06077'
    """
    module = module_name(slug)
    if module not in modules():
        known = modules()
        close = did_you_mean(module.lower(), known).replace("_", "-")
        raise UnknownSystem(f"no system is called `{slug}`.{close} `sightline systems` lists all {len(known)}.")
    system: System = importlib.import_module(f"sightline.systems.{module}").SYSTEM
    return system
