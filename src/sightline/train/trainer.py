"""TRL's GRPO trainer with our rewards and credit in it.

Two of its methods carry the change. `_calculate_rewards` scores whole prompt groups with one `Reward` and hands TRL the
totals, so that its own statistics (`reward`, `reward_std`, `frac_reward_zero_std`) are of them.
`_generate_and_score_completions` replaces the advantages that TRL computed by those of a `Credit`, (B,) or (B, T).
Generation, losses, logging, checkpoints and devices are TRL's; the rest of this class writes down, saves and restores.

A credit rule with a field `injects` names a column of demonstrations: in training, the last rollout of every group is
then replaced by the text of that column, token by token, and its row has `injected` True. The policy's probability of
it comes from the same forward pass as that of any rollout, so nothing else changes.

Axes: B rollouts of all processes, T tokens of the longest completion.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from accelerate.utils import gather_object
from numpy.typing import NDArray
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from sightline.core.batch import Batch
from sightline.core.errors import ConfigError, ShapeError
from sightline.core.scores import Scores, Values
from sightline.credit.credit import Advantages, Credit, Tokens
from sightline.rewards.algebra import Named
from sightline.rewards.reward import Reward
from sightline.train.checkpoints import load_credit_state, save_credit_state
from sightline.train.exchange import Layout, Rows, score_groups
from sightline.train.injection import Injection
from sightline.train.order import EpochOrder, Neighbours, blocks
from sightline.train.outage import guarded
from sightline.train.rollouts import RolloutLog

# What TRL would do with several rewards is the business of the reward expression and of the credit rule.
DECIDED_BY_CREDIT = {
    "scale_rewards": "group",
    "reward_weights": None,
    "multi_objective_aggregation": "sum_then_normalize",
}
TABLE = ("step", "prompt", "completion", "reward", "advantage", "why", "group", "mode", "images")
NOT_COLUMNS = ("prompt", "completion", "completion_ids", "group")
INJECTED = "injected"


@dataclass(frozen=True)
class Scored:
    """One scored batch with the advantages it got.

    Args:
        batch: the rollouts of all processes.
        scores: their scores.
        layout: where they lie.
        images: pictures of this process's rollouts, or None.
        advantages: (B,) or (B, T).
        mask: (B, T) True where a token was written by the policy.
    """

    batch: Batch
    scores: Scores
    layout: Layout
    images: list[Any] | None
    advantages: Advantages | None = None
    mask: NDArray[np.bool_] | None = None

    def per_rollout(self) -> Values:
        """(B,) advantages; of per-token ones the mean over the policy's tokens."""
        assert self.advantages is not None
        if self.advantages.ndim == 1 or self.mask is None:
            return self.advantages
        means: Values = (self.advantages * self.mask).sum(1) / np.maximum(self.mask.sum(1), 1)
        return means


class ScoredGRPOTrainer(GRPOTrainer):
    """GRPO on a `Reward` expression and a `Credit` rule.

    Rollouts that cannot be scored (NaN) are left out of every statistic and get advantage 0; `unscorable/abstain` and
    `unscorable/error` count them. Every named part is logged as `rewards/<part>/mean` and `/std`. What the credit rule
    remembers is saved with every checkpoint and restored from it.

    Advantages per token work with the losses grpo, bnpo, dapo, dr_grpo, cispo, luspo and sapo, and with either level of
    importance sampling. With vespo, which weighs a whole sequence by the sign of its advantage, each token takes the
    weight of its own sign.

    Args:
        reward: scores rollouts; named parts become curves and columns.
        credit: turns scores into advantages. It sees the batch without media columns when there are several processes.
        rollouts: where scored rollouts are written at every logging step, or None.
        everything else: as in TRL, except `reward_funcs`.

    Raises:
        ConfigError: `args` asks TRL to combine or scale rewards, or an environment brings a reward of its own.

    References:
        Shao et al., DeepSeekMath, arXiv 2402.03300.
    """

    def __init__(
        self,
        model: Any,
        reward: Reward,
        credit: Credit,
        args: GRPOConfig,
        *,
        rollouts: RolloutLog | None = None,
        **rest: Any,
    ) -> None:
        _check_arguments(args)
        _check_names(reward)
        super().__init__(model, reward_funcs=[_total], args=args, **rest)
        if len(self.reward_funcs) > 1:
            raise ConfigError("an environment defines `get_reward`: make it a term of the reward expression instead")
        self.reward_func_names = []  # totals and parts are logged here; TRL keeps its statistics of the total
        self.reward = guarded(reward)
        self.credit = credit
        self.credit_state: Any = None
        self.injection = Injection.of(credit, self._tokenizer, self.train_dataset)
        self.prompts_per_group = max(node.prompts for node in reward.walk())
        self.rollouts = rollouts
        self._scored: dict[str, Scored] = {}
        self._unwritten: dict[str, Scored] = {}
        self._labels: list[str | None] | None = None

    @property
    def _mode(self) -> str:
        return "train" if self.model.training else "eval"  # type: ignore[union-attr]

    def _calculate_rewards(
        self, inputs: list[dict[str, Any]], prompts: list[Any], completions: list[Any], completion_ids_list: list[Any]
    ) -> torch.Tensor:
        mode = self._mode
        layout = self._layout(len(inputs))
        rows = _rows(inputs, prompts, completions, completion_ids_list)
        if self.injection is not None and mode == "train":
            injected = [
                text is not None for text in self.injection.labels(inputs, layout, int(self.num_generations or 1))
            ]
            rows = Rows(rows.prompts, rows.completions, {**rows.columns, INJECTED: injected})
        scores, batch = score_groups(self.reward, rows, layout, gather_object, self.state.global_step)
        self._scored[mode] = Scored(batch, scores, layout, rows.columns.get("images"))  # type: ignore[arg-type]
        _log_parts(self._metrics[mode], scores)
        _log_columns(self._logs, scores)
        return torch.tensor(scores.values, dtype=torch.float32, device=self.accelerator.device)[:, None]

    def _layout(self, rows: int) -> Layout:
        size = self.num_generations if self._mode == "train" else self.num_generations_eval
        size = int(size or 1) * self.prompts_per_group
        return Layout(self.accelerator.process_index, self.accelerator.num_processes, rows, size)

    def _generate_single_turn(self, prompt_ids: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        completion_ids, logprobs = super()._generate_single_turn(prompt_ids, *args, **kwargs)
        if self._labels is None:
            return completion_ids, logprobs
        labels, self._labels = self._labels, None  # later turns of the same rollouts have no label
        assert self.injection is not None
        return self.injection.injected(completion_ids, logprobs, labels)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        if self.injection is not None and self._mode == "train":
            self._labels = self.injection.labels(inputs, self._layout(len(inputs)), int(self.num_generations or 1))
        output = super()._generate_and_score_completions(inputs)
        mode = self._mode
        scored = self._with_advantages(self._scored.pop(mode), self._tokens(output))
        output["advantages"] = _local_part(scored, output["completion_mask"])
        logged: Any = self._logs["advantages"]
        _replace_last(logged, scored.per_rollout().tolist())
        self._unwritten[mode] = scored
        if self.injection is not None and mode == "train":
            self.injection.log(self._metrics[mode], scored.per_rollout(), scored.batch.column(INJECTED))
        return output

    def _with_advantages(self, scored: Scored, tokens: Tokens) -> Scored:
        advantages, state = self.credit.assign(scored.scores, scored.batch, tokens, self.credit_state)
        if self._mode == "train":
            self.credit_state = state
        advantages = np.asarray(advantages, dtype=np.float64)
        if advantages.shape not in (tokens.mask.shape[:1], tokens.mask.shape):
            raise ShapeError(
                f"{type(self.credit).__name__} gave advantages {advantages.shape}; "
                f"needs {tokens.mask.shape[:1]} or {tokens.mask.shape}"
            )
        return Scored(scored.batch, scored.scores, scored.layout, scored.images, advantages, tokens.mask)

    def _tokens(self, output: dict[str, Any]) -> Tokens:
        """Policy tokens of all processes, and their log-probabilities where TRL has computed them."""
        mask = output["completion_mask"]
        mask = mask if "tool_mask" not in output else mask * output["tool_mask"]
        logp = output.get("sampling_per_token_logps", output.get("old_per_token_logps"))
        return Tokens(self._everywhere(mask) > 0, None if logp is None else self._everywhere(logp.float()))

    def _everywhere(self, local: torch.Tensor) -> NDArray[Any]:
        """(B, T) from the (rows, t) of every process, padded with 0."""
        if self.accelerator.num_processes > 1:
            local = self.accelerator.gather(self.accelerator.pad_across_processes(local, dim=1))
        return local.cpu().numpy()

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        sampler: Any = super()._get_train_sampler(dataset)
        if self.prompts_per_group == 1:
            return EpochOrder(sampler, lambda: int(self.state.epoch or 0))
        together = EpochOrder(blocks(sampler, self.prompts_per_group), lambda: int(self.state.epoch or 0))
        return Neighbours(together, self.prompts_per_group, int(self.num_generations or 1))

    def _get_eval_sampler(self, eval_dataset: Any) -> Any:
        sampler: Any = super()._get_eval_sampler(eval_dataset)
        if self.prompts_per_group == 1:
            return sampler
        sampler.batch_size = self.prompts_per_group  # how many prompts lie between repeats, of which there are none
        together = blocks(sampler, self.prompts_per_group)
        return Neighbours(together, self.prompts_per_group, int(self.num_generations_eval or 1))

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        mode = self._mode
        super().log(logs, start_time)
        scored = self._unwritten.pop(mode, None)
        if self.rollouts is None or scored is None:
            return
        images = gather_object(self.rollouts.pictures(scored.images, scored.layout.rows))
        if self.accelerator.is_main_process:
            self.rollouts.write(mode, self.state.global_step, scored, images)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        # before the rest: trainer_state.json, which TRL writes last, marks a checkpoint as whole
        if self.args.should_save:
            folder = f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
            save_credit_state(os.path.join(self._get_output_dir(trial=trial), folder), self.credit_state)
        super()._save_checkpoint(model, trial)  # type: ignore[no-untyped-call]

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)  # type: ignore[no-untyped-call]
        if checkpoint is not None:
            self.credit_state = load_credit_state(checkpoint)


def _total(**_: Any) -> list[float | None]:
    """Stands for the reward in TRL's list of functions."""
    raise ConfigError("ScoredGRPOTrainer scores with its reward expression, not with TRL's list of functions")


def _check_arguments(args: GRPOConfig) -> None:
    for name, neutral in DECIDED_BY_CREDIT.items():
        if getattr(args, name) != neutral:
            raise ConfigError(
                f"`{name}={getattr(args, name)}`: how rewards are weighed and scaled is said by the reward expression "
                "and the credit rule, for example GroupRelative(scale=BatchStd()) or NormaliseThenSum()"
            )


def _check_names(reward: Reward) -> None:
    taken = sorted({node.name for node in reward.walk() if isinstance(node, Named)} & set(TABLE))
    if taken:
        raise ConfigError(f"a part is named `{taken[0]}`, like a column of the table of completions: rename it")


def _rows(inputs: list[dict[str, Any]], prompts: list[Any], completions: list[Any], ids: list[Any]) -> Rows:
    """TRL's rows as columns: those of the data, `images` also from `image`, and `completion_tokens`."""
    names = [name for name in inputs[0] if name not in NOT_COLUMNS]
    columns: dict[str, list[Any]] = {name: [row[name] for row in inputs] for name in names}
    if "image" in columns and "images" not in columns:
        columns["images"] = [[] if image is None else [image] for image in columns["image"]]
    columns["completion_tokens"] = [len(row) for row in ids]
    asked = [row.get("prompt", prompt) for row, prompt in zip(inputs, prompts, strict=True)]
    return Rows(asked, completions, columns)


def _log_parts(metrics: dict[str, list[float]], scores: Scores) -> None:
    for name, part in scores.parts.items():
        known = part.values[~np.isnan(part.values)]
        metrics[f"rewards/{name}/mean"].append(float(known.mean()) if len(known) else float("nan"))
        metrics[f"rewards/{name}/std"].append(float(known.std(ddof=1)) if len(known) > 1 else float("nan"))
    errors = int(scores.errors.sum())
    metrics["unscorable/error"].append(errors)
    metrics["unscorable/abstain"].append(int(np.isnan(scores.values).sum()) - errors)


def _log_columns(logs: dict[str, Any], scores: Scores) -> None:
    """Columns of TRL's table of completions: the total, every part, and why. All columns stay equally long."""
    columns: dict[str, deque[float]] = logs["rewards"]
    before = len(columns["reward"])
    columns["reward"].extend(scores.values.tolist())
    for name in dict.fromkeys([*columns, *scores.parts]):
        if name != "reward":
            part = scores.parts[name].values if name in scores.parts else np.full(len(scores), np.nan)
            columns[name].extend([float("nan")] * (before - len(columns[name])))
            columns[name].extend(part.tolist())
    logs["extra"]["why"].extend(scores.why)


def _local_part(scored: Scored, mask: torch.Tensor) -> torch.Tensor:
    """This process's advantages, cut to its own longest completion."""
    assert scored.advantages is not None
    part = scored.advantages[scored.layout.local]
    part = part if part.ndim == 1 else part[:, : mask.shape[1]]
    return torch.tensor(part, dtype=torch.float32, device=mask.device)


def _replace_last(logged: deque[float], values: list[float]) -> None:
    for _ in range(min(len(values), len(logged))):
        logged.pop()
    logged.extend(values)
