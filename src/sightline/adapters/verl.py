"""verl 0.9: a custom reward function for rewards of single rollouts, and a reward manager that keeps groups whole.

verl brings `extra_info` with every rollout; the columns of the data stand there. Pictures stand there too, as `images`,
or in the messages of the prompt, which only a manager sees.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sightline.adapters.outcomes import Outcome, as_columns, compares, one_at_a_time, outcomes
from sightline.core.errors import ConfigError
from sightline.core.scores import ERROR, NA
from sightline.media.messages import message_images
from sightline.rewards.reward import Reward

ACTOR_CALLS = 1000  # calls that an asynchronous Ray actor holds at once, unless it says otherwise
PATIENCE = 1800.0


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


@dataclass
class Meeting:
    """Rollouts that come one by one and leave, scored together, when their group is complete.

    Args:
        size: rollouts of a group.
        score: rows of one group -> outcomes; runs in a thread.
        patience: seconds after which a rollout whose group is still incomplete leaves unscored, as an error.
        waiting: group -> rows and who waits for them.
    """

    size: int
    score: Callable[[list[dict[str, Any]]], list[Outcome]]
    patience: float = PATIENCE
    waiting: dict[Any, list[tuple[dict[str, Any], asyncio.Future[Outcome]]]] = field(default_factory=dict)

    async def outcome(self, group: Any, row: dict[str, Any]) -> Outcome:
        """The outcome of one rollout, as soon as its group is complete."""
        mine: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        held = self.waiting.setdefault(group, [])
        held.append((row, mine))
        if len(held) == self.size:
            del self.waiting[group]
            await self._settle(held)
        try:
            return await asyncio.wait_for(mine, self.patience)
        except TimeoutError:
            came = len(held)
            self.waiting.pop(group, None)
            return Outcome(NA, f"{ERROR}after {self.patience:g} s {came} of {self.size} rollouts of the group had come")

    async def _settle(self, held: list[tuple[dict[str, Any], asyncio.Future[Outcome]]]) -> None:
        try:
            found = await asyncio.to_thread(self.score, [row for row, _ in held])
        except BaseException as error:
            for _, waiting in held[:-1]:  # the last one raises here itself
                if not waiting.done():
                    waiting.set_exception(error)
            raise
        for (_, waiting), outcome in zip(held, found, strict=True):
            if not waiting.done():
                waiting.set_result(outcome)


def reward_manager(reward: Reward, unscorable: float = 0.0, patience: float = PATIENCE) -> type:
    """A `RewardManagerBase` for `reward.reward_manager.source=importlib`; groups are told by verl's `uid`.

    A reward that compares rollouts needs `reward.num_workers=1`, since verl spreads the rollouts of a group over its
    workers, and as many rollouts in validation as in training.

    Raises:
        MissingExtra: verl is not installed. The class raises ConfigError where the configuration tears groups.
    """
    from sightline.adapters.peers import needed

    base = needed("verl.experimental.reward_loop.reward_manager.base", "verl").RewardManagerBase

    class SightlineRewardManager(base):  # type: ignore[misc,valid-type]
        def __init__(self, config: Any, tokenizer: Any, compute_score: Any = None, **_: Any) -> None:
            super().__init__(config, tokenizer, compute_score)
            size = group_size(config) if compares(reward) else 1
            self.meeting = Meeting(size, lambda rows: _outcomes(reward, rows), patience)

        async def run_single(self, data: Any) -> dict[str, Any]:
            item = data[-1:][0]  # a trajectory of several sequences is judged by its last
            length = item.batch["responses"].shape[-1]
            ids = item.batch["responses"][: int(item.batch["attention_mask"][-length:].sum())]
            said = await asyncio.to_thread(self.tokenizer.decode, ids, skip_special_tokens=True)
            row = _item_row(said, len(ids), item.non_tensor_batch)
            outcome = await self.meeting.outcome(item.non_tensor_batch.get("uid", id(row)), row)
            logged = _logged(outcome, unscorable)
            return {"reward_score": logged["score"], "reward_extra_info": logged}

    return SightlineRewardManager


def group_size(config: Any) -> int:
    """Rollouts of a group by verl's configuration, if every group can come together.

    Raises:
        ConfigError: it cannot, and what to set.
    """
    size = int(_at(config, "actor_rollout_ref.rollout.n", 1))
    validation = int(_at(config, "actor_rollout_ref.rollout.val_kwargs.n", size))
    workers = int(_at(config, "reward.num_workers", 1))
    rollouts = int(_at(config, "data.train_batch_size", 0)) * size
    if workers != 1:
        raise ConfigError(f"verl: {workers} reward workers would tear groups apart; set reward.num_workers=1")
    if validation != size:
        raise ConfigError(
            f"verl: groups have {size} rollouts in training and {validation} in validation; "
            f"set actor_rollout_ref.rollout.val_kwargs.n={size}, with do_sample=True and a temperature"
        )
    if rollouts > ACTOR_CALLS:
        raise ConfigError(
            f"verl: {rollouts} rollouts a step; one reward worker holds {ACTOR_CALLS} calls at once, and more could "
            "wait for each other for ever; make data.train_batch_size smaller, or leave the group reward out"
        )
    return size


def _outcomes(reward: Reward, rows: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    columns = as_columns(rows)
    said = columns.pop("completion")
    return outcomes(reward, said, columns, prompts=columns.get("prompt"), group=[0] * len(rows))


def _row(said: str, truth: Any, source: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    return {"answer": truth, "ground_truth": truth, "data_source": source, **extra, "completion": said}


def _item_row(said: str, tokens: int, held: Mapping[str, Any]) -> dict[str, Any]:
    extra = dict(held.get("extra_info") or {})
    prompt = held.get("raw_prompt")
    if prompt is not None:
        prompt = list(prompt)
        extra.setdefault("prompt", prompt)
        if images := message_images(prompt):
            extra.setdefault("images", images)
    extra.setdefault("completion_tokens", tokens)
    truth = (held.get("reward_model") or {}).get("ground_truth")
    return _row(said, truth, str(held.get("data_source")), extra)


def _logged(one: Outcome, unscorable: float) -> dict[str, Any]:
    """verl takes the names of the first rollout for all, so every rollout has the same."""
    return {"score": one.number(unscorable), **one.parts, "unscorable": float(not one.scored), "why": one.why}


def _at(config: Any, place: str, otherwise: Any) -> Any:
    for name in place.split("."):
        config = config.get(name) if hasattr(config, "get") else getattr(config, name, None)
        if config is None:
            return otherwise
    return config
