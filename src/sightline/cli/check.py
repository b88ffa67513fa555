"""`sightline check`: promises of a system, and vectors against it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sightline.check.vectors import Case
    from sightline.system import System

BROKEN = 1  # exit code


def check(
    slug: Annotated[str, typer.Argument(help="The system's slug.")],
    vectors: Annotated[Path | None, typer.Option(help="Vector file: cases with the numbers that are expected.")] = None,
) -> None:
    """Check the promises of a system.

    With --vectors also whether it reproduces every case of a file: each is printed with what was expected and got.
    """
    from sightline.check import read
    from sightline.system import load

    system = load(slug)
    cases = [] if vectors is None else read(vectors)
    good = _promises(system)
    if vectors is not None:
        good = _vectors(system, cases) and good
    if not good:
        raise typer.Exit(BROKEN)


def _promises(system: System) -> bool:
    from sightline.check import PROMISES, PromiseBroken

    good = True
    variants = (
        {"strict": system.reward}
        if system.official is None
        else {
            "strict": system.reward,
            "official": system.official,
        }
    )
    for variant, reward in variants.items():
        for promise in PROMISES:
            try:
                promise(reward, system.specimen)
                _line(True, f"{variant}: {promise.__name__.replace('_', ' ')}")
            except PromiseBroken as broken:
                good = False
                _line(False, f"{variant}: {promise.__name__.replace('_', ' ')}: {broken}")
    return good


def _vectors(system: System, cases: Sequence[Case]) -> bool:
    from sightline.check import run

    results = run(system, cases)
    for result in results:
        _line(result.passed, result.what)
        for name in {**_named(result.expected), **_named(result.got)}:
            wanted, got = _named(result.expected).get(name, "–"), _named(result.got).get(name, "–")
            typer.echo(f"       {name}: expected {wanted}, got {got}")
    passed = sum(result.passed for result in results)
    typer.echo(f"{passed} of {len(results)} cases pass")
    return passed == len(results)


def _named(values: Any) -> dict[str, Any]:
    return values if isinstance(values, dict) else {"value": values}


def _line(good: bool, text: str) -> None:
    typer.secho("  ok   " if good else "  FAIL ", fg="green" if good else "red", nl=False)
    typer.echo(text)
