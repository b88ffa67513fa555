"""TRL: an entry of `reward_funcs`, or a dotted path for `trl grpo --reward_funcs`.

TRL brings every column of the data, pictures included, and the rollouts of its own process in the order of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sightline.adapters.outcomes import Outcome, check_whole, compares, outcomes, runs
from sightline.rewards.reward import Reward

OWN = ("trainer_state", "log_extra", "log_metric", "environments", "prompts", "completions", "completion_ids")
REMEDY = "let per_device_train_batch_size * steps_per_generation be a multiple of num_generations"


@dataclass(frozen=True)
class RewardFunction:
    """A reward as TRL calls it: one number per completion, None where there is nothing to judge.

    Groups: the column `group` of the data if it has one, else neighbours with the same prompt and the same columns.

    Args:
        reward: any reward expression.
        name: what TRL calls it in its curves.
        group_size: `num_generations`; a group that is torn between processes is then an error and no wrong number.
    """

    reward: Reward
    name: str = "sightline"
    group_size: int = 0

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]] | None = None,
        trainer_state: Any = None,
        log_extra: Callable[[str, list[Any]], None] | None = None,
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """Score the completions of one process.

        Raises:
            ShapeError: a group does not have `group_size` rollouts.
            ColumnError: the data lacks a column that the reward reads.
        """
        held = {name: values for name, values in columns.items() if name not in OWN}
        if completion_ids is not None:
            held.setdefault("completion_tokens", [len(ids) for ids in completion_ids])
        group = self._groups(prompts, {name: values for name, values in held.items() if name != "completion_tokens"})
        step = getattr(trainer_state, "global_step", None)
        found = outcomes(self.reward, completions, held, prompts=prompts, group=group, step=step)
        _log(found, self.name, log_extra, log_metric)
        return [one.value if one.scored else None for one in found]

    def _groups(self, prompts: Sequence[Any], columns: Mapping[str, Sequence[Any]]) -> Sequence[Any] | None:
        if not compares(self.reward):
            return None
        if "group" in columns:
            group = columns["group"]
        else:
            rows = [
                {"prompt": prompt, **{name: values[row] for name, values in columns.items()}}
                for row, prompt in enumerate(prompts)
            ]
            group = runs(rows, self.group_size)
        check_whole(group, self.group_size, "TRL", REMEDY)
        return group


def _log(
    found: list[Outcome],
    name: str,
    log_extra: Callable[[str, list[Any]], None] | None,
    log_metric: Callable[[str, float], None] | None,
) -> None:
    parts = dict.fromkeys(part for one in found for part in one.parts)
    if log_extra is not None:
        log_extra("why", [one.why for one in found])
        for part in parts:
            log_extra(part, [one.parts.get(part) for one in found])
    if log_metric is not None:
        for part in parts:
            values = [one.numbers()[part] for one in found if part in one.numbers()]
            if values:
                log_metric(f"{name}/{part}", sum(values) / len(values))
