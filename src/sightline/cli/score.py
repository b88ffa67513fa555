"""`sightline score`: a rollout file through a system or a reward of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sightline.cli import names
from sightline.core.errors import ConfigError

if TYPE_CHECKING:
    from sightline.rewards.reward import Reward
    from sightline.scoring import Cluster, Options, Source, Summary

Words = list[str] | None


def score(
    file: Annotated[Path, typer.Argument(help="JSON lines, a JSON list, Parquet, or a folder of such files.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Parquet file for the results.")],
    system: Annotated[str, typer.Option(help="Slug of the system; `sightline systems` lists them.")] = "",
    variant: Annotated[str, typer.Option(help="strict or official.")] = "strict",
    plus: Annotated[Words, typer.Option(help="Extras of the system to add.")] = None,
    minus: Annotated[Words, typer.Option(help="Parts of the system to leave out.")] = None,
    reward: Annotated[str, typer.Option(help="A reward of your own: package.module:NAME.")] = "",
    judge: Annotated[
        str,
        typer.Option(
            help="Who is asked: openai:BASE_URL#MODEL, local:FOLDER, replay:FILE or stub; who embeds: minilm, "
            "sentences:MODEL or dual:MODEL."
        ),
    ] = "",
    judge_cache: Annotated[str, typer.Option(help="sqlite file that keeps verdicts.")] = "",
    judge_key: Annotated[str, typer.Option(help="Environment variable that holds the server's key.")] = "",
    map_: Annotated[
        Words, typer.Option("--map", help="NAME=COLUMN, or a place in a column: answer=gt[0], answer=meta.truth.")
    ] = None,
    set_: Annotated[Words, typer.Option("--set", help="NAME=VALUE, the same for every row; JSON or text.")] = None,
    explode: Annotated[
        Words, typer.Option(help="Columns that hold lists: every element becomes a rollout, the row its group.")
    ] = None,
    group: Annotated[Words, typer.Option(help="Columns that together make a group.")] = None,
    gather: Annotated[bool, typer.Option("--gather", help="Rows of one group may lie apart.")] = False,
    dialect: Annotated[
        str,
        typer.Option(
            help="sightline, trl, verl, ms-swift, nemo-rl, nemo-gym, verifiers, slime or openai-batch; told from the "
            "columns by default."
        ),
    ] = "",
    join: Annotated[Path | None, typer.Option(help="Data with columns that the file lacks, such as pictures.")] = None,
    on: Annotated[
        str, typer.Option(help="The id that file and data share: NAME, or NAME_IN_FILE=NAME_IN_DATA.")
    ] = "custom_id",
    tokenizer: Annotated[str, typer.Option(help="Counts the column completion_tokens where there is none.")] = "",
    lean: Annotated[bool, typer.Option("--lean", help="Leave the columns of the file out of the results.")] = False,
    workers: Annotated[
        str, typer.Option(help="Processes, for rewards that ask no judge; auto: as many as the file deserves.")
    ] = "auto",
    engine: Annotated[str, typer.Option(help="local, or ray: tasks for rollouts, actors for judges.")] = "local",
    ray_address: Annotated[
        str, typer.Option(help="host:port of a Ray cluster; else RAY_ADDRESS, else a Ray on this machine for this run.")
    ] = "",
    judges: Annotated[
        int, typer.Option(help="Ray actors that hold each judge; by default one, and none for a judge behind HTTP.")
    ] = 0,
    judge_gpus: Annotated[float, typer.Option(help="GPUs of each of these actors.")] = 0.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what was scored before.")] = False,
    input_changed: Annotated[
        bool, typer.Option("--input-changed", help="Go on although the file changed: rows scored so far are the same.")
    ] = False,
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Score again what a failed judge or sandbox left unscored.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Also write an HTML report.")] = None,
) -> None:
    """Score a file of rollouts.

    Killed at any moment, the same command goes on where it stopped.

    sightline score rollouts.jsonl --system visual-rft --set task=detection -o scored.parquet --report scored.html

    sightline score pairs.json --reward mine:total --explode response --map completion=response -o scored.parquet
    """
    from sightline import system as record
    from sightline.rewards.reward import with_judge
    from sightline.scoring import Options, Source

    if bool(system) == bool(reward):
        raise ConfigError("say what to score with: --system SLUG, or --reward package.module:NAME")
    changes = names.listed(plus or ()), names.listed(minus or ())
    rewarded = names.reward_named(reward) if reward else record.load(system).variant(variant, *changes)
    if judge:
        rewarded = with_judge(rewarded, names.judge_named(judge, judge_cache, judge_key))
    names.tell_unused(rewarded, (word.partition("=")[0] for word in (*(map_ or ()), *(set_ or ()))), judge)
    source = Source(
        file,
        dialect,
        names.pairs(map_ or (), "--map"),
        names.constants(set_ or ()),
        names.listed(explode or ()),
        names.listed(group or ()),
        gather,
        names.joined(join, on),
    )
    cluster = _cluster(engine, ray_address, judges, judge_gpus)
    options = Options(_number(workers), fresh, input_changed, retry_errors, cluster=cluster)
    _show(_scored(source, rewarded, out, tokenizer, lean, options))
    if system and not judge:
        names.tell_default_judge(rewarded)
    if report is not None:
        from sightline.view import report as write_report

        typer.echo(f"report  {write_report(out, report)}")


def _cluster(engine: str, address: str, judges: int, gpus: float) -> Cluster | None:
    from sightline.scoring import Cluster

    if engine == "ray":
        return Cluster(address, judges, gpus)
    if engine != "local":
        raise ConfigError(f"--engine {engine}: needs local or ray")
    given = {"--ray-address": address, "--judges": judges, "--judge-gpus": gpus}
    if any(given.values()):
        raise ConfigError(f"{next(name for name, value in given.items() if value)} belongs to --engine ray")
    return None


def _number(workers: str) -> int:
    if workers == "auto":
        return 0
    if not workers.isdecimal():
        raise ConfigError(f"--workers {workers}: needs a number, or auto")
    return int(workers)


def _scored(source: Source, reward: Reward, out: Path, tokenizer: str, lean: bool, options: Options) -> Summary:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    from sightline.scoring import score_file

    class Rate(ProgressColumn):
        def render(self, task: object) -> Text:
            speed = getattr(task, "finished_speed", None) or getattr(task, "speed", None)
            return Text(f"{speed:,.0f}/s" if speed else "", style="cyan")

    columns = (TextColumn("scoring"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("scoring", total=None)
        return score_file(
            source,
            reward,
            out,
            tokenizer=tokenizer,
            lean=lean,
            options=options,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _show(summary: Summary) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("part", box=None, header_style="dim")
    for heading in ("mean", "std", "lowest", "highest", "scored", "nothing to judge", "failed"):
        table.add_column(heading, justify="right")
    for part in summary.parts:
        span = (part.low, part.high) if part.count else (float("nan"), float("nan"))
        numbers = [f"{value:.4g}" if value == value else "–" for value in (part.mean, part.std, *span)]
        failed = f"[red]{part.errors:,}[/]" if part.errors else "0"
        table.add_row(part.name, *numbers, f"{part.count:,}", f"{part.abstained:,}", failed)
    Console().print(table)
    again = summary.rollouts - summary.scored
    before = f", {again:,} of them scored before" if again else ""
    speed = f", {summary.per_second:,.0f} rollouts/s" if summary.scored else ""
    how = f"\nscored by {summary.how}" if summary.how else ""
    size = f"{_count(summary.rollouts, 'rollout')} in {_count(summary.groups, 'group')}"
    typer.echo(f"{size}{before}{speed}{how}\nresults {summary.out}")
    for note in summary.notes:
        typer.secho(f"note: {note}", fg="yellow", err=True)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
