"""TRL's GRPO trainer with our rewards and credit in it.

Two of its methods carry the change. `_calculate_rewards` scores whole prompt groups with one `Reward` and hands TRL the
totals, so that its own statistics (`reward`, `reward_std`, `frac_reward_zero_std`) are of them.
`_generate_and_score_completions` replaces the advantages that TRL computed by those of a `Credit`, (B,) or (B, T).
Generation, losses, logging, checkpoints and devices are TRL's; the rest of this class writes down, saves and restores.

What a reward or a credit rule asks for besides (`wishes.py`) is filled in here: columns that the policy writes before
scoring, characters and measures of tokens after it, texts in the place of answers, rollouts that are asked what others
make of them.

A credit rule with a field `injects` names a column of demonstrations: in training, the last rollout of every group is
then replaced by the text of that column, token by token, and its row has `injected` True. The policy's probability of
it comes from the same forward pass as that of any rollout, so nothing else changes.

Axes: B rollouts of all processes, T tokens of the longest completion.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
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
from sightline.judges.held import ModelJudge, OwnPolicy, frozen_copy
from sightline.rewards.algebra import Named
from sightline.rewards.reward import Reward, with_judge
from sightline.train.asking import Asking, Spliced, Written
from sightline.train.checkpoints import load_credit_state, save_credit_state
from sightline.train.curves import log_columns, log_measures, log_parts
from sightline.train.exchange import Layout, Rows, score_groups
from sightline.train.follow_up import Pairs, generated_in_two
from sightline.train.forward import Forward
from sightline.train.injection import Injection
from sightline.train.measuring import Measuring
from sightline.train.offsets import TokenOffsets
from sightline.train.order import EpochOrder, Neighbours, blocks
from sightline.train.outage import guarded
from sightline.train.reference import Reference
from sightline.train.rollouts import RolloutLog
from sightline.train.wishes import Wishes

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
        reference_weight: how fast the reference policy follows, where one is asked for (see `Reference`); None: frozen.
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
        reference_weight: Callable[[int], float] | None = None,
        **rest: Any,
    ) -> None:
        _check_arguments(args)
        _check_names(reward)
        self.wishes = Wishes.of(reward, credit)
        reward = _self_judged(reward, model, rest.get("processing_class"))
        adapter = rest.get("peft_config") is not None
        self.reference = Reference(model, reference_weight, adapter) if self.wishes.reference else None
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
        if self.reference is not None:
            self.reference.attach(self)
        forward, self._offsets = Forward(self), TokenOffsets(self._tokenizer)
        self._asking = Asking(self, forward, self._offsets, self.reference)
        self._measuring = Measuring(forward, self.wishes.measures, self.reference)
        self._inputs: list[dict[str, Any]] = []
        self._written: Written | None = None
        self._spliced: list[Spliced | None] | None = None

    @property
    def _mode(self) -> str:
        return "train" if self.model.training else "eval"  # type: ignore[union-attr]

    def _calculate_rewards(
        self, inputs: list[dict[str, Any]], prompts: list[Any], completions: list[Any], completion_ids_list: list[Any]
    ) -> torch.Tensor:
        mode = self._mode
        layout = self._layout(len(inputs))
        assert self._written is not None
        rows = _rows(inputs, prompts, completions, self._written.ids)
        if self.injection is not None and mode == "train":
            injected = [
                text is not None for text in self.injection.labels(inputs, layout, int(self.num_generations or 1))
            ]
            rows = rows.plus({INJECTED: injected})
        if self.wishes.follows is not None:
            rows = Pairs.of(self.wishes.follows, inputs, layout).filled(rows, self._written)
        rows = self._asking.columns(self.wishes.fills, rows, self._written, layout.group[layout.local])
        scores, batch = score_groups(self.reward, rows, layout, gather_object, self.state.global_step)
        self._scored[mode] = Scored(batch, scores, layout, rows.columns.get("images"))  # type: ignore[arg-type]
        log_parts(self._metrics[mode], scores)
        log_columns(self._logs, scores)
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

    def _generate(self, prompts: list[Any]) -> Any:
        """TRL's generation; then what was written is remembered, and what is trained on may be exchanged."""
        if self.wishes.follows is None:
            output = super()._generate(prompts)
        else:
            pairs = Pairs.of(self.wishes.follows, self._inputs, self._layout(len(self._inputs)))
            output = generated_in_two(super()._generate, prompts, self._inputs, pairs)
        prompt_ids, ids, tools, completions, logprobs, extra, images, tool_images = output
        self._written = Written(list(prompts), prompt_ids, [list(row) for row in ids], images)
        self._spliced = None
        if self.wishes.splices is not None:
            rows = _rows(self._inputs, prompts, completions, ids)
            rollouts = list(Batch(rows.completions, rows.columns, prompts=rows.prompts).rollouts())
            self._spliced = self._asking.spliced(self.wishes.splices, rollouts, ids)
            ids, logprobs = _exchanged(ids, logprobs, self._spliced)
        return prompt_ids, ids, tools, completions, logprobs, extra, images, tool_images

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        if self.injection is not None and self._mode == "train":
            self._labels = self.injection.labels(inputs, self._layout(len(inputs)), int(self.num_generations or 1))
        self._inputs = inputs
        output = super()._generate_and_score_completions(inputs)
        mode = self._mode
        scored = self._scored.pop(mode)
        tokens = self._tokens(output, scored)
        log_measures(self._metrics[mode], tokens)
        scored = self._with_advantages(scored, tokens)
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

    def _tokens(self, output: dict[str, Any], scored: Scored) -> Tokens:
        """Policy tokens of all processes, with what is known and what was asked for of each."""
        mask = output["completion_mask"]
        mask = mask if "tool_mask" not in output else mask * output["tool_mask"]
        logp = output.get("sampling_per_token_logps", output.get("old_per_token_logps"))
        ids = torch.where(output["completion_mask"] > 0, output["completion_ids"], -1)
        assert self._written is not None
        seeds = [(self.args.seed, self.state.global_step, row) for row in range(*scored.layout.local.indices(10**9))]
        measured = self._measuring(output, self._written.prompts, self._written.images, seeds)
        return Tokens(
            self._everywhere(mask) > 0,
            measured.get("logp") if logp is None else self._everywhere(logp.float()),
            self._everywhere(ids, -1),
            self._places(mask, scored) if self.wishes.places else None,
            None if self._spliced is None else self._everywhere(_foreign(self._spliced, mask)) > 0,
            {name: self._everywhere(torch.from_numpy(values).to(mask.device)) for name, values in measured.items()},
        )

    def _places(self, mask: torch.Tensor, scored: Scored) -> NDArray[np.int64]:
        """(B, T, 2) the characters of every token; of what was exchanged, those that are still the policy's own."""
        assert self._written is not None
        places = np.full((*mask.shape, 2), -1, dtype=np.int64)
        texts = scored.batch.texts[scored.layout.local]
        for row, (ids, text) in enumerate(zip(self._written.ids, texts, strict=True)):
            spliced = None if self._spliced is None else self._spliced[row]
            own = mask[row, : len(ids)].bool().tolist() if spliced is None else None
            found = self._offsets(ids, text, own)[: None if spliced is None else spliced.keep]
            places[row, : len(found)] = found
        start, end = (self._everywhere(torch.from_numpy(places[..., k]).to(mask.device), -1) for k in (0, 1))
        return np.stack([start, end], axis=-1)

    def _everywhere(self, local: torch.Tensor, filler: int = 0) -> NDArray[Any]:
        """(B, T) from the (rows, t) of every process."""
        if self.accelerator.num_processes > 1:
            padded = self.accelerator.pad_across_processes(local, dim=1, pad_index=filler)
            local = self.accelerator.gather(padded)
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
            path = os.path.join(self._get_output_dir(trial=trial), folder)
            save_credit_state(path, self.credit_state)
            if self.reference is not None:
                self.reference.save(path)
        super()._save_checkpoint(model, trial)  # type: ignore[no-untyped-call]

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)  # type: ignore[no-untyped-call]
        if checkpoint is not None:
            self.credit_state = load_credit_state(checkpoint)
            if self.reference is not None:
                self.reference.load(checkpoint)


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


def _self_judged(reward: Reward, model: Any, processor: Any) -> Reward:
    """The same expression with the policy, or its frozen copy, where a judge stands for it."""
    asked = {getattr(node, "judge", None) for node in reward.walk()}
    if OwnPolicy() in asked:
        reward = with_judge(reward, ModelJudge(model, processor), instead_of=OwnPolicy())
    if OwnPolicy("start") in asked:
        reward = with_judge(reward, frozen_copy(model, processor), instead_of=OwnPolicy("start"))
    return reward


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


def _exchanged(ids: list[Any], logprobs: Any, spliced: list[Spliced | None]) -> tuple[list[Any], Any]:
    """Token lists with the texts in their places; the sampler's log-probabilities of those are not known."""
    new = [own if one is None else one.ids for own, one in zip(ids, spliced, strict=True)]
    if logprobs is None:
        return new, None
    unknown = [
        own if one is None else [*own[: one.keep], *[float("nan")] * (len(one.ids) - one.keep)]
        for own, one in zip(logprobs, spliced, strict=True)
    ]
    return new, unknown


def _foreign(spliced: list[Spliced | None], mask: torch.Tensor) -> torch.Tensor:
    """(rows, T) 1 where a token is of a text that was put there, or closes it; what opens it counts as own."""
    foreign = torch.zeros_like(mask)
    for row, one in enumerate(spliced):
        if one is not None:
            foreign[row, one.first : len(one.ids)] = 1
    return foreign
