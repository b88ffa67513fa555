"""`sightline view`: a page about a scored file or a training run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def view(
    path: Annotated[Path, typer.Argument(metavar="FILE|RUN", help="What `score` wrote, or the folder of a run.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The HTML file.")],
    title: Annotated[str, typer.Option(help="Title of the page.")] = "",
    shown: Annotated[int, typer.Option(min=1, help="How many of the worst and of the best rollouts to show.")] = 12,
) -> None:
    """Write a page about results or a run.

    One HTML file that holds all it shows: distributions, curves, worst and best rollouts with pictures and reasons.
    """
    from sightline.view import report

    written = report(path, out, title=title, shown=shown)
    typer.echo(f"report  {written} ({written.stat().st_size / 1e6:.1f} MB)")
