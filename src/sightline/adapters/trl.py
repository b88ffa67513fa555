"""TRL: an entry of `reward_funcs`, or a dotted path for `trl grpo --reward_funcs`.

TRL brings every column of the data, pictures included, and the rollouts of its own process in the order of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sightline.adapters.outcomes import Outcome, blocks, compares, one_prompt, outcomes, runs
from sightline.core.errors import ShapeError
from sightline.rewards.reward import Reward

REMEDY = "let per_device_train_batch_size * steps_per_generation be a multiple of num_generations"


@dataclass(frozen=True)
class RewardFunction:
    """A reward as TRL calls it: one number per completion, None where there is nothing to judge.

    Groups: `group_size` rollouts in a row, as TRL itself takes them. Where that is 0, the column `group` of the data if
    it has one, else neighbours with the same prompt and the same columns.

    Logged: for each rollout `NAME/why`, every part as `NAME/PART`, and `NAME/group` where rollouts are compared (its
    pictures are not in TRL's table, so prompts do not tell groups); means as `NAME/PART`.

    Args:
        reward: any reward expression that compares no rollouts of several prompts.
        name: what TRL calls it in its curves; two of them in one trainer need two names.
        group_size: `num_generations`; a group that is torn between processes is then an error and no wrong number.

    Raises:
        CompositionError: the reward compares the rollouts of several prompts.
    """

    reward: Reward
    name: str = "sightline"
    group_size: int = 0

    def __post_init__(self) -> None:
        one_prompt(self.reward, "TRL")

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(
        self,
        /,  # a column may be called `self`
        prompts: Sequence[Any],
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]] | None = None,
        trainer_state: Any = None,
        log_extra: Callable[[str, list[Any]], None] | None = None,
        log_metric: Callable[[str, float], None] | None = None,
        environments: Sequence[Any] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """Score the completions of one process.

        Raises:
            ShapeError: a group does not have `group_size` rollouts.
            ColumnError: the data lacks a column that the reward reads.
        """
        size = len(prompts)
        held = {n: values for n, values in columns.items() if isinstance(values, list | tuple) and len(values) == size}
        # an environment writes into the prompts of a group, so they differ
        group = self._groups([None] * size if environments else prompts, held)
        if completion_ids is not None:
            held.setdefault("completion_tokens", [len(ids) for ids in completion_ids])
        step = getattr(trainer_state, "global_step", None)
        found = outcomes(self.reward, completions, held, prompts=prompts, group=group, step=step)
        _log(found, group, self.name, log_extra, log_metric)
        return [one.value if one.scored else None for one in found]

    def _groups(self, prompts: Sequence[Any], columns: Mapping[str, Sequence[Any]]) -> Sequence[Any] | None:
        if not compares(self.reward):
            return None
        given = columns.get("group") or [None] * len(prompts)
        if self.group_size:
            return blocks(list(zip(prompts, given, strict=True)), self.group_size, "TRL", REMEDY)
        if all(one is not None for one in given):
            return given
        rows = [
            {"prompt": prompt, **{name: values[row] for name, values in columns.items()}}
            for row, prompt in enumerate(prompts)
        ]
        found = runs(rows)
        if len(found) > 1 and len(set(found)) == len(found):
            raise ShapeError("TRL: no two neighbouring rollouts have the same columns; say group_size=num_generations")
        return found


def _log(
    found: list[Outcome],
    group: Sequence[Any] | None,
    name: str,
    log_extra: Callable[[str, list[Any]], None] | None,
    log_metric: Callable[[str, float], None] | None,
) -> None:
    parts = dict.fromkeys(part for one in found for part in one.parts)
    if log_extra is not None:
        log_extra(f"{name}/why", [one.why for one in found])
        for part in parts:
            log_extra(f"{name}/{part}", [one.parts[part] for one in found])
        if group is not None:
            batch = uuid4().hex[:12]  # other processes and other batches count from 0 too
            log_extra(f"{name}/group", [f"{batch}.{one}" for one in group])
    if log_metric is not None:
        for part in parts:
            values = [one.numbers()[part] for one in found if part in one.numbers()]
            if values:
                log_metric(f"{name}/{part}", sum(values) / len(values))
