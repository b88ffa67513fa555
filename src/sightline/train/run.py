"""A whole training run: stages in order, each with its data, recipe, checkpoints and record.

    output/
      run.json            what was run with which settings and versions, and how far each stage came
      metrics.jsonl       one line a logging step
      rollouts/           scored rollouts of logging steps, Parquet (see rollouts.py), of several such stages
                        in a folder each
      <stage>/            checkpoints; `start/` if it began from an adapter, merged; `model/` of an intermediate stage
      model/              the final model (or adapter) with its processor

A stage takes the rows that its recipe names by `rows`, or all. One without any is skipped with a message: a paper's
cold start is often already in the weights one starts from. Every stage starts from a folder on disk, so that reference
policies and adapters are built on the right weights, and so that a killed run resumes in the stage where it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.core.errors import ConfigError, did_you_mean
from sightline.credit.credit import Credit
from sightline.rewards.reward import Reward
from sightline.train import data, recipe, stages
from sightline.train.config import TrainConfig, of_method
from sightline.train.recipe import Recipe, Stage

if TYPE_CHECKING:
    from datasets import Dataset

    from sightline.train.metrics import RunRecord

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """What a run left.

    Args:
        model: folder of the final model or adapter.
        metrics, record, rollouts: files and folder, see the module.
    """

    model: Path
    metrics: Path
    record: Path
    rollouts: Path


@dataclass(frozen=True)
class Plan:
    """One stage that will run: its settings for everybody, its rows, and where its scored rollouts go."""

    stage: Stage
    recipe: Recipe
    arguments: Mapping[str, Any]
    rows: Dataset
    eval_rows: Dataset | None
    rollouts: str = "rollouts"

    @property
    def folder(self) -> str:
        """The stage's name as that of a folder."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.stage.name)


def train(
    config: TrainConfig,
    reward: Reward,
    credit: Credit,
    recipe_stages: Sequence[Stage],
    datasets: Mapping[str, data.Source] | None = None,
) -> Run:
    """Run the stages that have data.

    Args:
        config: what to train on what, see `config.py`.
        reward, credit: of the system.
        recipe_stages: the paper's stages, in order; `config.recipe` and `config.trl` are laid over their settings.
        datasets: rows in memory for `sft`, `grpo`, `eval` or a stage's name, instead of the files of `config.data`.

    Raises:
        ConfigError: no stage has data, or a setting is wrong; nothing has been loaded then.
        ColumnError: the data lacks a column; nothing has been loaded then.
    """
    stages._needs_trl()
    from accelerate import PartialState

    from sightline.train.metrics import RunRecord

    plans, skipped = planned(config, recipe_stages, {**config.data.given(), **(datasets or {})})
    check_rows(plans, reward)
    output = Path(config.output)
    record = RunRecord.open(output / "run.json", _about(config, reward, credit, skipped), config.resume)
    _check_free(output, record, config.resume)
    PartialState().wait_for_everyone()  # all have looked before the first one writes
    model = config.model
    for plan in plans:
        folder = output / "model" if plan is plans[-1] else output / plan.folder / "model"
        if record.finished(plan.stage.name):
            logger.warning("stage %s has finished already; to train on, start from %s", plan.stage.name, folder)
        else:
            _run_stage(plan, config, reward, credit, model, folder, record, PartialState().is_main_process)
        model = str(folder)
    return Run(output / "model", output / "metrics.jsonl", record.path, output / "rollouts")


def planned(
    config: TrainConfig, recipe_stages: Sequence[Stage], given: Mapping[str, data.Source]
) -> tuple[list[Plan], list[str]]:
    """The stages that will run, and the names of those that lack data.

    Raises:
        ConfigError: no stage has data, the chosen one lacks it, or a setting is wrong.
    """
    chosen = [stage for stage in recipe_stages if config.stage in (None, stage.name, stage.method)]
    if not chosen:
        names = [stage.name for stage in recipe_stages]
        raise ConfigError(f"no stage `{config.stage}`; there are {names}.{did_you_mean(str(config.stage), names)}")
    if all(stage.method in recipe.AGENTS for stage in chosen):
        raise ConfigError(f"stage {chosen[0].name} trains an agent in an environment: see sightline.train.control")
    _check_stage_names(config, recipe_stages)
    rows = {stage.name: found for stage in chosen if (found := _rows_of(config, stage, given)) is not None}
    running = [stage for stage in chosen if stage.name in rows]
    skipped = [stage.name for stage in chosen if stage.name not in rows]
    if not running or (config.stage is not None and skipped):
        wanted = " or ".join(f"data.{method}" for method in dict.fromkeys(stage.method for stage in chosen))
        raise ConfigError(f"stage {', '.join(skipped)} has no data: give {wanted}")
    for name in skipped:
        logger.warning("stage %s is skipped: no data was given for it", name)
    _check_blocks(config, running)
    plans = [_plan(config, stage, rows[stage.name], given, last=stage is running[-1]) for stage in running]
    if sum(stage.method == "grpo" for stage in running) > 1:  # each counts its steps anew
        plans = [replace(plan, rollouts=f"rollouts/{plan.folder}") for plan in plans]
    return plans, skipped


def check_rows(plans: Sequence[Plan], reward: Reward) -> None:
    """Check that the reward finds what it reads in the rows of every stage, those for evaluation too.

    Raises:
        ColumnError: a column is missing or holds a value that the reward cannot use.
    """
    for plan in plans:
        if plan.stage.method == "grpo":
            data.check(reward, plan.rows)
            if plan.eval_rows is not None:
                data.check(reward, plan.eval_rows)


def settings_of(config: TrainConfig, stage: Stage) -> dict[str, Any]:
    """A stage's settings under plain names: the paper's, with the configuration's over them."""
    shared, own = of_method(config.recipe, stage.method)
    known = {name: value for name, value in shared.items() if _belongs(name, stage.method)}
    return recipe.merged(stage, [known, own])


def source_of(stage: Stage, given: Mapping[str, data.Source]) -> data.Source | None:
    """The rows of a stage: those given under its name, else those of its method, else None.

    Example:
        >>> class First:
        ...     name, method = "grounding", "grpo"
        >>> source_of(First(), {"grpo": "all.jsonl"}), source_of(First(), {"grpo": "all.jsonl", "grounding": "g.jsonl"})
        ('all.jsonl', 'g.jsonl')
    """
    return given.get(stage.name, given.get(stage.method))


def _check_stage_names(config: TrainConfig, recipe_stages: Sequence[Stage]) -> None:
    names = [stage.name for stage in recipe_stages]
    for name in config.data.stages:
        if name not in names:
            raise ConfigError(f"data.stages: no stage `{name}`; there are {names}.{did_you_mean(name, names)}")


def _belongs(name: str, method: str) -> bool:
    """Whether a shared setting concerns a method; an unknown name raises."""
    elsewhere = [m for m in recipe.METHODS if m != method]
    try:
        recipe.setting(name, method)
    except ConfigError:
        for other in elsewhere:
            recipe.setting(name, other)
        return False
    return True


def _check_blocks(config: TrainConfig, running: Sequence[Stage]) -> None:
    """A shared argument of TRL must belong to some stage that runs."""
    methods = list(dict.fromkeys(stage.method for stage in running))
    for name in of_method(config.trl, methods[0])[0]:
        if not any(name in stages.known_arguments(method) for method in methods):
            stages.check_arguments(methods[-1], {name: None})
    for method in methods:
        stages.check_arguments(method, of_method(config.trl, method)[1])


def _rows_of(config: TrainConfig, stage: Stage, given: Mapping[str, data.Source]) -> Dataset | None:
    """The rows that a stage takes of those given; None if it takes none."""
    source = source_of(stage, given)
    if source is None:
        return None
    wanted = recipe.translate(settings_of(config, stage), stage.method).data
    rows = data.picked(_rows(config, source, stage.method), wanted.get("rows") or {})
    return rows if len(rows) else None


def _plan(config: TrainConfig, stage: Stage, rows: Dataset, given: Mapping[str, data.Source], last: bool) -> Plan:
    translated = recipe.translate(settings_of(config, stage), stage.method)
    known = stages.known_arguments(stage.method)
    shared, own = of_method(config.trl, stage.method)
    arguments = {**translated.trl, **{n: v for n, v in shared.items() if n in known}, **own}
    eval_rows = _rows(config, given["eval"], stage.method) if last and "eval" in given else None
    return Plan(stage, translated, arguments, rows, eval_rows)


def _rows(config: TrainConfig, source: data.Source, method: str) -> Dataset:
    rows = data.load(source, method, config.columns)
    if config.data.system_prompt is None and config.data.template is None:
        return rows
    return data.asked(rows, config.data.system_prompt, config.data.template)


def _run_stage(
    plan: Plan,
    config: TrainConfig,
    reward: Reward,
    credit: Credit,
    model_name: str,
    folder: Path,
    record: RunRecord,
    main: bool,
) -> None:
    from sightline.train import model as models
    from sightline.train.metrics import MetricsLog
    from sightline.train.rollouts import RolloutLog

    stage, output = plan.stage, Path(config.output)
    options = dict(plan.arguments.get("model_init_kwargs") or {})
    start = models.without_adapter(model_name, output / plan.folder / "start", options)
    model, processor = models.load_model(start, **options)
    unused = models.prepare(model, processor, plan.recipe.processor, plan.recipe.model)
    notes = [*plan.recipe.notes, *unused]
    for note in notes:
        logger.warning("stage %s: not applied: %s", stage.name, note)
    record.note(stage.name, status="running", method=stage.method, model=start, trl=dict(plan.arguments), notes=notes)
    rollouts = output / plan.rollouts if config.rollouts and stage.method == "grpo" else None
    log = MetricsLog(output / "metrics.jsonl", stage.name, None if rollouts is None else RolloutLog(rollouts))
    shared: dict[str, Any] = {
        "eval_dataset": plan.eval_rows,
        "peft_config": models.lora({**plan.recipe.peft, **config.peft}, bool(plan.recipe.model.get("freeze_vision"))),
        "callbacks": [log],
        "resume": config.resume,
        **{"report_to": "none", **plan.arguments},
        "output_dir": str(output / plan.folder),
    }
    if main:
        record.write()
    begun = time.time()
    trainer: Any = (
        stages.sft(model, processor, plan.rows, **shared)
        if stage.method == "sft"
        else stages.grpo(model, processor, reward, credit, plan.rows, rollouts=rollouts, **shared)
    )
    _keep(trainer, processor, folder)
    last = trainer.state.log_history[-1] if trainer.state.log_history else {}
    record.note(stage.name, status="finished", steps=trainer.state.global_step, seconds=time.time() - begun, last=last)
    if main:
        record.write()


def _keep(trainer: Any, processor: Any, folder: Path) -> None:
    """Save the trained model, or its adapter, with the processor."""
    trainer.save_model(str(folder))
    if trainer.accelerator.is_main_process:
        processor.save_pretrained(folder)
    trainer.accelerator.wait_for_everyone()


def _check_free(output: Path, record: RunRecord, resume: bool) -> None:
    if record.path.exists() and not resume:
        raise ConfigError(f"{output} holds a run already: give resume=true to go on with it, or another output")


def _about(config: TrainConfig, reward: Reward, credit: Credit, skipped: Sequence[str]) -> dict[str, Any]:
    import platform
    from importlib.metadata import version

    packages = ("sightline", "torch", "transformers", "trl", "peft", "accelerate", "datasets", "numpy")
    return {
        "config": config.model_dump(),
        "reward": repr(reward),
        "credit": repr(credit),
        "skipped": list(skipped),
        "started": time.time(),
        "versions": {"python": platform.python_version(), **{name: _version(version, name) for name in packages}},
    }


def _version(version: Any, name: str) -> str:
    from importlib.metadata import PackageNotFoundError

    try:
        return str(version(name))
    except PackageNotFoundError:
        return "not installed"
