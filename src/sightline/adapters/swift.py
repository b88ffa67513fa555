"""ms-swift: outcome rewards for `--external_plugins`, plain or asynchronous.

ms-swift brings every column of the data, pictures included, and the id of the prompt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.adapters.outcomes import blocks, compares, one_prompt, outcomes, runs
from sightline.rewards.reward import Reward

OWN = ("trainer_state", "messages", "request_id", "finish_reason", "rollout_infos", "trajectory_inputs")
DROPPED = ("images", "videos")  # ms-swift leaves these columns out of a batch in which no row has one
REMEDY = "let per_device_train_batch_size * steps_per_generation be a multiple of num_generations"


@dataclass(frozen=True)
class Outcomes:
    """What both kinds of plugin do: completions and columns to numbers, None where there is nothing to judge.

    Groups: `group_size` rollouts in a row, as ms-swift itself takes them. Where that is 0, neighbours with the same
    prompt and the same pictures; the id of a prompt does not tell them, since ms-swift gives it to equal texts.

    Args:
        reward: any reward expression that compares no rollouts of several prompts.
        group_size: `num_generations`; a group that is torn between processes is then an error and no wrong number.

    Raises:
        CompositionError: the reward compares the rollouts of several prompts.
    """

    reward: Reward
    group_size: int = 0

    def __post_init__(self) -> None:
        one_prompt(self.reward, "ms-swift")

    def __call__(self, completions: Sequence[Any], columns: Mapping[str, Any]) -> list[float | None]:
        """Score the completions of one process.

        Raises:
            ShapeError: a group does not have `group_size` rollouts.
            ColumnError: the data lacks a column that the reward reads.
        """
        size = len(completions)
        held = {n: v for n, v in columns.items() if n not in OWN and isinstance(v, list | tuple) and len(v) == size}
        for name in DROPPED:
            held.setdefault(name, [None] * size)
        prompts = [_asked(messages) for messages in columns.get("messages") or [None] * size]
        if "response_token_ids" in held:
            tokens = held.pop("response_token_ids")
            held.setdefault("completion_tokens", [None if ids is None else _length(ids) for ids in tokens])
        step = getattr(columns.get("trainer_state"), "global_step", None)
        group = self._groups(prompts, held)
        found = outcomes(self.reward, completions, held, prompts=prompts, group=group, step=step)
        return [one.value if one.scored else None for one in found]

    def _groups(self, prompts: list[Any], columns: Mapping[str, Sequence[Any]]) -> Sequence[Any] | None:
        if not compares(self.reward):
            return None
        ids = columns.get("prompt_id") or [None] * len(prompts)
        # in several turns the prompts of a group differ, and the id is that of the first
        asked = [prompt if one in (None, "") else one for one, prompt in zip(ids, prompts, strict=True)]
        if self.group_size:
            return blocks(asked, self.group_size, "ms-swift", REMEDY)
        shown = [columns[name] for name in DROPPED]
        return runs([{"asked": one, "shown": [values[row] for values in shown]} for row, one in enumerate(asked)])


def plugin(reward: Reward, name: str, *, group_size: int = 0, asynchronous: bool = False) -> type:
    """A plugin class, registered under `name` in ms-swift's `orms`.

    Args:
        asynchronous: ask in a thread, so that several rewards wait for their judges at the same time.

    Raises:
        MissingExtra: ms-swift is not installed.
    """
    from sightline.adapters.peers import needed

    swift = needed("swift.rewards", "ms-swift")
    score = Outcomes(reward, group_size)

    class Plain(swift.ORM):  # type: ignore[name-defined,misc]
        def __call__(self, completions: Sequence[Any], /, **columns: Any) -> list[float | None]:
            return score(completions, columns)

    class Asynchronous(swift.AsyncORM):  # type: ignore[name-defined,misc]
        async def __call__(self, completions: Sequence[Any], /, **columns: Any) -> list[float | None]:
            return await asyncio.to_thread(score, completions, columns)

    found: type = Asynchronous if asynchronous else Plain
    found.__name__ = found.__qualname__ = name  # ms-swift names curves after the class
    swift.orms[name] = found
    return found


def _asked(messages: Any) -> Any:
    """The messages without the completion, which ms-swift puts last."""
    asked = list(messages or [])
    return asked[:-1] if asked and asked[-1].get("role") == "assistant" else asked


def _length(ids: Sequence[Any]) -> int:
    """Tokens of a completion; ms-swift keeps a list per turn."""
    return sum(len(turn) if isinstance(turn, list | tuple) else 1 for turn in ids)
