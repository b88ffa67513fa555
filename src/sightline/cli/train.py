"""`sightline train`: a system's reward and recipe on your model and data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sightline.cli import names
from sightline.core.errors import ConfigError

if TYPE_CHECKING:
    from sightline.credit.credit import Credit
    from sightline.rewards.reward import Reward
    from sightline.system import Stage
    from sightline.train.config import TrainConfig

Engine = Literal["trl", "verl"]


def train(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[CONFIG.yaml] [key=value ...]", help="A YAML file, then overrides.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="Slug of the system.")] = None,
    model: Annotated[str | None, typer.Option(help="Folder or name of the model to start from.")] = None,
    data: Annotated[str | None, typer.Option(help="JSON lines, Parquet, or a folder saved by `datasets`.")] = None,
    output: Annotated[str | None, typer.Option(help="Folder that the run writes to.")] = None,
    judge: Annotated[
        str | None, typer.Option(help="Who answers the reward's questions, in the forms that `sightline score` takes.")
    ] = None,
    judge_cache: Annotated[str | None, typer.Option(help="sqlite file that keeps verdicts.")] = None,
    judge_key: Annotated[str | None, typer.Option(help="Environment variable that holds the server's key.")] = None,
    variant: Annotated[str | None, typer.Option(help="strict or official.")] = None,
    stage: Annotated[str | None, typer.Option(help="Run only this stage (its name, sft or grpo).")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last whole checkpoint.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Check the data and show what would be run.")] = False,
    engine: Annotated[Engine, typer.Option(help="trl, here; or verl, on Ray.")] = "trl",
    ray_address: Annotated[str, typer.Option(help="verl: a Ray cluster that runs; else one is started here.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="verl: write its files and print its command.")] = False,
    loose: Annotated[
        bool, typer.Option("--loose", help="verl: leave out what it cannot carry of the recipe, instead of refusing.")
    ] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of the configuration.")] = False,
) -> None:
    """Post-train a model on a system's reward with the paper's recipe.

    The recipe is the default, a YAML file overrides it, options and key=value words override the file:

        sightline train run.yaml recipe.group_size=4 trl.use_vllm=true

        sightline train --system vlm-r1 --model MODEL --data rows.jsonl --output runs/first

    Several devices: accelerate launch -m sightline.cli.main train run.yaml

    On Ray: sightline train --engine verl --system vlm-r1 ... verl.trainer.n_gpus_per_node=8
    """
    from sightline.train.config import json_schema, load_config

    if schema:
        import json

        typer.echo(json.dumps(json_schema(), indent=2))
        return
    given = {"system": system, "model": model, "data": data, "output": output, "variant": variant, "stage": stage}
    asked = {"judge": judge, "judge_cache": judge_cache, "judge_key": judge_key}
    path, overrides = split_words(words or [])
    config = load_config(path, overrides, **given, **asked, resume=resume or None)
    if engine == "verl":
        from sightline.cli.train_verl import run as run_verl

        raise typer.Exit(run_verl(config, ray_address, "plan" if plan else "files" if dry_run else "run", loose))
    if ray_address or dry_run or loose:
        raise ConfigError("--ray-address, --dry-run and --loose belong to --engine verl")
    run(config, only_plan=plan)


def split_words(words: Sequence[str]) -> tuple[Path | None, list[str]]:
    """The configuration file, if the first word is one, and the key=value words.

    Example:
        >>> split_words(["run.yaml", "model=m"])
        (PosixPath('run.yaml'), ['model=m'])
    """
    if words and "=" not in words[0]:
        return Path(words[0]), list(words[1:])
    return None, list(words)


def run(config: TrainConfig, only_plan: bool = False) -> None:
    """Resolve names to values, then train, or only show what would be done."""
    reward, credit, stages = resolved(config)
    if only_plan:
        _show_plan(config, reward, stages)
        return
    from sightline.train.run import train as train_stages

    done = train_stages(config, reward, credit, stages)
    typer.echo(f"model    {done.model}\nmetrics  {done.metrics}\nrollouts {done.rollouts}\nrecord   {done.record}")


def resolved(config: TrainConfig) -> tuple[Reward, Credit, tuple[Stage, ...]]:
    """Reward, credit and stages that a configuration names.

    Raises:
        UnknownSystem, ConfigError: a name stands for nothing, or the reward asks a judge and none can be reached so.
    """
    from sightline import system
    from sightline.credit.group_relative import GroupRelative
    from sightline.rewards.reward import with_judge

    judge = None
    if config.judge is not None:
        judge = names.judge_named(config.judge, config.judge_cache or "", config.judge_key or "")
    if config.reward is not None:
        own = names.reward_named(config.reward)
        return own if judge is None else with_judge(own, judge), GroupRelative(), (system.Stage("GRPO", "grpo"),)
    found = system.load(str(config.system))
    found = found if judge is None else found.with_judge(judge)
    reward = found.variant(config.variant, config.plus, config.minus)
    if judge is None:
        names.tell_default_judge(reward)
    return reward, found.credit, found.recipe


def _show_plan(config: TrainConfig, reward: Reward, stages: Sequence[Stage]) -> None:
    """What would run: stages, rows, and every argument that TRL gets."""
    from sightline.train.run import check_rows, planned

    plans, skipped = planned(config, stages, config.data.given())
    check_rows(plans, reward)
    for plan in plans:
        typer.echo(f"{plan.stage.name} ({plan.stage.method}), {len(plan.rows)} rows")
        arguments = {**plan.arguments, **plan.recipe.peft, **plan.recipe.processor, **plan.recipe.model}
        for name, value in arguments.items():
            typer.echo(f"  {name} = {value}")
        for note in plan.recipe.notes:
            typer.echo(f"  not applied: {note}")
    for name in skipped:
        typer.echo(f"{name}: skipped, no data was given for it")
