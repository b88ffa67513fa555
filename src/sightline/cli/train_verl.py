"""`sightline train --engine verl`: the recipe, the data and the reward of a configuration for verl, and its launch."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from sightline.cli import names
from sightline.cli.train import resolved
from sightline.core.errors import CompositionError, ConfigError

if TYPE_CHECKING:
    from datasets import Dataset

    from sightline.credit.credit import Credit
    from sightline.rewards.reward import Reward
    from sightline.system import Stage
    from sightline.train.config import TrainConfig
    from sightline.train.verl_recipe import VerlRecipe

Until = Literal["plan", "files", "run"]
DEVICES = "trainer.n_gpus_per_node"


def run(config: TrainConfig, address: str = "", until: Until = "run", loose: bool = False) -> int:
    """Run one `grpo` stage with verl, or stop before.

    Args:
        address: of a Ray cluster; empty: verl starts one here.
        until: `plan` shows what would be run, `files` writes everything and prints the command, `run` runs it.
        loose: leave out what verl cannot carry, and say so, instead of refusing.

    Returns: verl's exit status, 0 if it was not run.

    Raises:
        ConfigError: a setting of the recipe is lost and `loose` is not given, or something else is wrong.
        CompositionError: verl cannot carry the reward, or the credit rule and `loose` is not given.
        ColumnError: the data lack what the reward reads.
        MissingExtra: verl is not installed.
    """
    from sightline.adapters import verl_run, verl_words
    from sightline.train import data, verl_recipe
    from sightline.train import run as runs

    if until == "run":
        verl_run.needs_verl()
    reward, credit, stages = resolved(config)
    stage = _stage(config, stages)
    _check_own(config)
    rows = _rows(config, stage)
    tested = None if config.data.eval is None else _loaded(config, config.data.eval)
    for one in (rows, tested):
        if one is not None:
            data.check(reward, one)
    name = f"{config.system or 'own'}-{stage.name}".replace(" ", "-")
    recipe = verl_recipe.translate(runs.settings_of(config, stage), len(rows), name)
    carried, unused = _carried(reward, credit, recipe, loose)
    own = verl_words.flat(config.verl)
    told = [*recipe.told, *([] if DEVICES in own else [f"verl's default is 8 devices a node: set verl.{DEVICES}"])]
    made = verl_run.Run(
        _wanted(config),
        reward,
        carried,
        config.model,
        Path(config.output),
        recipe.overrides,
        own,
        address,
        config.resume,
        {"lost": unused, "told": told},
        {"config": config.model_dump()},
    )
    if until == "plan":
        typer.echo(f"{stage.name} (grpo, verl), {len(rows)} rows")
        for line in verl_run.command(made, 0 if tested is None else len(tested))[3:]:
            typer.echo(f"  {line}")
        return _told(unused, told)
    asked = None if tested is None else _Rows(tested)
    words = verl_run.prepare(made, _Rows(rows), asked, recipe.pixels, recipe.test_pixels)
    _told(unused, told)
    if until == "files":
        typer.echo((made.folder / "verl.sh").read_text("utf-8"))
        return 0
    return verl_run.launch(made, words)


class _Rows:
    """The rows of a data set, each time anew, with pictures as they are stored."""

    def __init__(self, rows: Dataset) -> None:
        self.rows = rows

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return _plain(self.rows)


def _plain(rows: Dataset) -> Iterator[Mapping[str, Any]]:
    """Rows with pictures undecoded: what is written is what was given."""
    from datasets import Image, List

    for name, feature in (("images", List(Image(decode=False))), ("image", Image(decode=False))):
        if name in rows.column_names:
            rows = rows.cast_column(name, feature)
    yield from rows


def _stage(config: TrainConfig, stages: Sequence[Stage]) -> Stage:
    """The one stage that is to be run."""
    chosen = [stage for stage in stages if config.stage in (None, stage.name, stage.method) and stage.method == "grpo"]
    if len(chosen) == 1:
        return chosen[0]
    held = [stage.name for stage in chosen or stages]
    if chosen:
        raise ConfigError(f"verl runs one stage at a time: choose one of {held} with --stage, and its start as --model")
    raise ConfigError(f"verl runs `grpo` stages; there is none that is called so among {held}. SFT: --engine trl")


def _check_own(config: TrainConfig) -> None:
    for name in ("peft", "trl"):
        if getattr(config, name):
            raise ConfigError(f"`{name}` holds arguments that verl does not know; give `verl` those of its own")


def _rows(config: TrainConfig, stage: Stage) -> Dataset:
    """The stage's rows, asked as they will be."""
    from sightline.train import data, recipe
    from sightline.train import run as runs

    source = runs.source_of(stage, {**_given(config), **config.data.stages})
    if source is None:
        raise ConfigError(f"stage {stage.name} has no data: give data.grpo")
    wanted = recipe.translate(runs.settings_of(config, stage), "grpo").data.get("rows") or {}
    found = data.picked(_loaded(config, source), wanted)
    if not len(found):
        raise ConfigError(f"stage {stage.name} takes rows with {wanted}, and the data have none")
    return found


def _given(config: TrainConfig) -> dict[str, Any]:
    return {"grpo": config.data.grpo} if config.data.grpo is not None else {}


def _loaded(config: TrainConfig, source: Any) -> Dataset:
    from sightline.train import data

    rows = data.load(source, "grpo", config.columns)
    return data.asked(rows, config.data.system_prompt, config.data.template)


def _wanted(config: TrainConfig) -> Any:
    from sightline.adapters.export import Wanted

    cache = config.judge_cache and str(Path(config.judge_cache).absolute())
    asked = (names.standing(config.judge), cache or "", config.judge_key or "") if config.judge else ()
    changes = tuple(config.plus), tuple(config.minus)
    return Wanted(config.system or "", config.variant, *changes, asked, own=config.reward or "")


def _carried(reward: Reward, credit: Credit, recipe: VerlRecipe, loose: bool) -> tuple[Credit | None, list[str]]:
    """The credit rule, or None for verl's own, and everything that verl cannot carry."""
    from sightline.adapters import verl_credit
    from sightline.train import verl_recipe

    if refused := verl_recipe.not_carried(reward):
        raise CompositionError("; ".join(refused))
    reason = verl_credit.not_carried(credit)
    lost = [*recipe.lost, *([f"credit: {reason}"] if reason else [])]
    if lost and not loose:
        kind = CompositionError if reason else ConfigError
        listed = "".join(f"\n  {line}" for line in lost)
        raise kind(f"verl cannot carry this; --loose leaves it out, --engine trl has it:{listed}")
    return None if reason else credit, lost


def _told(lost: Sequence[str], told: Sequence[str]) -> int:
    for line in lost:
        print(f"not carried: {line}", file=sys.stderr)
    for line in told:
        print(f"note: {line}", file=sys.stderr)
    return 0
