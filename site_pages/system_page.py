"""A page per system from its record, its vectors and its lab table; nothing here is typed by hand."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sightline.cli.show import part_list
from sightline.core.batch import Batch
from sightline.core.errors import MissingExtra
from sightline.core.scores import Scores
from sightline.rewards.reward import JudgedReward
from sightline.system import System, module_name
from sightline.train.recipe import describe
from site_pages import lab_tables, worked_examples
from site_pages.markdown import block, code, docstring, folded, label, plain, prose, table

if TYPE_CHECKING:
    from sightline.rewards.reward import Reward
    from sightline.system import Stage

UNSEARCHED = ("Official gives, strict gives", "The whole file", "What it gives on its specimen")
_FORMULAS, _NEXT = re.compile(r"[;,] {2,}"), "\n"  # a record writes its formulas in one line
_ADDRESS = re.compile(r"<function ([\w.]+) at 0x[0-9a-f]+>")


def page(system: System, root: Path, lab: Sequence[lab_tables.LabTable]) -> str:
    """The page of one system.

    Args:
        system: its record.
        root: the project's folder, for vectors.
        lab: all lab tables.
    """
    module = importlib.import_module(f"sightline.systems.{module_name(system.slug)}")
    sections = {
        "": _head(system),
        "What it rewards": docstring(inspect.getdoc(module) or ""),
        "Use it": _use(system),
        "Columns it reads": table(
            ["column", "holds"], [(label(column), prose(what)) for column, what in system.columns.items()]
        ),
        "Parts": _parts(system),
        "Extras": _extras(system),
        "Where strict departs from the paper or its code": _listed(system.departs),
        "What it gives on its specimen": _specimen(system),
        "Official gives, strict gives": worked_examples.page(
            root / "tests" / "vectors" / f"{module_name(system.slug)}.json", system.official is None
        ),
        "In the lab": lab_tables.section(lab, system.slug, "../"),
        "Credit": block(_ADDRESS.sub(r"\1", repr(system.credit)), "python"),
        "Recipe": "\n".join(_stage(stage) for stage in system.recipe),
        "The whole file": folded(
            f"systems/{module_name(system.slug)}.py", block(inspect.getsource(module), "python"), "example"
        ),
    }
    return "\n".join(_section(title, body) for title, body in sections.items() if body)


def _section(title: str, body: str) -> str:
    searched = "" if title not in UNSEARCHED else " { data-search-exclude }"
    return f"## {title}{searched}\n\n{body}\n" if title else body


def _head(system: System) -> str:
    low, high = system.reward.bounds()
    facts = [
        f"[arXiv {system.arxiv}](https://arxiv.org/abs/{system.arxiv}), {system.year}",
        plain(system.family),
        f"reward in [{low:g}, {high:g}]".replace("[", "&#91;").replace("inf", "∞"),
        f"asks a judge ({asked(system)})" if system.judged else "no judge",
        "strict and official differ" if system.official is not None else "one variant",
    ]
    formula = block(_FORMULAS.sub(_NEXT, system.formula))
    return f"# {system.slug}\n\n**{plain(system.title)}**\n\n{' · '.join(facts)}\n\n{formula}\n"


def asked(system: System) -> str:
    """Which abilities of a judge a system's reward asks for.

    Example:
        >>> from sightline.system import load
        >>> asked(load("video-ver"))
        'generate'
    """
    nodes = [node for node in system.reward.walk() if isinstance(node, JudgedReward)]
    return ", ".join(sorted({node.ability for node in nodes}))


def _use(system: System) -> str:
    encoder = "dual:MODEL" if {"images", "frames"} & set(system.columns) else "minilm"
    named = {"": "", "embed": encoder}.get(asked(system), "openai:http://localhost:8000/v1#MODEL")
    judge = named and f" \\\n    --judge {named}"
    lines = [
        f"sightline show {system.slug}",
        f"sightline score rollouts.jsonl --system {system.slug} -o scored.parquet{judge}",
    ]
    if system.official is not None:
        lines.append(
            f"sightline score rollouts.jsonl --system {system.slug} --variant official -o official.parquet{judge}"
        )
    if any(stage.method in ("sft", "grpo") for stage in system.recipe):
        where = "--model MODEL --data rows.jsonl --output runs/first"
        lines.append(f"sightline train --system {system.slug} {where}{judge}")
    return block("\n".join(lines), "bash")


def _parts(system: System) -> str:
    variants = {"strict": system.reward, **({} if system.official is None else {"official": system.official})}
    ranges: dict[str, dict[str, str]] = {}
    for variant, reward in variants.items():
        for name, low, high in _named(reward):
            ranges.setdefault(name, {})[variant] = f"{low:g} to {high:g}".replace("inf", "∞")
    rows = [(plain(name), *(found.get(variant, "") for variant in variants)) for name, found in ranges.items()]
    written = block(f"R = {system.reward}")
    return f"{table(['part', *variants], rows)}\nStrict, as `print(system.reward)` shows it:\n\n{written}"


def _named(reward: Reward) -> list[tuple[str, float, float]]:
    low, high = reward.bounds()
    return [*part_list(reward), ("reward", low, high)]


def _extras(system: System) -> str:
    rows = [(label(key), prose(extra.what)) for key, extra in system.extras.items()]
    listed = table(["extra", "pays"], rows)
    return listed and f"Rewards that can be added by name (`--plus NAME`).\n\n{listed}"


def _listed(items: Iterable[str]) -> str:
    return "".join(f"- {prose(item)}\n" for item in items)


def _specimen(system: System) -> str:
    """Scores of the rows that the system brings; judged parts by the judge of its file, which needs no model."""
    batch = Batch.from_rows(list(system.specimen))
    try:
        strict = system.reward(batch)
        official = strict if system.official is None else system.official(batch)
    except MissingExtra as missing:
        return f"Needs an extra that was not installed where this page was built: {plain(missing)}\n"
    rows = [
        (worked_examples.rollout_cell(row), _value(official, number), _value(strict, number), _reasons(strict, number))
        for number, row in enumerate(system.specimen)
    ]
    by = "\nJudged parts: by the stand-in of the file, which looks at words only.\n" if system.judged else ""
    return table(["rollout", "official", "strict", "made of (strict)"], rows) + by


def _reasons(scores: Scores, row: int) -> str:
    """Every part with its value and reason, or the reason of the whole."""
    parts = [f"{plain(name)} {_value(part, row)}{_because(part.why[row])}" for name, part in scores.parts.items()]
    return "<br>".join(parts) or plain(scores.why[row])


def _because(why: str) -> str:
    return f"<small>, {plain(why)}</small>" if why else ""


def _value(scores: Scores, row: int) -> str:
    value = float(scores.values[row])
    return "n/a" if np.isnan(value) else f"{value:.4g}"


def _stage(stage: Stage) -> str:
    rows = [
        (plain(name), code(value), plain(target), prose(said) if target == "none" else code(said))
        for name, value, target, said in describe(stage)
    ]
    return f"**{plain(stage.name)}** ({stage.method})\n\n" + table(["setting", "paper", "in", "stands there as"], rows)
