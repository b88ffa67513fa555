"""One self-contained HTML page about a scored file or a training run: no server, no network, no JavaScript library."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from sightline.core.errors import RolloutFileError
from sightline.core.rollout import policy_text
from sightline.rewards.algebra import NOT_EVALUATED
from sightline.view.charts import Curve, curve, histogram, number
from sightline.view.pictures import Picture, pictures, shared_frame
from sightline.view.results import Part, Results, given, read_results
from sightline.view.runs import is_run, run_curves, run_rollouts
from sightline.view.texts import Claim, Said, claims, prompt_text, turns

LAST_FILES = 40  # of a run's rollout files, so many of the latest are looked at
TRUTH = ("answer", "solution", "ground_truth")


@dataclass(frozen=True)
class Card:
    """One rollout as it is shown."""

    place: str
    kind: str
    reward: str
    why: str
    parts: tuple[tuple[str, str, str], ...]
    prompt: str
    turns: tuple[Said, ...]
    pictures: tuple[Picture, ...]
    claims: tuple[Claim, ...]
    truth: str
    marks: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Groups:
    """How far the rollouts of a prompt differ: without a difference a group teaches nothing.

    Args:
        several: groups with at least two scorable rollouts.
        dead: those of them whose rewards are all equal.
        spread: (several,) sample standard deviation of the reward inside each.
    """

    several: int
    dead: int
    spread: NDArray[np.float64]


def report(path: Path | str, out: Path | str, *, title: str = "", shown: int = 12) -> Path:
    """Write the page.

    Args:
        path: a file that `sightline score` wrote, or the folder of a training run.
        out: the HTML file.
        title: of the page; by default the name of what it shows.
        shown: how many of the worst and of the best rollouts are shown.

    Raises:
        RolloutFileError: there is nothing to show.
    """
    path, out = Path(path), Path(out)
    curves: dict[str, list[Curve]] = {}
    files = [path]
    if path.is_dir():
        if not is_run(path):
            raise RolloutFileError(f"{path}: not a training run: it has neither `metrics.jsonl` nor `rollouts/`")
        curves, files = run_curves(path), run_rollouts(path)[-LAST_FILES:]
        if not curves and not files:
            raise RolloutFileError(f"{path}: the run has logged nothing yet")
    results = read_results(files) if files else None
    page = _page(title or path.name, path, curves, results, shown)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, "utf-8", errors="replace")
    return out


def group_spread(results: Results) -> Groups:
    """Statistics of the groups of a result."""
    values, known = results.reward.values, np.isfinite(results.reward.values)
    group, value = results.group[known], values[known]
    if not len(group):
        return Groups(0, 0, np.zeros(0))
    order = np.argsort(group, kind="stable")
    parts = np.split(value[order], np.flatnonzero(np.diff(group[order])) + 1)
    several = [part for part in parts if len(part) > 1]
    # equal numbers can have a standard deviation of rounding noise
    spread = np.array([0.0 if np.ptp(part) == 0 else float(part.std(ddof=1)) for part in several])
    return Groups(len(several), int((spread == 0).sum()), spread)


def picked(results: Results, shown: int) -> Iterator[tuple[str, int]]:
    """(kind, row) of the rollouts to show: worst, best, and failed ones; of a group one of each kind."""
    values = results.reward.values
    order = np.argsort(values, kind="stable")
    order = order[np.isfinite(values[order])]
    taken: set[int] = set()
    for kind, rows in (("worst", order), ("best", order[::-1])):
        groups: set[int] = set()
        for row in rows.tolist():
            group = int(results.group[row])
            if row not in taken and group not in groups:
                taken.add(row)
                groups.add(group)
                yield kind, row
            if len(groups) == shown:
                break
    unscored = [row for row in np.flatnonzero(results.failed | ~np.isfinite(values)).tolist() if row not in taken]
    yield from (("unscored", row) for row in unscored[: shown // 2])


def _page(title: str, path: Path, curves: Mapping[str, list[Curve]], results: Results | None, shown: int) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sightline.view"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    groups = None if results is None else group_spread(results)
    return environment.get_template("report.html.j2").render(
        title=title,
        path=str(path),
        facts={} if results is None else results.facts,
        stages=[
            (stage, [(line.name, _latest(line), curve(line)) for line in lines]) for stage, lines in curves.items()
        ],
        parts=[] if results is None else [_part(part) for part in results.parts],
        rollouts=0 if results is None else len(results.group),
        failed=0 if results is None else int(results.failed.sum()),
        group_count=0 if results is None else len(np.unique(results.group)),
        groups=groups,
        spread=Markup("") if groups is None else histogram(groups.spread),
        cards=[] if results is None else _cards(results, shown),
        number=number,
    )


def _part(part: Part) -> dict[str, Any]:
    known = part.known
    return {
        "name": part.name,
        "mean": number(part.mean),
        "std": number(part.std),
        "low": number(float(known.min()) if len(known) else None),
        "high": number(float(known.max()) if len(known) else None),
        "count": len(known),
        "abstained": part.abstained,
        "errors": part.errors,
        "chart": histogram(part.values),
    }


def _latest(line: Curve) -> str:
    return number(float(line.values[np.isfinite(line.values)][-1]))


def _cards(results: Results, shown: int) -> list[Card]:
    chosen = list(picked(results, shown))
    rows = results.rows([row for _, row in chosen])
    names = [part.name for part in results.parts[1:]]
    folders, frame = results.folders(), shared_frame(rows)
    return [
        _card(kind, index, row, names, pictures(row, folders, frame))
        for (kind, index), row in zip(chosen, rows, strict=True)
    ]


def _card(kind: str, index: int, row: dict[str, Any], names: list[str], shown: list[Picture]) -> Card:
    marks = row.get("marks") or []
    completion = row.get("completion") or ""
    text = policy_text(completion)
    truth = next((found for name in TRUTH if (found := given(row, name)) not in (None, "")), "")
    return Card(
        place=_place(index, row),
        kind=kind,
        reward=number(row["reward"]),
        why=row["why"] or "",
        parts=tuple(
            (name, number(row.get(name)), why)
            for name in names
            if (why := row.get(f"why_{name}") or "") != NOT_EVALUATED or row.get(name) is not None
        ),
        prompt=prompt_text(row.get("prompt")) or str(row.get("question") or row.get("problem") or ""),
        turns=tuple(turns(completion, marks)),
        pictures=tuple(shown),
        claims=tuple(claims(row, text)),
        truth=truth if isinstance(truth, str) else str(truth),
        marks=tuple(mark for mark in marks if mark["unit"] not in ("char", "box")),
    )


def _place(index: int, row: Mapping[str, Any]) -> str:
    named = [f"{name} {row[name]}" for name in ("step", "row", "element", "group") if row.get(name) is not None]
    return ", ".join(named) or f"row {index}"
