"""A recipe in verl's names: every setting is an override of verl's configuration, or is said to be lost, or is yours.

What a recipe does not say keeps verl's default, save for what verl needs to run at all. Written against verl 0.9.1 and
its FSDP engine; imports neither verl nor torch. The vocabulary itself stands in `recipe.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sightline.core.errors import ConfigError
from sightline.judges.held import OwnPolicy
from sightline.rewards.reward import Reward
from sightline.train.recipe import BY_NAME, Settings, named

Overrides: TypeAlias = dict[str, Any]
ACTOR, ROLLOUT, MODEL = "actor_rollout_ref.actor", "actor_rollout_ref.rollout", "actor_rollout_ref.model"
OPTIMIZER = f"{ACTOR}.optim"
SAVE_EVERY = 50  # verl's own default never saves, so nothing could be resumed
PROMPT_TOKENS, COMPLETION_TOKENS = 8192, 512  # verl's own 512 for a prompt would drop every picture
TOKENS_PER_GPU = 16384
PROMPTS = 64


@dataclass(frozen=True)
class VerlRecipe:
    """A stage's settings, sorted by who takes them.

    Args:
        overrides: verl's key -> value.
        lost: settings of the paper that verl cannot carry, each with its reason.
        told: settings that are yours to give, and choices made where the recipe is silent.
        rows: columns whose values pick the rows of this stage.
        pixels, test_pixels: `max_pixels` and `min_pixels`, which travel with every picture of the data.
    """

    overrides: Overrides = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    rows: Mapping[str, Any] = field(default_factory=dict)
    pixels: Mapping[str, int] = field(default_factory=dict)
    test_pixels: Mapping[str, int] = field(default_factory=dict)


class Lost(Exception):  # noqa: N818 - a reason, never seen outside this file
    """verl has no way to do what a value says."""


def translate(settings: Settings, rows: int, name: str = "sightline") -> VerlRecipe:
    """What the settings of a `grpo` stage mean for verl.

    Args:
        settings: under plain names, see `sightline.train.recipe`.
        rows: how many prompts the training data has.
        name: of the run in verl's trackers.

    Raises:
        ConfigError: a name is unknown, or there are fewer prompts than one step takes.

    Example:
        >>> found = translate({"group size": 4, "batch size": 8, "kl coefficient": 0.04, "min-p": 0.1}, rows=100)
        >>> found.overrides["actor_rollout_ref.rollout.n"], found.overrides["actor_rollout_ref.actor.kl_loss_coef"]
        (4, 0.04)
        >>> found.lost
        ('min-p = 0.1: verl has no such sampling setting',)
    """
    settings = named(settings, "grpo")
    batches, said = _batches(settings, rows)
    settings, counted = _in_rounds(settings, batches)
    overrides, lost, told = _basis(settings, name), [], []
    for known, value in settings.items():
        try:
            overrides.update(_overrides(known, value, settings))
        except Lost as reason:
            lost.append(f"{known} = {value}: {reason}")
        if known in YOURS:
            told.append(f"{known} = {value}: {YOURS[known] or BY_NAME[known].note}")
    return VerlRecipe(
        {**overrides, **batches, **_lengths(settings)},
        tuple(lost),
        (*told, *said, *counted),
        settings.get("rows") or {},
        _pixels(settings.get("max image pixels"), settings.get("min image pixels")),
        _pixels(settings.get("test image pixels", settings.get("max image pixels")), settings.get("min image pixels")),
    )


def not_carried(reward: Reward) -> list[str]:
    """Why verl cannot train on a reward: what it asks of the trainer itself.

    Example:
        >>> from sightline.system import load
        >>> not_carried(load("vlm-r1").reward)
        []
    """
    nodes = list(reward.walk())
    wishes = {
        "columns that the policy writes": "fills",
        "a text in the place of the answer": "splices",
        "rollouts that are asked about each other": "follows",
    }
    asked = [what for what, name in wishes.items() if any(getattr(node, name, None) for node in nodes)]
    if any(isinstance(getattr(node, "judge", None), OwnPolicy) for node in nodes):
        asked.append("the policy itself as a judge (give another judge)")
    if any(node.prompts > 1 for node in nodes):
        asked.append("groups over several prompts")
    return [f"the reward asks for {what}, which verl has no place for" for what in asked]


def _basis(settings: Settings, name: str) -> Overrides:
    """What verl needs whatever the paper says."""
    return {
        "trainer.project_name": "sightline",
        "trainer.experiment_name": name,
        "trainer.logger": ["console", "file"],
        "trainer.save_freq": SAVE_EVERY,
        "trainer.val_before_train": False,
        f"{ROLLOUT}.name": "vllm",
        f"{ROLLOUT}.tensor_model_parallel_size": 1,
        f"{ROLLOUT}.n": settings.get("group size", 8),
        f"{ACTOR}.use_dynamic_bsz": True,
        f"{ACTOR}.use_kl_loss": False,
        "algorithm.use_kl_in_reward": False,
        "data.filter_overlong_prompts": True,
    }


def _overrides(name: str, value: Any, settings: Settings) -> Overrides:
    if name in WORDS:
        return dict.fromkeys(WORDS[name], value)
    if name in WAYS:
        return WAYS[name](value, settings)
    if name in NEVER:
        raise Lost(NEVER[name])
    if name in ELSEWHERE or name in YOURS:
        return {}
    raise Lost("verl has no counterpart")


def _schedule(value: Any, settings: Settings) -> Overrides:
    kind = {"constant": "constant", "constant_with_warmup": "constant", "cosine": "cosine"}.get(str(value))
    if kind is None:
        raise Lost("verl has only constant and cosine, both with warmup")
    return {f"{OPTIMIZER}.lr_scheduler_type": kind}


def _warmup(value: Any, settings: Settings) -> Overrides:
    key = "lr_warmup_steps_ratio" if value < 1 else "lr_warmup_steps"
    return {f"{OPTIMIZER}.{key}": value}


def _optimizer(value: Any, settings: Settings) -> Overrides:
    if value in ("adamw_torch", "adamw_torch_fused"):
        return {f"{OPTIMIZER}.optimizer": "AdamW", f"{OPTIMIZER}.optimizer_impl": "torch.optim"}
    if value == "adamw_bnb_8bit":
        return {f"{OPTIMIZER}.optimizer": "AdamW8bit", f"{OPTIMIZER}.optimizer_impl": "bitsandbytes.optim"}
    raise Lost(f"set {OPTIMIZER}.optimizer and optimizer_impl to a class that stands for it")


def _precision(value: Any, settings: Settings) -> Overrides:
    known = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
    if value not in known:
        raise Lost(f"it can be {list(known)}")
    places = (f"{ACTOR}.fsdp_config", "actor_rollout_ref.ref.fsdp_config", ROLLOUT)
    return {f"{place}.dtype": known[value] for place in places}


def _steps(value: Any, settings: Settings) -> Overrides:
    epochs = {} if "epochs" in settings else {"trainer.total_epochs": value}  # an epoch has at least one step
    return {"trainer.total_training_steps": value, **epochs}


def _kl(value: Any, settings: Settings) -> Overrides:
    if not value:
        return {f"{ACTOR}.use_kl_loss": False}
    return {f"{ACTOR}.use_kl_loss": True, f"{ACTOR}.kl_loss_coef": value, f"{ACTOR}.kl_loss_type": "low_var_kl"}


def _clip(value: Any, settings: Settings) -> Overrides:
    high = settings.get("clip range high", value)
    return {f"{ACTOR}.clip_ratio": value, f"{ACTOR}.clip_ratio_low": value, f"{ACTOR}.clip_ratio_high": high}


def _loss(value: Any, settings: Settings) -> Overrides:
    mode = {
        "grpo": "seq-mean-token-mean",
        "sequence mean": "seq-mean-token-mean",
        "gspo": "seq-mean-token-mean",
        "dapo": "token-mean",
        "token mean": "token-mean",
        "dr_grpo": "seq-mean-token-sum-norm",
        "constant length": "seq-mean-token-sum-norm",
    }.get(str(value))
    if mode is None:
        raise Lost("verl has no loss that is the same")
    found: Overrides = {f"{ACTOR}.loss_agg_mode": mode}
    if mode == "seq-mean-token-sum-norm":
        found[f"{ACTOR}.loss_scale_factor"] = settings.get("max completion tokens", COMPLETION_TOKENS)
    return {**found, **({f"{ACTOR}.policy_loss.loss_mode": "gspo"} if value == "gspo" else {})}


def _importance(value: Any, settings: Settings) -> Overrides:
    if value not in ("token", "sequence"):
        raise Lost("it can be token or sequence")
    return {f"{ACTOR}.policy_loss.loss_mode": "gspo" if value == "sequence" else "vanilla"}


def _top_k(value: Any, settings: Settings) -> Overrides:
    return {f"{ROLLOUT}.top_k": value or -1}


def _repetition(value: Any, settings: Settings) -> Overrides:
    if value != 1:
        raise Lost("verl's agent loop always samples with 1.0")
    return {}


def _truncated(value: Any, settings: Settings) -> Overrides:
    if value:
        raise Lost("verl trains on truncated rollouts; pay them nothing in the reward instead")
    return {}


def _dropout(value: Any, settings: Settings) -> Overrides:
    if value:
        raise Lost("verl's FSDP engine trains adapters without dropout")
    return {}


def _frozen(value: Any, settings: Settings) -> Overrides:
    if value:
        raise Lost("verl 0.9.1 has `freeze_vision_tower` and reads it nowhere")
    return {}


def _rank(value: Any, settings: Settings) -> Overrides:
    return {f"{MODEL}.lora_rank": value, f"{ROLLOUT}.load_format": "safetensors"}


def _test_temperature(value: Any, settings: Settings) -> Overrides:
    return {f"{ROLLOUT}.val_kwargs.temperature": value, f"{ROLLOUT}.val_kwargs.do_sample": value > 0}


# plain name -> the keys of verl that take its value as it is
WORDS: Mapping[str, tuple[str, ...]] = {
    "group size": (f"{ROLLOUT}.n",),
    "evaluation group size": (f"{ROLLOUT}.val_kwargs.n",),
    "learning rate": (f"{OPTIMIZER}.lr",),
    "weight decay": (f"{OPTIMIZER}.weight_decay",),
    "max gradient norm": (f"{OPTIMIZER}.clip_grad", f"{ACTOR}.grad_clip"),
    "seed": ("data.seed", f"{ACTOR}.data_loader_seed", f"{ACTOR}.fsdp_config.seed", f"{ROLLOUT}.seed"),
    "epochs": ("trainer.total_epochs",),
    "gradient checkpointing": (f"{MODEL}.enable_gradient_checkpointing",),
    "updates per batch": (f"{ACTOR}.ppo_epochs",),
    "clip range high": (f"{ACTOR}.clip_ratio_high",),
    "dual clip": (f"{ACTOR}.clip_ratio_c",),
    "temperature": (f"{ROLLOUT}.temperature",),
    "top-p": (f"{ROLLOUT}.top_p",),
    "save every": ("trainer.save_freq",),
    "evaluate every": ("trainer.test_freq",),
    "lora alpha": (f"{MODEL}.lora_alpha",),
    "lora targets": (f"{MODEL}.target_modules",),
    "test top-p": (f"{ROLLOUT}.val_kwargs.top_p",),
}
WAYS: Mapping[str, Callable[[Any, Settings], Overrides]] = {
    "schedule": _schedule,
    "warmup": _warmup,
    "optimizer": _optimizer,
    "precision": _precision,
    "steps": _steps,
    "kl coefficient": _kl,
    "clip range": _clip,
    "loss": _loss,
    "importance sampling": _importance,
    "top-k": _top_k,
    "repetition penalty": _repetition,
    "mask truncated": _truncated,
    "lora rank": _rank,
    "lora dropout": _dropout,
    "freeze vision": _frozen,
    "test temperature": _test_temperature,
}
NEVER: Mapping[str, str] = {
    "min-p": "verl has no such sampling setting",
    "injected labels": "verl samples every rollout of a group from the policy",
    "lora plus ratio": "verl has one learning rate for an adapter",
}
# read by _batches, _lengths and _pixels, or of no effect on what is learned
ELSEWHERE = frozenset(
    (
        *("batch size", "rollout batch size", "prompts per device", "completions per device", "gradient accumulation"),
        *("max prompt tokens", "max completion tokens", "max image pixels", "min image pixels", "test image pixels"),
        *("rows", "log every"),
    )
)
# in updates; below 1 a share
COUNTED = ("steps", "warmup", "save every", "evaluate every")
YOURS: Mapping[str, str] = {
    "base model": "",
    "data": "",
    "frames": "",
    "test frames": "",
    "adapter": "",
    "devices": "yours are verl.trainer.n_gpus_per_node and verl.trainer.nnodes",
}


def _batches(settings: Settings, rows: int) -> tuple[Overrides, list[str]]:
    """Prompts of an update and of a step, and what was chosen for want of a word in the recipe."""
    said = []
    update = _prompts(settings)
    if update is None:
        whole = settings.get("rollout batch size")
        update = whole if isinstance(whole, int) else min(PROMPTS, rows)
        said = [f"the recipe gives no usable batch size: {update} prompts an update; set recipe.batch_size"]
    step = settings.get("rollout batch size", update)
    if not isinstance(step, int) or step < update:
        raise ConfigError(f"`rollout batch size` is {step} and an update takes {update} prompts: it must be no smaller")
    if rows < step:
        raise ConfigError(
            f"verl takes {step} prompts a step and leaves out what is over; the data have {rows}: "
            "give recipe.batch_size (and recipe.rollout_batch_size) that fit"
        )
    return {"data.train_batch_size": step, f"{ACTOR}.ppo_mini_batch_size": update}, said


def _in_rounds(settings: Settings, batches: Overrides) -> tuple[Settings, list[str]]:
    """Settings in verl's steps, of which each is one batch of rollouts; recipes, as TRL, count updates of the weights.

    verl's schedule of the learning rate goes by its steps too.
    """
    each = math.ceil(batches["data.train_batch_size"] / batches[f"{ACTOR}.ppo_mini_batch_size"])
    each *= settings.get("updates per batch", 1)
    updates = {name: settings[name] for name in COUNTED if each > 1 and (settings.get(name) or 0) >= 1}
    found = {name: math.ceil(value / each) for name, value in updates.items()}
    said = [
        f"{name} = {value}: {found[name]} of verl's steps, of {each} updates each" for name, value in updates.items()
    ]
    return {**settings, **found}, said


def _prompts(settings: Settings) -> int | None:
    """Prompts of an update: the batch size, or what the devices of the paper make together."""
    if isinstance(settings.get("batch size"), int):
        return int(settings["batch size"])
    each = settings.get("prompts per device")
    if each is None and "completions per device" in settings:
        each = settings["completions per device"] / settings.get("group size", 8)
    if each is None or not isinstance(settings.get("devices"), int):
        return None
    return max(1, math.floor(each * settings["devices"] * settings.get("gradient accumulation", 1)))


def _lengths(settings: Settings) -> Overrides:
    prompt = settings.get("max prompt tokens", PROMPT_TOKENS)
    completion = settings.get("max completion tokens", COMPLETION_TOKENS)
    return {
        "data.max_prompt_length": prompt,
        "data.max_response_length": completion,
        f"{ACTOR}.ppo_max_token_len_per_gpu": max(TOKENS_PER_GPU, prompt + completion),
    }


def _pixels(most: Any, least: Any) -> dict[str, int]:
    return {key: value for key, value in (("max_pixels", most), ("min_pixels", least)) if value is not None}
