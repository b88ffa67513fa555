"""`sightline lab` and `sightline demo`: what a system does to a small model, for real, on this machine."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from sightline.core.errors import MissingExtra


def lab(
    slug: Annotated[str, typer.Argument(help="The system's slug.")],
    seeds: Annotated[int | None, typer.Option(min=1, help="How many seeds; by default the experiment's.")] = None,
    first_seed: Annotated[
        int | None, typer.Option(min=0, help="The first of them; by default the experiment's.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="A folder of retrained weights (sightline.lab.models.cold_start writes them).")
    ] = None,
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

    _need_lab()
    experiment = load(slug)
    seeds = seeds or len(experiment.seeds)
    first = experiment.seeds[0] if first_seed is None else first_seed
    wanted = range(first, first + seeds)
    command = f"sightline lab {slug} --seeds {seeds}" + (f" --first-seed {first}" if first else "")
    if weights is not None:
        os.environ["SIGHTLINE_LAB_WEIGHTS"] = str(weights.absolute())  # inherited by the processes that measure
        folder, command = folder / weights.name, f"{command} --weights {weights}"
    results = {}
    for arm, seed, figures in conduct(experiment, wanted, folder / module_name(slug), processes):
        results[arm, seed] = figures
        shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        typer.echo(f"{arm}, seed {seed}: {shown}", err=True)
    page = document(experiment, results, command)
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
    _need_lab()
    from sightline.lab.demo import demo as run_demo

    run_demo(folder)


def _need_lab() -> None:
    """Say what to install before anything of the lab is loaded."""
    missing = [name for name in ("torch", "trl", "sklearn") if find_spec(name) is None]
    if missing:
        raise MissingExtra.of(f"the lab ({', '.join(missing)} not found)", "lab")
