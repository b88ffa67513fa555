"""The training methods as functions: group-relative policy optimisation and supervised fine-tuning, both by TRL.

    trainer = grpo(model, processor, reward, GroupRelative(), rows, output_dir="out", num_generations=8)

Model and processor are objects; every other argument of TRL's configuration is passed by its name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.core.errors import ConfigError, MissingExtra, did_you_mean
from sightline.credit.credit import Credit
from sightline.credit.group_relative import GroupRelative
from sightline.rewards.reward import Reward
from sightline.train import data
from sightline.train.checkpoints import last_whole
from sightline.train.rollouts import RolloutLog

if TYPE_CHECKING:
    from trl.trainer.sft_trainer import SFTTrainer

    from sightline.train.trainer import ScoredGRPOTrainer


def grpo(
    model: Any,
    processor: Any,
    reward: Reward,
    credit: Credit | None = None,
    dataset: data.Source = (),
    *,
    eval_dataset: data.Source | None = None,
    peft_config: Any = None,
    callbacks: Sequence[Any] = (),
    rollouts: str | Path | None = None,
    reference_weight: Callable[[int], float] | None = None,
    resume: bool = False,
    **trl: Any,
) -> ScoredGRPOTrainer:
    """Train a policy on a reward by group-relative policy optimisation.

    Args:
        model: a transformers model, with or without an adapter.
        processor: its processor or tokenizer.
        reward: scores the rollouts.
        credit: turns scores into advantages; None: `GroupRelative()`.
        dataset: rows, a file or a `datasets.Dataset` with `prompt`, the columns that the reward reads, and `images`.
        eval_dataset: rows of the same kind.
        peft_config: an adapter to train instead of the model.
        callbacks: transformers callbacks.
        rollouts: folder for the scored rollouts of every logging step; None writes none.
        reference_weight: step -> share of the policy in a reference that follows it, where the reward or the credit
            rule asks for one (`sightline.train.teacher`); None: the reference is frozen.
        resume: go on from the last whole checkpoint in `output_dir`; without one, start from the beginning.
        trl: arguments of TRL's `GRPOConfig`. Without an accelerator, `use_cpu=True` and `bf16=False` are the defaults.

    Returns:
        The trainer after training: `trainer.model`, `trainer.state.log_history`, `trainer.credit_state`.

    With a KL penalty and no adapter, the reference policy is what lies at `model.config._name_or_path`; for a model
    that comes from no folder a copy is written to `output_dir/reference`.

    Raises:
        ColumnError: the data lacks what the reward reads; raised before anything is trained.
        ConfigError: TRL has no such argument, or refuses the combination.
    """
    _needs_trl()
    rows = data.load(dataset, "grpo")
    data.check(reward, rows)
    from sightline.train.trainer import ScoredGRPOTrainer

    args = configured("grpo", trl)
    chat = _chats(processor)
    trainer = ScoredGRPOTrainer(
        _with_reference(model, args, peft_config),
        reward,
        credit or GroupRelative(),
        args,
        rollouts=None if rollouts is None else RolloutLog(Path(rollouts)),
        reference_weight=reference_weight,
        train_dataset=data.asked(rows, chat=chat),
        eval_dataset=None if eval_dataset is None else data.asked(data.load(eval_dataset, "grpo"), chat=chat),
        processing_class=processor,
        peft_config=peft_config,
        callbacks=list(callbacks),
    )
    _run(trainer, resume)
    return trainer


def sft(
    model: Any,
    processor: Any,
    dataset: data.Source,
    *,
    eval_dataset: data.Source | None = None,
    peft_config: Any = None,
    callbacks: Sequence[Any] = (),
    resume: bool = False,
    **trl: Any,
) -> SFTTrainer:
    """Supervised fine-tuning on demonstrations, for example a cold start before reinforcement learning.

    Args:
        dataset: rows with `prompt` and `completion` (the loss is on the completion), `messages` or `text`; `images`.
        trl: arguments of TRL's `SFTConfig`.
        everything else: as for `grpo`.

    Raises:
        ColumnError: the data has none of these columns.
        ConfigError: TRL has no such argument, or refuses the combination.
    """
    _needs_trl()
    rows = data.load(dataset, "sft")
    from trl.trainer.sft_trainer import SFTTrainer

    args = configured("sft", trl)
    chat = _chats(processor)
    trainer = SFTTrainer(
        model,
        args=args,
        train_dataset=_demonstrations(data.asked(rows, chat=chat)),
        eval_dataset=None
        if eval_dataset is None
        else _demonstrations(data.asked(data.load(eval_dataset, "sft"), chat=chat)),
        processing_class=processor,
        peft_config=peft_config,
        callbacks=list(callbacks),
    )
    _run(trainer, resume)
    return trainer


def configured(method: str, arguments: Mapping[str, Any]) -> Any:
    """TRL's configuration for a method with these arguments.

    Raises:
        ConfigError: an argument is unknown (with the closest known one), or the combination is refused.
    """
    import torch

    check_arguments(method, arguments)
    defaults: dict[str, Any] = {}
    if not torch.accelerator.is_available():
        defaults = {"use_cpu": True, "bf16": bool(arguments.get("bf16"))}
    try:
        return _configuration(method)(**{**defaults, **arguments})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{_configuration(method).__name__}: {error}") from error


def known_arguments(method: str) -> list[str]:
    """Names of all arguments that TRL's configuration for a method takes."""
    return [field.name for field in dataclasses.fields(_configuration(method)) if field.init]


def check_arguments(method: str, arguments: Mapping[str, Any]) -> None:
    """Raise a `ConfigError` for arguments that TRL's configuration for a method does not take."""
    known = known_arguments(method)
    for name in arguments:
        if name not in known:
            kind = _configuration(method).__name__
            raise ConfigError(f"{kind} has no argument `{name}`.{did_you_mean(name, known)}")


def _configuration(method: str) -> Any:
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.sft_config import SFTConfig

    return GRPOConfig if method == "grpo" else SFTConfig


def _run(trainer: Any, resume: bool) -> None:
    from transformers.trainer_callback import PrinterCallback

    # it prints a dictionary per logging step wherever progress bars are off; curves go to the metrics and the trackers
    trainer.remove_callback(PrinterCallback)
    checkpoint = last_whole(trainer.args.output_dir) if resume else None
    trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if trainer.eval_dataset is not None and trainer.args.eval_strategy == "no":
        trainer.evaluate()


def _chats(processor: Any) -> bool:
    """Whether plain prompts become messages: a model with a chat template was trained on them."""
    return bool(getattr(processor, "chat_template", None))


def _demonstrations(dataset: Any) -> Any:
    """Only what TRL's SFT reads: other columns would be taken for its own."""
    known = ("prompt", "completion", "messages", "text", "image", "images")
    return dataset.select_columns([name for name in dataset.column_names if name in known])


def _with_reference(model: Any, args: Any, peft_config: Any) -> Any:
    """The model, with a copy on disk where TRL will look for the reference policy."""
    from accelerate import PartialState
    from accelerate.utils import is_peft_model

    if args.beta == 0.0 or peft_config is not None or is_peft_model(model) or model.config._name_or_path:
        return model
    folder = Path(args.output_dir) / "reference"
    with PartialState().main_process_first():
        if PartialState().is_main_process and not (folder / "config.json").exists():
            model.save_pretrained(folder)
    model.config._name_or_path = str(folder)
    return model


def _needs_trl() -> None:
    try:
        import datasets  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        raise MissingExtra.of("training", "train") from error
