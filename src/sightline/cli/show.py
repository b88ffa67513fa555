"""`sightline systems` and `sightline show`: what there is, and what one system does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from sightline.rewards.reward import Reward
    from sightline.system import Stage, System

JUDGES = "stub, replay:FILE, local:FOLDER or openai:BASE_URL#MODEL"

UNCUT = 250  # columns of a list that goes into a file or a pipe
_ADDRESS = re.compile(r"<function ([\w.]+) at 0x[0-9a-f]+>")  # a rule's function goes by its name


def systems(
    as_json: Annotated[bool, typer.Option("--json", help="All that is known of them, for programs.")] = False,
    only_names: Annotated[bool, typer.Option("--names", help="Only the slugs, one a line.")] = False,
) -> None:
    """List all systems."""
    from sightline.system import load, names

    if only_names:
        typer.echo("\n".join(names()))
        return
    found = [load(slug) for slug in names()]
    if as_json:
        typer.echo(json.dumps([_record(system) for system in found], indent=2))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console = console if console.is_terminal else Console(width=UNCUT)
    slugs, families = (max(map(len, column)) for column in zip(*((one.slug, one.family) for one in found), strict=True))
    lines = [Text(f"{'system':{slugs}}  {'arXiv':10}  judge  {'rewards':{families}}  title", "dim")]
    for one in found:
        rest = f"  {one.arxiv:10}  {'asks' * one.judged:5}  {one.family:{families}}  {one.title}"
        lines.append(Text.assemble((f"{one.slug:{slugs}}", "bold"), rest))
    for line in lines:
        console.print(line, no_wrap=True, overflow="ellipsis")  # a line a system


def show(slug: Annotated[str, typer.Argument(help="The system's slug.")]) -> None:
    """Show one system: formula, columns, parts, recipe.

    Also where it departs from the paper, its credit rule, and the recipe beside the names of TRL.
    """
    from rich.console import Console

    from sightline.system import load

    system = load(slug)
    console = Console(highlight=False)
    console.print(f"[bold]{system.slug}[/]  {_plain(system.title)}")
    console.print(f"[dim]arXiv {system.arxiv}, {system.year}; {_plain(system.family)}[/]\n")
    console.print(_plain(system.formula), soft_wrap=True)
    _reads(console, system)
    _parts(console, system)
    extras = tuple(f"{name}: {extra.what}" for name, extra in system.extras.items())
    _list(console, "extras, rewards that can be added by name", extras)
    _list(console, "strict departs from the paper or its code", system.departs)
    _heading(console, "credit")
    console.print("  " + _plain(_ADDRESS.sub(r"\1", repr(system.credit))), soft_wrap=True)
    for stage in system.recipe:
        _stage(console, stage)


def part_list(reward: Reward) -> list[tuple[str, float, float]]:
    """(name, lowest, highest) of every part of an expression, in reading order; cases may share a name."""
    from sightline.rewards.algebra import Named

    bounds: dict[str, list[tuple[float, float]]] = {}
    for node in reward.walk():
        if isinstance(node, Named):
            bounds.setdefault(node.name, []).append(node.bounds())
    return [(name, min(low for low, _ in ends), max(high for _, high in ends)) for name, ends in bounds.items()]


def _record(system: System) -> dict[str, Any]:
    return {
        "slug": system.slug,
        "title": system.title,
        "arxiv": system.arxiv,
        "year": system.year,
        "family": system.family,
        "formula": system.formula,
        "parts": [name for name, _, _ in part_list(system.reward)],
        "range": list(system.reward.bounds()),
        "columns": dict(system.columns),
        "extras": {name: extra.what for name, extra in system.extras.items()},
        "variants": ["strict"] if system.official is None else ["strict", "official"],
        "judged": system.judged,
        "departs": list(system.departs),
    }


def _reads(console: Console, system: System) -> None:
    _heading(console, "columns it reads, beside completion")
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name, what in system.columns.items():
        table.add_row(f"  [bold]{name}[/]", _plain(what))
    console.print(table)


def _parts(console: Console, system: System) -> None:
    from sightline.rewards.formula import expression

    variants = {"strict": system.reward}
    if system.official is not None:
        variants["official"] = system.official
    for variant, reward in variants.items():
        low, high = reward.bounds()
        _heading(console, f"{variant}: reward in [{low:g}, {high:g}], made of")
        console.print(f"  {_plain(expression(reward))}", soft_wrap=True)
        for name, lowest, highest in part_list(reward):
            console.print(f"  [bold]{name}[/]  {_plain(f'[{lowest:g}, {highest:g}]')}")
    if system.official is None:
        console.print("  official: the same")
    if system.judged:
        from sightline.rewards.reward import JudgedReward

        abilities = {node.ability for node in system.reward.walk() if isinstance(node, JudgedReward)}
        named = "minilm, sentences:MODEL or dual:MODEL" if abilities == {"embed"} else JUDGES
        console.print(f"  asks a judge: --judge {named}")


def _stage(console: Console, stage: Stage) -> None:
    from rich.table import Table

    from sightline.train.recipe import describe

    _heading(console, f"recipe, {stage.name} ({stage.method})")
    table = Table("setting", "paper", "in", "stands there as", box=None, header_style="dim", padding=(0, 2))
    for row in describe(stage):
        table.add_row(*(_plain(str(cell)) for cell in row))
    console.print(table)


def _list(console: Console, heading: str, items: tuple[str, ...]) -> None:
    if items:
        _heading(console, heading)
        for item in items:
            console.print(f"  - {_plain(item)}")


def _heading(console: Console, text: str) -> None:
    console.print(f"\n[cyan]{_plain(text)}[/]")


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
