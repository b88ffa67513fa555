"""The configuration of a training run: a YAML file, then `key=value` words, over the paper's recipe.

    system: video-ver
    model: path/or/name
    data: {grpo: train.jsonl, eval: held_out.jsonl}
    output: runs/first
    recipe: {group size: 4, learning rate: 1e-6}     # the field's names, see `sightline show SLUG`
    trl: {use_vllm: true, vllm_mode: colocate}       # TRL's and accelerate's own, passed on untouched
    verl: {trainer: {n_gpus_per_node: 8}}            # verl's own, for --engine verl

Imports neither torch nor TRL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from sightline.core.errors import ConfigError, did_you_mean
from sightline.train.recipe import METHODS


class Part(BaseModel):
    """One file of several that together are the rows of a stage."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(description="JSON lines, Parquet, or a folder that `datasets` saved")
    images: str | None = Field(default=None, description="folder of its pictures, if not the file's own")
    take: str | None = Field(
        default=None,
        description="which rows: first:N, end:N or random:N, N a number or a percentage, rounded up; N% is the first",
    )
    seed: int = Field(default=0, description="of random:N")
    columns: dict[str, Any] = Field(default_factory=dict, description="columns that are the same in all of its rows")

    @field_validator("take")
    @classmethod
    def _is_an_amount(cls, take: str | None) -> str | None:
        if take is not None and not re.fullmatch(r"(first:|end:|random:)?\d+%|(first|end|random):\d+", take):
            raise ValueError(f"needs first:N, end:N, random:N or a percentage like 25%, not {take!r}")
        return take


def _as_files(value: Any) -> Any:
    """One path as it is; one part as a list of one; a path in a list as a part."""
    if isinstance(value, Mapping | Part):
        value = [value]
    return [{"file": one} if isinstance(one, str) else one for one in value] if isinstance(value, list) else value


def _kind(value: Any) -> str | None:
    return "file" if isinstance(value, str) else "files" if isinstance(value, list) else None


Rows: TypeAlias = Annotated[
    Annotated[str, Tag("file")] | Annotated[list[Part], Tag("files")],
    Discriminator(
        _kind, custom_error_type="rows", custom_error_message="needs a path, or a list of paths and of {file: ...}"
    ),
    BeforeValidator(_as_files),
]


class Data(BaseModel):
    """Where the rows of each stage are: files of JSON lines or Parquet, folders that `datasets` saved, or several."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sft: Rows | None = Field(default=None, description="demonstrations: columns prompt and completion, and images")
    grpo: Rows | None = Field(default=None, description="prompts, and whatever the reward reads")
    stages: dict[str, Rows] = Field(
        default_factory=dict, description="rows of single stages by the stage's name, instead of those of its method"
    )
    eval: Rows | None = Field(default=None, description="rows of the same kind as the last stage's, for evaluation")
    system_prompt: str | None = Field(default=None, description="put before every prompt")
    template: str | None = Field(default=None, description="text around every prompt; {prompt} stands for it")

    @field_validator("template")
    @classmethod
    def _has_a_place(cls, template: str | None) -> str | None:
        if template is not None and "{prompt}" not in template:
            raise ValueError("needs the place {prompt}")
        return template

    def given(self) -> dict[str, str | list[Part]]:
        """What there is: rows by method, by stage, and for evaluation."""
        own = {"sft": self.sft, "grpo": self.grpo, "eval": self.eval}
        return {**{name: rows for name, rows in own.items() if rows is not None}, **self.stages}


class TrainConfig(BaseModel):
    """One training run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str | None = Field(None, description="slug of the system whose reward, credit and recipe are used")
    reward: str | None = Field(None, description="instead of a system: a reward of your own, as package.module:NAME")
    variant: Literal["strict", "official"] = "strict"
    plus: tuple[str, ...] = Field((), description="extras of the system to add")
    minus: tuple[str, ...] = Field((), description="parts of the system to leave out")
    model: str = Field(description="folder or name of the model to start from")
    data: Data = Field(
        Data.model_validate({}),
        description="rows per stage; a single path: for `sft` if that is the stage, else `grpo`",
    )
    output: str = Field(description="folder that the run writes to")
    judge: str | None = Field(None, description="who answers the reward's questions")
    judge_cache: str | None = Field(None, description="sqlite file that keeps verdicts")
    judge_key: str | None = Field(None, description="environment variable that holds the judge server's key")
    stage: str | None = Field(None, description="run only the stage of this name or method")
    recipe: dict[str, Any] = Field(
        default_factory=dict, description="settings under plain names; blocks `sft` and `grpo` hold those of one method"
    )
    columns: dict[str, Any] = Field(default_factory=dict, description="columns that are the same in every row")
    peft: dict[str, Any] = Field(default_factory=dict, description="further arguments of peft.LoraConfig")
    trl: dict[str, Any] = Field(
        default_factory=dict, description="arguments of TRL's configuration; blocks `sft` and `grpo` as in recipe"
    )
    verl: dict[str, Any] = Field(
        default_factory=dict, description="overrides of verl's configuration, for `--engine verl`"
    )
    resume: bool = Field(False, description="go on from the last whole checkpoint in `output`")
    rollouts: bool = Field(True, description="write scored rollouts at every logging step")

    @model_validator(mode="before")
    @classmethod
    def _single_path(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("data"), str | list):
            values = {**values, "data": {"sft" if values.get("stage") == "sft" else "grpo": values["data"]}}
        return values

    @model_validator(mode="after")
    def _one_reward(self) -> TrainConfig:
        if (self.system is None) == (self.reward is None):
            raise ValueError("give either `system` or `reward`")
        return self


def load_config(path: str | Path | None = None, overrides: Iterable[str] = (), **given: Any) -> TrainConfig:
    """The configuration from a YAML file, named values over it, and `key=value` words over both.

    Args:
        path: the file, or None.
        overrides: words like `recipe.group_size=4` or `trl.use_vllm=true`; values are YAML.
        given: values of top-level keys; None is left out.

    Raises:
        ConfigError: a key is unknown, a value has the wrong type, or the file is no YAML mapping.

    Example:
        >>> config = load_config(None, ["recipe.group_size=4"], system="vlm-r1", model="m", data="d.jsonl", output="o")
        >>> config.recipe, config.data.grpo
        ({'group_size': 4}, 'd.jsonl')
    """
    values = {} if path is None else _read(Path(path))
    values.update({key: value for key, value in given.items() if value is not None})
    for word in overrides:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise ConfigError(f"`{word}` is not of the form key=value")
        _set(values, key.split("."), _yaml(text, f"the value of `{key}`"))
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_explained(error)) from error


def json_schema() -> dict[str, Any]:
    """The configuration as a JSON schema, for editors that complete YAML."""
    return TrainConfig.model_json_schema()


def of_method(block: Mapping[str, Any], method: str) -> list[dict[str, Any]]:
    """What a block says for one method: first the settings for all, then those under the method's own name."""
    shared = {key: value for key, value in block.items() if key not in METHODS}
    own = block.get(method) or {}
    if not isinstance(own, Mapping):
        raise ConfigError(f"`{method}` must hold settings, not {own!r}")
    return [shared, dict(own)]


class _Loader(yaml.SafeLoader):
    """YAML whose `1e-6` is a number, as everybody who writes a learning rate expects."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)$"),
    list("-+.0123456789"),
)


def _yaml(text: str, what: str) -> Any:
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{what} is not YAML: {' '.join(str(error).split())}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        values = _yaml(path.read_text(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds {type(values).__name__}, not settings")
    return values


def _set(values: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    for key in keys[:-1]:
        inner = values.setdefault(key, {})
        if isinstance(inner, str) and key == "data":
            inner = values[key] = {"grpo": inner}
        if not isinstance(inner, dict):
            raise ConfigError(f"`{'.'.join(keys)}`: `{key}` is {inner!r} and holds no settings")
        values = inner
    values[keys[-1]] = value


def _explained(error: ValidationError) -> str:
    return "; ".join(_one(problem) for problem in error.errors())


def _one(problem: Any) -> str:
    place = [str(step) for step in problem["loc"]]
    if problem["type"] == "extra_forbidden":
        known: Any = TrainConfig.model_fields
        if place[0] == "data":
            known = Part.model_fields if "files" in place else Data.model_fields
        return f"unknown key `{'.'.join(place)}`.{did_you_mean(place[-1], known) or f' There are {list(known)}.'}"
    if problem["type"] == "missing":
        return f"`{'.'.join(place)}` is missing"
    message = problem["msg"].removeprefix("Value error, ")
    return f"`{'.'.join(place)}`: {message}" if place else message
