"""verl 0.9: a custom reward function for rewards of single rollouts, and a reward manager that keeps groups whole.

verl brings `extra_info` with every rollout; the columns of the data stand there, each under its name or all in one
text (`packed.pack`). Pictures stand there too, as `images`, or in the messages of the prompt, which only a manager
sees.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.adapters.meeting import PATIENCE, meeting
from sightline.adapters.outcomes import Outcome, as_columns, compares, one_at_a_time, one_prompt, outcomes
from sightline.adapters.packed import MARK, unpack
from sightline.core.errors import ConfigError
from sightline.core.rollout import content_text
from sightline.media.messages import message_images
from sightline.rewards.reward import Reward

ACTOR_CALLS = 1000  # calls that an asynchronous Ray actor holds at once, unless it says otherwise
SHARE = 700  # of them that a worker should get: verl draws the worker of each rollout by chance
STEP = "global_steps"
TAKEN = ("score", "reward", "why")  # by what stands beside the parts, in verl's validation above all
ROLLOUT = "actor_rollout_ref.rollout"
FILTER = "algorithm.filter_groups"
SIZE, VALIDATION, WORKERS = f"{ROLLOUT}.n", f"{ROLLOUT}.val_kwargs", "reward.num_workers"


@dataclass(frozen=True)
class RewardFunction:
    """A reward as `reward.custom_reward_function` is called: `score` and what is logged beside it.

    Args:
        reward: any reward expression that compares no rollouts.
        unscorable: the number where there is nothing to judge or the judge failed; verl has no other word for it.

    Raises:
        CompositionError: the reward compares the rollouts of a prompt.
    """

    reward: Reward
    unscorable: float = 0.0

    def __post_init__(self) -> None:
        one_at_a_time(self.reward, "verl's custom_reward_function", "use the reward manager of the same file")

    def __call__(
        self,
        data_source: str,
        solution_str: str,
        ground_truth: Any,
        extra_info: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        row = _row(solution_str, ground_truth, data_source, extra_info or {})
        return _logged(_outcomes(self.reward, [row])[0], self.unscorable)


def reward_manager(reward: Reward, unscorable: float = 0.0, patience: float = PATIENCE, log: str | None = None) -> type:
    """A `RewardManagerBase` for `reward.reward_manager.source=importlib`; groups are told by verl's `uid`.

    Rollouts of a reward that compares them wait for their group: in the worker if it is the only one, else in a Ray
    actor that all workers share. It needs as many rollouts in validation as in training.

    Args:
        unscorable: the number where there is nothing to judge or the judge failed.
        patience: seconds that a rollout waits for its group.
        log: folder for scored rollouts with their parts and reasons, a file of JSON lines per worker; None: none.
            verl itself writes down the parts in validation only.

    Raises:
        CompositionError: the reward compares the rollouts of several prompts.
        MissingExtra: verl is not installed. The class raises ConfigError where a group could never come together.
    """
    from sightline.adapters.peers import needed

    one_prompt(reward, "verl")
    base = needed("verl.experimental.reward_loop.reward_manager.base", "verl").RewardManagerBase

    class SightlineRewardManager(base):  # type: ignore[misc,valid-type]
        def __init__(self, config: Any, tokenizer: Any, compute_score: Any = None, **_: Any) -> None:
            super().__init__(config, tokenizer, compute_score)
            size = group_size(config) if compares(reward) else 1
            apart = size > 1 and int(_at(config, WORKERS, 1)) > 1
            self.meeting = meeting(size, lambda rows: _outcomes(reward, rows), patience, apart)
            self.log = None if log is None else Path(log) / f"{socket.gethostname()}-{os.getpid()}.jsonl"

        async def run_single(self, data: Any) -> dict[str, Any]:
            item = data[-1:][0]  # a trajectory of several sequences is judged by its last
            held = item.non_tensor_batch
            ids = item.batch["responses"][: _length(item.batch, held)]
            said = await asyncio.to_thread(self.tokenizer.decode, ids, skip_special_tokens=True)
            row = _item_row(said, len(ids), held)
            outcome = await self.meeting.outcome(held.get("uid", id(row)), row)
            logged = _logged(outcome, unscorable)
            if self.log is not None:
                await asyncio.to_thread(_write, self.log, held, row, outcome)
            return {"reward_score": logged["score"], "reward_extra_info": logged}

    return SightlineRewardManager


def workers_for(rollouts: int) -> int:
    """How many reward workers hold so many rollouts at once, all of them waiting for their groups.

    Example:
        >>> workers_for(64), workers_for(4096)
        (1, 6)
    """
    return 1 if rollouts <= ACTOR_CALLS else math.ceil(rollouts / SHARE)


def at_once(config: Any, tested: int = 0) -> int:
    """Rollouts that may wait for their groups at the same time, see `group_size`."""
    mode, filtered = _at(config, "trainer.v1.trainer_mode", "sync"), _at(config, f"{FILTER}.enable", False)
    batches = int(_at(config, f"{FILTER}.max_inflight_gen_batches", 1)) if filtered else 1
    if mode != "sync":
        batches += math.ceil(_at(config, f"trainer.v1.{mode}.num_warmup_batches", 1))
    return max(batches * int(_at(config, "data.train_batch_size", 0)), tested) * int(_at(config, SIZE, 1))


def group_size(config: Any, tested: int = 0) -> int:
    """Rollouts of a group by verl's configuration, if every group can come together.

    Args:
        config: verl's, or a mapping of its dotted keys.
        tested: rows of the validation data, which verl asks about all at once; verl's configuration does not say it.

    Raises:
        ConfigError: it cannot, and what to set.
    """
    size = int(_at(config, SIZE, 1))
    validation = int(_at(config, f"{VALIDATION}.n", size))
    workers, rollouts = int(_at(config, WORKERS, 1)), at_once(config, tested)
    if validation != size:
        raise ConfigError(
            f"verl: groups have {size} rollouts in training and {validation} in validation; "
            f"set {VALIDATION}.n={size}, with do_sample=True and a temperature"
        )
    if workers < workers_for(rollouts):
        raise ConfigError(
            f"verl: {rollouts} rollouts at once and {workers} reward workers, of which each holds {ACTOR_CALLS} "
            f"calls: they could wait for each other for ever; set {WORKERS}={workers_for(rollouts)}"
        )
    return size


def _outcomes(reward: Reward, rows: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    columns = as_columns(rows)
    said, steps = columns.pop("completion"), columns.pop(STEP, [None])
    return outcomes(reward, said, columns, prompts=columns.get("prompt"), group=[0] * len(rows), step=_number(steps[0]))


def _row(said: str, truth: Any, source: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    columns = {"data_source": source, **extra}
    if isinstance(columns.get(MARK), str):  # all columns of the data, so one that is not there was not there
        columns.update(unpack(columns.pop(MARK)))
    else:
        columns = {"answer": truth, "ground_truth": truth, **columns}
    return {**columns, "completion": said}


def _length(batch: Any, held: Mapping[str, Any]) -> int:
    """Tokens of a response. verl says it; its mask is not lined up where sequences of one trajectory differ."""
    if held.get("response_len") is not None:
        return int(held["response_len"])
    return int(batch["attention_mask"][-batch["responses"].shape[-1] :].sum())


def _item_row(said: str, tokens: int, held: Mapping[str, Any]) -> dict[str, Any]:
    extra = dict(held.get("extra_info") or {})
    prompt = held.get("raw_prompt")
    if prompt is not None:
        prompt = list(prompt)
        extra.setdefault("prompt", prompt)
        if (images := message_images(prompt)) and extra.get("images") is None:
            extra["images"] = images
    extra.setdefault("completion_tokens", tokens)
    extra[STEP] = held.get("global_steps")
    truth = (held.get("reward_model") or {}).get("ground_truth")
    return _row(said, truth, str(held.get("data_source")), extra)


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _logged(one: Outcome, unscorable: float) -> dict[str, Any]:
    """verl takes the names of the first rollout for all, so every rollout has the same."""
    score = one.value + 0.0 if one.scored else unscorable  # no reward is -0.0, which a caller may give a meaning
    parts = {f"part_{name}" if name in TAKEN else name: value for name, value in one.curves().items()}
    return {**parts, "why": one.why, "score": score}


def _write(path: Path, held: Mapping[str, Any], row: Mapping[str, Any], one: Outcome) -> None:
    """One more line of scored rollouts."""
    prompt = row.get("prompt")
    line = {
        "step": _number(held.get("global_steps")),
        "mode": str((held.get("extra_info") or {}).get("split", "train")),
        "group": str(held.get("uid")),
        "prompt": prompt if prompt is None or isinstance(prompt, str) else _asked(prompt),
        "completion": row["completion"],
        "reward": one.value if one.scored else None,
        "why": one.why,
        **one.numbers(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:  # one call, so that lines of other threads do not fall between
        file.write(json.dumps(line).encode() + b"\n")


def _asked(prompt: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(content_text(turn.get("content")) for turn in prompt)


def _at(config: Any, place: str, otherwise: Any) -> Any:
    if isinstance(config, Mapping) and place in config:
        return config[place]
    for name in place.split("."):
        config = config.get(name) if hasattr(config, "get") else getattr(config, name, None)
        if config is None:
            return otherwise
    return config
