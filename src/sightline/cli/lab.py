"""`sightline lab` and `sightline demo`: what a system does to a small model, for real, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def lab(
    slug: Annotated[str, typer.Argument(help="The system's slug.")],
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds; 0, 1, 2, ...")] = 3,
    folder: Annotated[Path, typer.Option(help="Where results are kept; what is there is not measured again.")] = Path(
        "runs/lab"
    ),
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the page to this file.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Arms measured at once.")] = 2,
) -> None:
    """Run a system's experiment in the lab.

    The paper's claim as a comparison of arms, with confidence intervals over seeds.
    """
    from sightline.lab.experiment import conduct, document, load
    from sightline.system import module_name

    experiment = load(slug)
    results = {}
    for arm, seed, figures in conduct(experiment, range(seeds), folder / module_name(slug), processes):
        results[arm, seed] = figures
        shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        typer.echo(f"{arm}, seed {seed}: {shown}", err=True)
    page = document(experiment, results, f"sightline lab {slug} --seeds {seeds}")
    typer.echo(page)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, "utf-8")


def demo(
    folder: Annotated[Path, typer.Option(help="Where the run and its report go.")] = Path("runs/demo"),
) -> None:
    """Post-train a tiny model in minutes.

    A vision-language model learns with video-ver; a report shows what it earned and why.
    """
    from sightline.lab.demo import demo as run_demo

    run_demo(folder)
