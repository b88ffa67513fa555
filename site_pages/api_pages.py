"""The API reference: a page per room that lists its modules, and a page per module from its docstrings."""

from __future__ import annotations

import ast
from pathlib import Path

from site_pages.markdown import prose, table

ROOMS = {
    "core": "The nouns: batch, rollout, scores, marks, boxes and frames, errors.",
    "media": "Files and bytes to pictures and frames.",
    "parse": "Text to a value, or to the reason why there is none.",
    "metrics": "Arrays to arrays.",
    "judges": "Questions to verdicts.",
    "rewards": "A batch to scores: the algebra and its leaves.",
    "credit": "Scores to advantages.",
    "system": "The record of a paper.",
    "train": "A reward and a credit rule into trainers.",
    "adapters": "A reward into the calls of other trainers.",
    "scoring": "Files of rollouts to files of scores.",
    "search": "Candidates to the one to keep.",
    "curate": "Data made with a teacher or from itself.",
    "bench": "Analyses of answers.",
    "serve": "A reward behind HTTP.",
    "check": "Promises of every reward, and vector files.",
    "view": "Scored files and runs to a page.",
}
_HIDDEN = ("cli", "lab", "systems")


def rooms(package: Path) -> dict[str, str]:
    """Room -> what it maps, for every room that the package has; new ones speak for themselves."""
    there = {path.stem for path in package.iterdir() if (path / "__init__.py").exists() or path.suffix == ".py"}
    known = {room: what for room, what in ROOMS.items() if room in there}
    new = sorted(room for room in there - {*known, *_HIDDEN} if not room.startswith("_"))
    return known | {room: first_line(_file(package, room)) for room in new}


def pages(package: Path) -> dict[str, str]:
    """Path under docs -> Markdown, for the whole reference."""
    found = {}
    overview = []
    for room, what in rooms(package).items():
        modules = _modules(package, room)
        overview.append((f"Of [sightline.{room}]({room}.md)", what, str(len(modules))))
        rows = [
            (f"[`{name}`]({room}/{name.replace('.', '/')}.md)", prose(first_line(path)))
            for name, path in modules.items()
        ]
        found[f"api/{room}.md"] = f"# sightline.{room}\n\n{what}\n\n{table(['module', 'about'], rows)}"
        if not modules:
            found[f"api/{room}.md"] = _reference(f"sightline.{room}")
        for name in modules:
            found[f"api/{room}/{name.replace('.', '/')}.md"] = _reference(f"sightline.{room}.{name}")
    found["api/index.md"] = f"# API\n\n{table(['room', 'maps', 'modules'], overview)}"
    return found


def first_line(path: Path) -> str:
    """The first line of a module's docstring."""
    said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return said.partition("\n\n")[0].replace("\n", " ")


def _reference(module: str) -> str:
    room, _, rest = module.removeprefix("sightline.").partition(".")
    up = f"Of [sightline.{room}]({'../' * rest.count('.')}../{room}.md)\n\n" if rest else ""
    return f"# {module.replace('_', '&#95;')}\n\n{up}::: {module}\n"


def _file(package: Path, room: str) -> Path:
    folder = package / room
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")


def _modules(package: Path, room: str) -> dict[str, Path]:
    folder = package / room
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        if not any(part.startswith("_") for part in parts):
            found[".".join(parts)] = path
    return found
