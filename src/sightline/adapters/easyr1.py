"""EasyR1: a function of a batch in a Python file, `REWARD_TYPE = "batch"`.

EasyR1 brings the response, its length and one text, `ground_truth`, and reorders rollouts before it asks. What else a
reward reads, the pictures and the group's id among it, travels packed in that text (`packed.pack`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.adapters.outcomes import as_columns, check_whole, compares, one_prompt, outcomes
from sightline.adapters.packed import unpack
from sightline.core.errors import ColumnError
from sightline.rewards.reward import Reward


@dataclass(frozen=True)
class RewardFunction:
    """A reward as EasyR1 calls it: for every rollout `overall`, and every part as `Outcome.curves` has it: EasyR1 takes
    the metrics of a batch as lists beside its rollouts, to filter by one of them among others.

    Args:
        reward: any reward expression that compares no rollouts of several prompts.
        unscorable: the number where there is nothing to judge or the judge failed; EasyR1 has no other word for it.
        group_size: `worker.rollout.n`; groups of another size are an error.

    Raises:
        CompositionError: the reward compares the rollouts of several prompts.
    """

    reward: Reward
    unscorable: float = 0.0
    group_size: int = 0

    def __post_init__(self) -> None:
        one_prompt(self.reward, "EasyR1")

    def __call__(self, reward_inputs: Sequence[Mapping[str, Any]], **_: Any) -> list[dict[str, float]]:
        """Score a batch.

        Raises:
            ColumnError: the reward compares rollouts and `ground_truth` holds no `group`, or a column is missing.
            ShapeError: a group does not have `group_size` rollouts.
        """
        rows = [
            {"completion_tokens": given.get("response_length"), **unpack(given.get("ground_truth"))}
            for given in reward_inputs
        ]
        columns = as_columns(rows)
        found = outcomes(
            self.reward,
            [given["response"] for given in reward_inputs],
            columns,
            prompts=columns.get("prompt"),
            group=self._groups(columns),
        )
        return [{**one.curves(), "overall": one.number(self.unscorable)} for one in found]

    def _groups(self, columns: Mapping[str, Sequence[Any]]) -> Sequence[Any] | None:
        if not compares(self.reward):
            return None
        group = columns.get("group")
        if group is None or any(one is None for one in group):
            raise ColumnError(
                "EasyR1 does not say which rollouts belong together: pack a column `group` into `ground_truth`, "
                "as `sightline export easyr1 --data` does"
            )
        check_whole(group, self.group_size, "EasyR1", "worker.rollout.n is the size of a group")
        return group
