"""What the numbers of a result follow from; results are only continued where these facts are the same."""

from __future__ import annotations

import hashlib
import inspect
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import xxhash

from sightline.core.version import __version__
from sightline.rewards.reward import JudgedReward, Reward
from sightline.scoring.piece import Job
from sightline.scoring.readers import rollout_files
from sightline.scoring.tables import part_names


def facts_of(job: Job) -> dict[str, Any]:
    """What the numbers of a result follow from."""
    source = {name: value for name, value in asdict(job.source).items() if name != "path"}
    return {
        "version": __version__,
        "folder": str(job.source.folder),
        "input": _contents(job.source.path),
        "columns": repr(source),
        **({} if job.source.join is None else {"joined": _contents(job.source.join.path)}),
        "reward": _expression(job.reward),
        "code": _code(job.reward),
        "tokenizer": job.tokenizer,
        "lean": job.lean,
        "parts": part_names(job.reward),
    }


def _expression(reward: Reward) -> str:
    """An expression in words, judges by their identity: how patiently a server is asked changes no number."""
    text = repr(reward)
    judges = [node.judge for node in reward.walk() if isinstance(node, JudgedReward)]
    for judge in sorted(judges, key=lambda judge: len(repr(judge)), reverse=True):
        text = text.replace(repr(judge), f"<{judge.id}>")
    return re.sub(r" at 0x[0-9a-f]+", "", text)


def _contents(path: Path) -> list[list[Any]]:
    return [[file.name, file.stat().st_size, _content(file)] for file in rollout_files(path)]


def _content(path: Path) -> str:
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            digest.update(chunk)
    return digest.hexdigest()


def _code(reward: Reward) -> str:
    """A hash of the files that define the members of an expression: their numbers change with them."""
    files = {inspect.getsourcefile(type(node)) for node in reward.walk()}
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(name for name in files if name is not None):
        digest.update(Path(name).read_bytes())
    return digest.hexdigest()
