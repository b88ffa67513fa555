"""NeMo-RL: an environment of one step.

NeMo-RL brings the messages of a batch and, for every rollout, what the data processor put into `extra_env_info`: the
columns of the data stand there, `images` among them; else the pictures are those of the prompt's messages. Rollouts of
one step come together if rollouts are synchronous.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.adapters.outcomes import (
    Outcome,
    as_columns,
    blocks,
    check_whole,
    compares,
    one_prompt,
    outcomes,
    runs,
)
from sightline.media.messages import message_images
from sightline.rewards.reward import Reward

REMEDY = "rollouts must be synchronous, and groups of this size"


@dataclass(frozen=True)
class Step:
    """Message logs and their metadata to outcomes.

    Groups: the key `group` of the metadata if it has one, else `group_size` rollouts in a row, or, where that is 0,
    neighbours with equal prompts and metadata.

    Args:
        reward: any reward expression that compares no rollouts of several prompts.
        group_size: `grpo.num_generations_per_prompt`; groups of another size are an error, which is what asynchronous
            rollouts come to.

    Raises:
        CompositionError: the reward compares the rollouts of several prompts.
    """

    reward: Reward
    group_size: int = 0

    def __post_init__(self) -> None:
        one_prompt(self.reward, "NeMo-RL")

    def __call__(self, logs: Sequence[Sequence[Mapping[str, Any]]], metadata: Sequence[Any]) -> list[Outcome]:
        """Score a batch.

        Raises:
            ShapeError: a group does not have `group_size` rollouts.
            ColumnError: the metadata lack a column that the reward reads.
        """
        split = [_first_reply(log) for log in logs]
        prompts = [[_message(turn) for turn in log[:at]] for log, at in zip(logs, split, strict=True)]
        said = [[_message(turn) for turn in log[at:]] for log, at in zip(logs, split, strict=True)]
        rows = [
            {"images": message_images(prompt), **(held or {})} for prompt, held in zip(prompts, metadata, strict=True)
        ]
        return outcomes(self.reward, said, as_columns(rows), prompts=prompts, group=self._groups(prompts, rows))

    def _groups(self, prompts: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> Sequence[Any] | None:
        if not compares(self.reward):
            return None
        if all(row.get("group") is not None for row in rows):
            group = [row["group"] for row in rows]
            check_whole(group, self.group_size, "NeMo-RL", REMEDY)
            return group
        alike = [{"prompt": prompt, **row} for prompt, row in zip(prompts, rows, strict=True)]
        return blocks(alike, self.group_size, "NeMo-RL", REMEDY) if self.group_size else runs(alike)


def environment(reward: Reward, *, group_size: int = 0, unscorable: float = 0.0) -> type:
    """An `EnvironmentInterface`, to be made a Ray actor in the file that NeMo-RL loads.

    Args:
        unscorable: the number where there is nothing to judge or the judge failed; NeMo-RL has no other word for it.

    Raises:
        MissingExtra: NeMo-RL is not installed.
    """
    from sightline.adapters.peers import needed

    interfaces = needed("nemo_rl.environments.interfaces", "NeMo-RL")
    torch = needed("torch", "NeMo-RL")
    score = Step(reward, group_size)

    class SightlineEnvironment(interfaces.EnvironmentInterface):  # type: ignore[name-defined,misc]
        def __init__(self, cfg: Any = None) -> None:
            self.cfg = cfg

        def step(self, message_log_batch: Any, metadata: Any, *_: Any) -> Any:
            found = score(message_log_batch, metadata)
            size = len(found)
            return interfaces.EnvironmentReturn(
                observations=[{"role": "environment", "content": ""} for _ in found],
                metadata=metadata,
                next_stop_strings=[None] * size,
                rewards=torch.tensor([one.number(unscorable) for one in found], dtype=torch.float32),
                terminateds=torch.ones(size),
                answers=None,
            )

        def global_post_process_and_metrics(self, batch: Any) -> tuple[Any, dict[str, float]]:
            return batch, {"reward": float(batch["rewards"].float().mean())} if "rewards" in batch else {}

        def shutdown(self) -> None:
            """Nothing is held."""

    return SightlineEnvironment


def register(place: str, name: str = "sightline") -> None:
    """Tell NeMo-RL of an environment, in the process that starts the training.

    Args:
        place: dotted path of the Ray actor; NeMo-RL imports it, so its folder must be on PYTHONPATH.
        name: what `env:` and the data call it.

    Raises:
        MissingExtra: NeMo-RL is not installed.
    """
    from sightline.adapters.peers import needed

    executables = needed("nemo_rl.distributed.virtual_cluster", "NeMo-RL").PY_EXECUTABLES
    registry = needed("nemo_rl.distributed.ray_actor_environment_registry", "NeMo-RL").ACTOR_ENVIRONMENT_REGISTRY
    registry[place] = executables.SYSTEM
    needed("nemo_rl.environments.utils", "NeMo-RL").register_env(name, place)


def _first_reply(log: Sequence[Mapping[str, Any]]) -> int:
    return next((at for at, turn in enumerate(log) if turn["role"] == "assistant"), len(log))


def _message(turn: Mapping[str, Any]) -> dict[str, Any]:
    """Role and content: a log also holds tensors, which say nothing to a reward and cannot be compared."""
    return {"role": turn["role"], "content": turn["content"]}
