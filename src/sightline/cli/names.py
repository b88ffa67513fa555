"""What short names on the command line stand for: a judge, a reward of the user's own, `name=value` pairs."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.core.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from sightline.judges.judge import Judge
    from sightline.rewards.reward import Reward
    from sightline.scoring.joining import Join

EVERYWHERE = frozenset({"completion", "prompt", "group", "images", "image", "completion_tokens"})  # read by any reward


def judge_named(name: str, cache: str = "", key: str = "") -> Judge:
    """A judge from its short name.

    Args:
        name: `stub` (no model, only words), `replay:FILE`, `local:FOLDER`, or `openai:BASE_URL#MODEL`; for rewards that
            embed `minilm`, `sentences:MODEL` (texts), or `dual:MODEL` (CLIP or SigLIP, frames stretched to a square).
        cache: sqlite file that keeps verdicts; empty: none.
        key: environment variable with the server's key; empty: no key is sent.

    Raises:
        ConfigError: the name has none of these forms, or its file cannot be read.

    Example:
        >>> judge_named("openai:http://localhost:8000/v1#qwen").id
        'remote:qwen@http://localhost:8000/v1'
    """
    from sightline import judges

    found = _judge(name, key)
    return judges.CachedJudge(found, cache) if cache else found


def standing(judge: str) -> str:
    """The name of a judge with paths that stand on their own: workers of a trainer start in folders of theirs."""
    kind, _, rest = judge.partition(":")
    return f"{kind}:{Path(rest).absolute()}" if kind in ("replay", "local") and Path(rest).exists() else judge


def _judge(name: str, key: str) -> Judge:
    from sightline import judges

    kind, _, rest = name.partition(":")
    if name in ("stub", "overlap"):
        return judges.OverlapJudge()
    if kind == "replay" and rest:
        return judges.ReplayJudge.from_file(rest)
    if name == "minilm" or (kind == "sentences" and rest):
        return judges.SentenceEmbedder(rest)
    if kind == "dual" and rest:
        return judges.DualEncoder(rest, fit="square")
    if kind == "local" and rest:
        return judges.LocalJudge(rest)
    url, _, model = (rest if kind == "openai" else name).partition("#")
    if url.startswith(("http://", "https://")) and model:
        return judges.RemoteJudge(url, model, api_key_env=key)
    raise ConfigError(
        f"judge `{name}`: needs stub, replay:FILE, local:FOLDER, openai:BASE_URL#MODEL, minilm, "
        "sentences:MODEL or dual:MODEL"
    )


def tell_default_judge(reward: Reward) -> None:
    """Say on stderr which judges answer when none was asked for: stand-ins, that need no model."""
    from sightline.rewards.reward import JudgedReward

    judges = sorted({node.judge.id for node in reward.walk() if isinstance(node, JudgedReward)})
    if judges:
        print(
            f"note: no judge was given: where a rollout needs one, the stand-in {', '.join(judges)} answers, "
            "which is no model; --judge names another",
            file=sys.stderr,
        )


def tell_unused(reward: Reward, given: Iterable[str], judge: str = "") -> None:
    """Say on stderr which words change nothing: columns that the reward does not read, a judge that nobody asks."""
    from sightline.rewards.reward import JudgedReward

    nodes = list(reward.walk())
    read = {name for node in nodes for name in (*node.needs(), *node.uses())}
    for name in given:
        if name not in read | EVERYWHERE:
            print(f"note: the reward reads no column `{name}`.{did_you_mean(name, read)}", file=sys.stderr)
    if judge and not any(isinstance(node, JudgedReward) for node in nodes):
        print(f"note: the reward asks no judge, so {judge} is not used", file=sys.stderr)


def reward_named(place: str) -> Reward:
    """The reward at `package.module:NAME`; modules in the current folder are found too.

    Raises:
        ConfigError: there is none.
    """
    from sightline.rewards.reward import Reward

    module, _, name = place.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # stays: processes that score need it too
    try:
        value = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"reward `{place}`: {error}; needs package.module:NAME") from error
    if not isinstance(value, Reward):
        raise ConfigError(f"reward `{place}` is {type(value).__name__}, not a Reward")
    return value


def pairs(words: Iterable[str], option: str) -> tuple[tuple[str, str], ...]:
    """`name=value` words as pairs.

    Raises:
        ConfigError: a word has no name or no equals sign.

    Example:
        >>> pairs(["answer=gt[0]"], "--map")
        (('answer', 'gt[0]'),)
    """
    found = []
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise ConfigError(f"{option} {word}: needs NAME=VALUE")
        found.append((name, value))
    return tuple(found)


def joined(path: Path | None, on: str) -> Join | None:
    """`--join` and `--on` as what they mean.

    Example:
        >>> joined(Path("data.jsonl"), "request_id=id")
        Join(path=PosixPath('data.jsonl'), dump='request_id', data='id')
    """
    from sightline.scoring.joining import Join

    dump, _, data = on.partition("=")
    return None if path is None else Join(path, dump, data or dump)


def constants(words: Iterable[str]) -> tuple[tuple[str, Any], ...]:
    """`name=value` words with values read as JSON where they are JSON, else as text.

    Example:
        >>> constants(["task=detection", "width=640", 'answer="7"'])
        (('task', 'detection'), ('width', 640), ('answer', '7'))
    """
    return tuple((name, _value(value)) for name, value in pairs(words, "--set"))


def listed(words: Iterable[str]) -> tuple[str, ...]:
    """Words, each possibly several names separated by commas.

    Example:
        >>> listed(["a,b", "c"])
        ('a', 'b', 'c')
    """
    return tuple(name.strip() for word in words for name in word.split(",") if name.strip())


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
