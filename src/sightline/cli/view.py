"""`sightline view`: a scored file or a training run, live in a browser or as one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sightline.cli import names
from sightline.core.errors import ConfigError

if TYPE_CHECKING:
    from sightline.view.questions import Recall

Words = list[str] | None


def view(
    path: Annotated[Path, typer.Argument(metavar="FILE|RUN", help="What `score` wrote, or the folder of a run.")],
    out: Annotated[
        Path | None,
        typer.Option("--static", "--out", "-o", help="Write one HTML file that needs no server, and stop."),
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the page.")] = "",
    shown: Annotated[
        int, typer.Option(min=1, help="With --static: how many of the worst and of the best rollouts to show.")
    ] = 12,
    beside: Annotated[Path | None, typer.Option(help="The same rollouts scored by another system or variant.")] = None,
    judge_cache: Annotated[
        Path | None, typer.Option(help="sqlite file of verdicts: shows what judges were asked; needs --system.")
    ] = None,
    system: Annotated[str, typer.Option(help="With --judge-cache: slug of the system that scored FILE.")] = "",
    variant: Annotated[str, typer.Option(help="strict or official.")] = "strict",
    plus: Annotated[Words, typer.Option(help="Extras of the system that were added.")] = None,
    minus: Annotated[Words, typer.Option(help="Parts of the system that were left out.")] = None,
    reward: Annotated[str, typer.Option(help="Instead of --system, a reward of your own: package.module:NAME.")] = "",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one. [default: 7870]")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only say where the page is.")] = False,
) -> None:
    """Look at results or a run.

    A page in the browser, served to this machine only: filter and order rollouts, see each with its pictures, boxes,
    text and reasons, its group, and what another system pays for it. With --static one HTML file instead.

    sightline view scored.parquet

    sightline view strict.parquet --beside official.parquet

    sightline view runs/evidence --static report.html
    """
    if out is not None:
        from sightline.view import report

        if beside is not None or judge_cache is not None:
            raise ConfigError("--static shows one result without its judge; leave out --beside and --judge-cache")
        written = report(path, out, title=title, shown=shown)
        typer.echo(f"report  {written} ({written.stat().st_size / 1e6:.1f} MB)")
        return
    from sightline.view.desk import Desk
    from sightline.view.inspector import Inspector
    from sightline.view.live import serve

    recall = None if judge_cache is None else _recall(judge_cache, system, variant, (plus, minus), reward)
    desk = Desk(lambda: Inspector.of(path, beside, title, recall), [path] if beside is None else [path, beside])
    serve(desk, port, lambda address: _tell(address, not no_browser))


def _recall(cache: Path, system: str, variant: str, changes: tuple[Words, Words], reward: str) -> Recall:
    from sightline import system as record
    from sightline.media.located import MEDIA, located
    from sightline.view.questions import Recall

    if bool(system) == bool(reward):
        raise ConfigError("--judge-cache: say what scored the file: --system SLUG, or --reward package.module:NAME")
    plus, minus = (names.listed(words or ()) for words in changes)
    rewarded = names.reward_named(reward) if reward else record.load(system).variant(variant, plus, minus)
    return Recall(rewarded, cache, located, MEDIA)


def _tell(address: str, opened: bool) -> None:
    typer.echo(f"inspector  {address}  (Ctrl-C stops it)")
    if opened:
        import webbrowser

        webbrowser.open(address)
