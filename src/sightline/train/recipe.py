"""The settings of a paper's recipe under the field's plain names, and what each is called in TRL.

`SETTINGS` is the vocabulary. Most settings are arguments of TRL's trainers, or of stable-baselines3's agents; some
belong to the adapter (LoRA), the processor or the model; some have no counterpart and are shown as such, never dropped.
Imports neither torch nor TRL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from sightline.core.errors import ConfigError, did_you_mean

Target = Literal["trl", "sb3", "peft", "processor", "model", "data", "none"]
Arguments = dict[str, Any]
Settings = Mapping[str, Any]
METHODS = ("sft", "grpo")
AGENTS = ("dqn", "sac")


class Stage(Protocol):
    """One stage of a recipe."""

    @property
    def name(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True)
class Setting:
    """One plain name and its counterpart.

    Args:
        name: the field's name for it.
        target: whose argument it is: `trl`, `sb3` (an agent), `peft` (the adapter), `processor`, `model`, `data` (which
            rows a stage takes), or `none`.
        key: the counterpart's name.
        methods: the training methods that have it.
        turn: (value, all settings, method) -> arguments of the target; None: the value as it is, under `key`.
        note: what a reader must know, above all why there is no counterpart.
    """

    name: str
    target: Target
    key: str = ""
    methods: tuple[str, ...] = METHODS
    turn: Callable[[Any, Settings, str], Arguments] | None = None
    note: str = ""

    def arguments(self, value: Any, settings: Settings, method: str) -> Arguments:
        if self.target == "none":
            return {}
        return {self.key: value} if self.turn is None else self.turn(value, settings, method)


@dataclass(frozen=True)
class Recipe:
    """A stage's settings, sorted by who takes them.

    Args:
        trl: arguments of TRL's configuration.
        sb3: arguments of the agent.
        peft: arguments of the LoRA adapter; empty: full fine-tuning.
        processor, model: what is changed on them before training.
        data: which of the rows are used.
        notes: settings that nothing takes, each with its reason.
    """

    trl: Arguments = field(default_factory=dict)
    sb3: Arguments = field(default_factory=dict)
    peft: Arguments = field(default_factory=dict)
    processor: Arguments = field(default_factory=dict)
    model: Arguments = field(default_factory=dict)
    data: Arguments = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Row(NamedTuple):
    """One line of a shown recipe: plain name and value, whose argument it becomes, and what stands there."""

    name: str
    value: Any
    target: str
    counterpart: str


LOSSES: dict[str, Arguments] = {
    "grpo": {"loss_type": "grpo"},
    "sequence mean": {"loss_type": "grpo"},
    "dapo": {"loss_type": "dapo"},
    "token mean": {"loss_type": "dapo"},
    "bnpo": {"loss_type": "bnpo"},
    "dr_grpo": {"loss_type": "dr_grpo"},
    "constant length": {"loss_type": "dr_grpo"},
    "cispo": {"loss_type": "cispo"},
    "sapo": {"loss_type": "sapo"},
    "vespo": {"loss_type": "vespo"},
    "luspo": {"loss_type": "luspo", "importance_sampling_level": "sequence"},
    "gspo": {"loss_type": "grpo", "importance_sampling_level": "sequence"},
}
PRECISIONS: dict[str, Arguments] = {
    "bf16": {"bf16": True},
    "fp16": {"bf16": False, "fp16": True},
    "fp32": {"bf16": False, "fp16": False},
}


def _loss(value: Any, settings: Settings, method: str) -> Arguments:
    return _one_of("loss", value, LOSSES)


def _precision(value: Any, settings: Settings, method: str) -> Arguments:
    return _one_of("precision", value, PRECISIONS)


def _one_of(name: str, value: Any, known: Mapping[str, Arguments]) -> Arguments:
    if value not in known:
        raise ConfigError(f"`{name}` is {value!r}; it can be {list(known)}.{did_you_mean(str(value), known)}")
    return dict(known[value])


def _prompts_per_device(value: Any, settings: Settings, method: str) -> Arguments:
    """TRL's GRPO counts completions, so a prompt is as many as its group has."""
    group = settings.get("group size", 8) + settings.get("injected labels", 0) if method == "grpo" else 1
    return {"per_device_train_batch_size": value * group}


def _group_size(value: Any, settings: Settings, method: str) -> Arguments:
    """An injected label takes a place in the group beside the rollouts."""
    return {"num_generations": value + settings.get("injected labels", 0)}


def _evaluate_every(value: Any, settings: Settings, method: str) -> Arguments:
    return {"eval_strategy": "steps", "eval_steps": value}


def _layers(value: Any, settings: Settings, method: str) -> Arguments:
    return {"policy_kwargs": {"net_arch": list(value)}}


GRPO, SFT = ("grpo",), ("sft",)
SETTINGS: tuple[Setting, ...] = (
    Setting("group size", "trl", "num_generations", GRPO, turn=_group_size),
    Setting("injected labels", "none", methods=GRPO, note="places beside the rollouts; the credit rule fills them"),
    Setting("evaluation group size", "trl", "num_generations_eval", GRPO),
    Setting("learning rate", "trl", "learning_rate"),
    Setting("schedule", "trl", "lr_scheduler_type"),
    Setting("warmup", "trl", "warmup_steps", note="steps, or below 1 a share of all steps"),
    Setting("optimizer", "trl", "optim"),
    Setting("weight decay", "trl", "weight_decay"),
    Setting("max gradient norm", "trl", "max_grad_norm"),
    Setting("precision", "trl", "bf16", turn=_precision),
    Setting("seed", "trl", "seed"),
    Setting("epochs", "trl", "num_train_epochs"),
    Setting("steps", "trl", "max_steps"),
    Setting("prompts per device", "trl", "per_device_train_batch_size", turn=_prompts_per_device),
    Setting("completions per device", "trl", "per_device_train_batch_size", GRPO),
    Setting("gradient accumulation", "trl", "gradient_accumulation_steps"),
    Setting("gradient checkpointing", "trl", "gradient_checkpointing"),
    Setting("updates per batch", "trl", "num_iterations", GRPO),
    Setting("kl coefficient", "trl", "beta", GRPO),
    Setting("clip range", "trl", "epsilon", GRPO),
    Setting("clip range high", "trl", "epsilon_high", GRPO),
    Setting("dual clip", "trl", "delta", GRPO, note="bounds the loss of rollouts with a negative advantage"),
    Setting("loss", "trl", "loss_type", GRPO, turn=_loss),
    Setting("importance sampling", "trl", "importance_sampling_level", GRPO),
    Setting("mask truncated", "trl", "mask_truncated_completions", GRPO),
    Setting("temperature", "trl", "temperature", GRPO),
    Setting("top-p", "trl", "top_p", GRPO),
    Setting("top-k", "trl", "top_k", GRPO),
    Setting("min-p", "trl", "min_p", GRPO),
    Setting("repetition penalty", "trl", "repetition_penalty", GRPO),
    Setting("max completion tokens", "trl", "max_completion_length", GRPO),
    Setting("max sequence tokens", "trl", "max_length", SFT),
    Setting("log every", "trl", "logging_steps"),
    Setting("save every", "trl", "save_steps"),
    Setting("evaluate every", "trl", "eval_steps", turn=_evaluate_every),
    Setting("lora rank", "peft", "r"),
    Setting("lora alpha", "peft", "lora_alpha"),
    Setting("lora dropout", "peft", "lora_dropout"),
    Setting("lora targets", "peft", "target_modules"),
    Setting("adapter", "none", note="kind of adapter where the paper gives no size; set `lora rank` to train one"),
    Setting("lora plus ratio", "none", note="how much faster LoRA's B learns than its A; peft has it as an optimizer"),
    Setting("max image pixels", "processor", "max_pixels"),
    Setting("min image pixels", "processor", "min_pixels"),
    Setting("freeze vision", "model", "freeze_vision"),
    Setting("rows", "data", "rows", note="those of the data whose columns have one of these values"),
    Setting("max prompt tokens", "none", methods=GRPO, note="TRL does not cut prompts: leave out rows that are longer"),
    Setting("frames", "none", note="how many frames of a video are put into `images` when the data is made"),
    Setting("test frames", "none", note="how many frames of a video are shown at test time"),
    Setting("test image pixels", "none", note="`max image pixels` at test time"),
    Setting("test temperature", "none", note="of sampling at test time"),
    Setting("test top-p", "none", note="of sampling at test time"),
    Setting("rollout batch size", "none", methods=GRPO, note="prompts whose rollouts are drawn before their updates"),
    Setting("batch size", "none", note="per update: prompts per device x devices x gradient accumulation"),
    Setting("devices", "none", note="given to the launcher: accelerate launch --num_processes N"),
    Setting("base model", "none", note="the model the paper started from; give yours as `model`"),
    Setting("data", "none", note="what the paper trained on; give yours as `data`"),
    Setting("agent learning rate", "sb3", "learning_rate", AGENTS),
    Setting("learning starts", "sb3", "learning_starts", AGENTS, note="environment steps before the first update"),
    Setting("train every", "sb3", "train_freq", AGENTS, note="environment steps"),
    Setting("updates", "sb3", "gradient_steps", AGENTS, note="each time"),
    Setting("agent batch size", "sb3", "batch_size", AGENTS),
    Setting("discount", "sb3", "gamma", AGENTS),
    Setting("target rate", "sb3", "tau", AGENTS),
    Setting("entropy coefficient", "sb3", "ent_coef", ("sac",)),
    Setting("layers", "sb3", "policy_kwargs", AGENTS, turn=_layers),
    Setting("environment", "none", methods=AGENTS, note="one of sightline.train.control.environments"),
    Setting("environment steps", "none", methods=AGENTS, note="given to `learn`, in all"),
    Setting("episode steps", "none", methods=AGENTS, note="given to the environment"),
    Setting("checkpoint every", "none", methods=AGENTS, note="given to `learn`: environment steps"),
    Setting("encoder", "none", methods=AGENTS, note="the image-text encoder; give yours as `judge`"),
    Setting("goal-baseline strength", "none", methods=AGENTS, note="`alpha` of the reward"),
    Setting("goals", "none", methods=AGENTS, note="the column `goal` of the reward"),
    Setting("baseline", "none", methods=AGENTS, note="the column `baseline` of the reward"),
    Setting("reward batch size", "none", methods=AGENTS, note="`batch_size` of the encoder"),
    Setting("camera", "none", methods=AGENTS, note="given to the environment"),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


def setting(name: str, method: str) -> Setting:
    """The setting of a plain name; hyphens and underscores may stand for blanks.

    Raises:
        ConfigError: no setting of this method has the name.

    Example:
        >>> setting("group_size", "grpo").key
        'num_generations'
    """
    found = BY_NAME.get(name) or {_key(known): s for known, s in BY_NAME.items()}.get(_key(name))
    if found is None:
        raise ConfigError(f"no recipe setting is called `{name}`.{did_you_mean(name, BY_NAME)}")
    if method not in found.methods:
        raise ConfigError(f"recipe setting `{found.name}` belongs to {' and '.join(found.methods)}, not to {method}")
    return found


def named(settings: Settings, method: str) -> dict[str, Any]:
    """The same settings under their plain names."""
    return {setting(name, method).name: value for name, value in settings.items()}


def translate(settings: Settings, method: str) -> Recipe:
    """What a stage's settings mean for TRL, the adapter, the processor and the model.

    Raises:
        ConfigError: a name or a value is unknown, or two settings give one argument different values.

    Example:
        >>> translate({"group size": 4, "prompts per device": 2, "loss": "gspo"}, "grpo").trl
        {'num_generations': 4, 'per_device_train_batch_size': 8, 'loss_type': 'grpo',
         'importance_sampling_level': 'sequence'}
    """
    settings = named(settings, method)
    sorted_: dict[str, Arguments] = {"trl": {}, "sb3": {}, "peft": {}, "processor": {}, "model": {}, "data": {}}
    notes = []
    for name, value in settings.items():
        known = BY_NAME[name]
        if known.target == "none":
            notes.append(f"{name} = {value}: {known.note}")
            continue
        taken = sorted_[known.target]
        for key, given in known.arguments(value, settings, method).items():
            if taken.setdefault(key, given) != given:
                raise ConfigError(f"recipe setting `{name}` makes `{key}` {given!r}, another makes it {taken[key]!r}")
    return Recipe(**sorted_, notes=tuple(notes))


def describe(stage: Stage) -> list[Row]:
    """A stage's settings beside their counterparts, in the stage's order.

    Example:
        >>> class Paper:
        ...     name, method, settings = "GRPO", "grpo", {"kl coefficient": 0.04, "devices": 8}
        >>> for row in describe(Paper()): print(*row, sep=" | ")
        kl coefficient | 0.04 | trl | beta=0.04
        devices | 8 | none | given to the launcher: accelerate launch --num_processes N
    """
    settings = named(stage.settings, stage.method)
    return [_described(BY_NAME[name], value, settings, stage.method) for name, value in settings.items()]


def _described(known: Setting, value: Any, settings: Settings, method: str) -> Row:
    arguments = known.arguments(value, settings, method)
    shown = ", ".join(f"{key}={given}" for key, given in arguments.items())
    return Row(known.name, value, known.target, shown or known.note)


def merged(stage: Stage, overrides: Sequence[Settings]) -> dict[str, Any]:
    """The paper's settings of a stage with later ones in their place, also where a later one has another name for the
    same argument (`completions per device` for `prompts per device`).
    """
    result = named(stage.settings, stage.method)
    for override in overrides:
        later = named(override, stage.method)
        replaced = {(BY_NAME[name].target, BY_NAME[name].key) for name in later if BY_NAME[name].key}
        result = {n: v for n, v in result.items() if (BY_NAME[n].target, BY_NAME[n].key) not in replaced}
        result.update(later)
    return result


def _key(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
