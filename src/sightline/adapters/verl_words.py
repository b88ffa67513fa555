"""Overrides of verl's configuration: those that make it use a reward manager from a file, and how they are written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline.adapters.outcomes import compares
from sightline.adapters.verl import ROLLOUT, SIZE, VALIDATION
from sightline.rewards.reward import Reward

MAIN = "verl.trainer.main_ppo"
NAME = "SightlineRewardManager"  # in the file
PROMPTS = 1024  # of a step, by verl's default
WORKERS_ALONE = 8  # reward workers, by verl's default
PLAIN = re.compile(r"[A-Za-z_/.~][A-Za-z0-9_/.:@+~-]*")  # what Hydra takes for a text without quotes
WORDS = ("null", "true", "false", "nan", "inf")


def managed(file: Path) -> dict[str, Any]:
    """What makes verl's reward workers and its trainer load the reward manager of a file."""
    return {
        "reward.reward_manager.source": "importlib",
        "reward.reward_manager.name": NAME,
        "reward.reward_manager.module.path": str(file.absolute()),
    }


def validated(reward: Reward, given: Mapping[str, Any]) -> dict[str, Any]:
    """Validation samples as training does where the reward compares rollouts: it needs whole groups there too.

    Args:
        given: verl's key -> value, with the rollouts of a prompt.
    """
    if not compares(reward):
        return {}
    size = {f"{VALIDATION}.n": given.get(f"{VALIDATION}.n", given[SIZE])}
    if int(given[SIZE]) == 1 or given.get(f"{VALIDATION}.temperature"):
        return size
    temperature = given.get(f"{ROLLOUT}.temperature", 1.0)
    return {**size, f"{VALIDATION}.temperature": temperature, f"{VALIDATION}.do_sample": True}


def arguments(overrides: Mapping[str, Any]) -> list[str]:
    """Overrides as `MAIN` takes them on its command line."""
    return [f"{key}={word(value)}" for key, value in overrides.items()]


def script(overrides: Mapping[str, Any]) -> str:
    """A shell script that runs verl; what it is given comes last, and so wins."""
    lines = " \\\n  ".join([*map(shlex.quote, arguments(overrides)), '"$@"'])
    return f"#!/bin/sh\nexec python -m {MAIN} \\\n  {lines}\n"


def word(value: Any) -> str:
    """A value in the grammar of Hydra's overrides.

    Example:
        >>> [word(one) for one in (1e-6, True, None, [1, "a b"], "/data/x=1", "vllm", "8", "it's")]
        ['1e-06', 'true', 'null', "[1,'a b']", "'/data/x=1'", 'vllm', "'8'", "'it\\\\'s'"]
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(word(one) for one in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{word(one)}" for key, one in value.items()) + "}"
    text = str(value)
    if PLAIN.fullmatch(text) and text.lower() not in WORDS:
        return text
    # a backslash is one, unless quotes follow: Hydra's grammar
    escaped = re.sub(r"(\\*)'", lambda found: found[1] * 2 + "\\'", text)
    tail = len(escaped) - len(escaped.rstrip("\\"))
    return f"'{escaped}{escaped[len(escaped) - tail :]}'"


def flat(nested: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings as dotted keys; empty blocks vanish.

    Example:
        >>> flat({"trainer": {"nnodes": 2}, "data.seed": 1})
        {'trainer.nnodes': 2, 'data.seed': 1}
    """
    found: dict[str, Any] = {}
    for key, value in nested.items():
        found.update(flat(value, f"{before}{key}.") if isinstance(value, Mapping) else {f"{before}{key}": value})
    return found
